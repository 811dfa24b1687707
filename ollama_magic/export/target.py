"""Where an exported request goes, and which of its headers come from the environment. No key stands in here."""

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
    """A header whose value is read where the program runs: what stands before it, and the variable that has it."""

    header: str
    before: str
    variable: str


@dataclass(frozen=True)
class Target:
    """A server: its address up to `/api`, its keys, its firm's certificate file; `direct` passes a proxy by.

    `notes` are lines that stand as comments above the program; they are ours, nothing foreign is in them.
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
    """Say where a request goes; `headers` is {"X-Key": "env:NAME"}, as `OllamaMagic.headers` has it.

    None stands for a server that the keys do not belong to (design §2): then no key goes along.
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
