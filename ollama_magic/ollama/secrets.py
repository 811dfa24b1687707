"""Keys and named headers: never shown, and sent to their own origin only."""

from __future__ import annotations

import json
import re
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import quote

from ollama_magic.errors import InputError
from ollama_magic.foreign import one_line
from ollama_magic.log import register_secrets

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ollama_magic.ollama.address import Address

KEY_VARIABLE = "OLLAMA_API_KEY"
MASK = "•••"
_SHORTEST = 4  # masking shorter words would damage ordinary text
_SHORTEST_PART = 8  # of a value such as «Bearer …»
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_OURS = frozenset(
    {"host", "content-length", "transfer-encoding", "connection", "accept-encoding", "content-type", "te"}
)


class Secrets:
    """Secret headers for one origin; a copy or a pickle of it is empty."""

    __slots__ = ("_forms", "_headers", "_origin")

    def __init__(self, origin: str = "", headers: Mapping[str, str] | None = None) -> None:
        self._origin = origin
        self._headers = dict(headers or {})
        self._forms = _forms(self._headers.values())
        register_secrets(self._forms)

    @classmethod
    def from_environment(cls, address: Address, environ: Mapping[str, str], headers: Mapping[str, str]) -> Secrets:
        """Read OLLAMA_API_KEY and the named headers, {"X-Key": "env:NAME"}; they belong to this address's origin."""
        found = {_name(name): _read(name, source, environ) for name, source in headers.items()}
        key = environ.get(KEY_VARIABLE, "").strip()
        if key and not any(name.lower() == "authorization" for name in found):
            found["Authorization"] = "Bearer " + _checked(key, KEY_VARIABLE)
        return cls(address.origin, found)

    def headers_for(self, address: Address) -> dict[str, str]:
        """Return the headers for this address; none for another origin than their own."""
        return dict(self._headers) if address.origin == self._origin else {}

    def mask(self, text: str) -> str:
        """Return the text with each secret in it, plain or quoted, as •••."""
        for form in self._forms:
            if form in text:
                text = text.replace(form, MASK)
        return text

    def __repr__(self) -> str:
        names = ", ".join(f"{one_line(name, 40)}: {MASK}" for name in self._headers)
        return f"Secrets({names})"

    def __reduce__(self) -> tuple[type[Secrets], tuple[()]]:
        return Secrets, ()


def _forms(values: object) -> tuple[str, ...]:
    """Return every form in which a value may appear, the longest first."""
    forms: set[str] = set()
    for value in values:  # type: ignore[attr-defined]
        words = value.split()
        parts = (
            [value, *words[1:]] if words[:1] == ["Bearer"] else [value, *(w for w in words if len(w) >= _SHORTEST_PART)]
        )
        for part in parts:
            forms |= {part, quote(part, safe=""), quote(part), escape(part), json.dumps(part)[1:-1], repr(part)[1:-1]}
    return tuple(sorted((form for form in forms if len(form) >= _SHORTEST), key=len, reverse=True))


def _name(name: object) -> str:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise InputError(f"{one_line(str(name), 60) or 'An empty text'} cannot be the name of a header.")
    if name.lower() in _OURS:
        raise InputError(f"The header {name} is set by the client itself; remove it from OllamaMagic.headers.")
    return name


def _read(name: str, source: object, environ: Mapping[str, str]) -> str:
    """Return the value of a header from the environment; errors never show it, because it may be a key."""
    if not isinstance(source, str) or not source.startswith("env:") or not source[4:].strip():
        raise InputError(
            f'The header {name} takes its value from the environment: write {{"{name}": "env:NAME"}}, '
            "so that no key is in a cell."
        )
    variable = source[4:].strip()
    if not environ.get(variable, "").strip():
        shown = one_line(variable, 60)
        raise InputError(f"The header {name} needs the environment variable {shown}, which is not set.")
    return _checked(environ[variable].strip(), one_line(variable, 60))


def _checked(value: str, variable: str) -> str:
    if any(char in value for char in "\r\n\0"):
        raise InputError(f"The value of {variable} spans several lines and cannot be sent as a header.")
    if not value.isascii() or not value.isprintable():
        raise InputError(f"The value of {variable} contains characters that a header cannot have; is it the right key?")
    return value
