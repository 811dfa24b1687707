"""The server of an exported request, and which of its headers come from the environment. It contains no key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ollama_magic.ollama.secrets import KEY_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ollama_magic.ollama.address import Address

_PROXIES = ("http_proxy", "https_proxy", "all_proxy")


@dataclass(frozen=True)
class Key:
    """A header whose value the program reads from a variable, with a prefix before it."""

    header: str
    before: str
    variable: str


@dataclass(frozen=True)
class Target:
    """A server: its address up to `/api`, its keys, its certificate file; `direct` bypasses a proxy.

    `notes` are comments above the program, without any foreign text.
    """

    base: str
    keys: tuple[Key, ...] = ()
    ca_file: str = ""
    direct: bool = False
    notes: tuple[str, ...] = ()

    @property
    def url(self) -> str:
        """The endpoint of a chat."""
        return f"{self.base}/api/chat"


def target_of(
    address: Address,
    environ: Mapping[str, str],
    headers: Mapping[str, str] | None,
    ca_file: str,
    notes: tuple[str, ...] = (),
) -> Target:
    """Return the target of a request; `headers` is {"X-Key": "env:NAME"}, like `OllamaMagic.headers`.

    None is for a server that the keys do not belong to (design.md §2): it gets no key.
    """
    keys = [] if headers is None else _keys(environ, headers)
    proxied = any(name.lower() in _PROXIES and value for name, value in environ.items())
    base = address.join("").rstrip("/")
    secure = ca_file if address.scheme == "https" else ""
    return Target(base, tuple(keys), secure, address.loopback and proxied, notes)


def _keys(environ: Mapping[str, str], headers: Mapping[str, str]) -> list[Key]:
    keys = [Key(name, "", source.removeprefix("env:").strip()) for name, source in headers.items()]
    if environ.get(KEY_VARIABLE, "").strip() and not any(key.header.lower() == "authorization" for key in keys):
        keys.append(Key("Authorization", "Bearer ", KEY_VARIABLE))
    return keys
