"""The server's address: the grammar of OLLAMA_HOST (protocol.md §23.1). It opens no socket.

Invalid ports, other schemes, user names and queries are refused.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ollama_magic.errors import InputError
from ollama_magic.foreign import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping

PORT = 11434
AddressSource = Literal["session", "config", "environment", "default"]
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://(.*)", re.DOTALL)
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_EXAMPLE = "write it like 127.0.0.1:11434 or https://example.com"
_HEADERS = 'set `OllamaMagic.headers = {"Authorization": "env:NAME"}`'
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Address:
    """A server's address; IPv6 hosts have no brackets, `path` has no slash at its end."""

    scheme: str = "http"
    host: str = "127.0.0.1"
    port: int = PORT
    path: str = ""

    @property
    def url(self) -> str:
        """The address to display: as configured, without the scheme's default port."""
        port = "" if _DEFAULT_PORTS[self.scheme] == self.port else f":{self.port}"
        return f"{self.scheme}://{_bracketed(self.host)}{port}{self.path}"

    @property
    def target(self) -> str:
        """The host to connect to: 0.0.0.0 and :: stand for the loopback address."""
        ip = _ip(self.host)
        if ip is None:
            return self.host
        if ip.is_unspecified:
            return "127.0.0.1" if ip.version == 4 else "::1"
        return str(ip)

    @property
    def origin(self) -> str:
        """Scheme, host and port of the connection; a secret belongs to one origin."""
        return f"{self.scheme}://{_bracketed(self.target)}:{self.port}"

    @property
    def loopback(self) -> bool:
        """Whether the server is on this machine, so that no proxy applies."""
        name = self.target.rstrip(".")
        ip = _ip(name)
        if ip is None:
            return name == "localhost" or name.endswith(".localhost")
        mapped = getattr(ip, "ipv4_mapped", None)
        return bool((mapped or ip).is_loopback)

    def join(self, path: str) -> str:
        """Return the URL of an endpoint such as "/api/chat"."""
        return f"{self.origin}{self.path}/{path.lstrip('/')}"


@dataclass(frozen=True)
class ConfiguredAddress:
    """The address in effect as it was written, and where it was set."""

    value: str
    source: AddressSource

    def parsed(self) -> Address:
        """Return it as an address; raises InputError."""
        return parse_address(self.value)


def configured_address(environ: Mapping[str, str], *, config: str = "", session: str = "") -> ConfiguredAddress:
    """Return the address of the server to use if a call names none.

    Args:
        environ: The environment, which may have OLLAMA_HOST.
        config: The setting `OllamaMagic.host`; it overrides the environment.
        session: The address set by `%ollama host` or `%ollama demo`; it overrides both.
    """
    places: tuple[tuple[AddressSource, str], ...] = (
        ("session", session),
        ("config", config),
        ("environment", environ.get("OLLAMA_HOST", "")),
    )
    found = ((source, value.strip()) for source, value in places)
    source, value = next(((source, value) for source, value in found if value), ("default", ""))
    return ConfiguredAddress(value, source)


def parse_address(value: str | None) -> Address:
    """Parse an address as users write it; raise InputError for an invalid one."""
    if not isinstance(value, str | None):
        raise InputError(f"An address is a text, not {one_line(type(value).__name__, 40)}; {_EXAMPLE}.")
    text = (value or "").strip().strip("\"'").strip()
    if not text:
        return Address()
    match = _SCHEME.fullmatch(text)
    scheme, rest = (match[1].lower(), match[2]) if match else ("", text)
    _check(text, rest)
    if scheme not in ("", "http", "https"):
        raise _invalid(text, f"{scheme}:// is not supported")
    authority, slash, path = rest.partition("/")
    host, port = _host_and_port(text, authority)
    if not host and scheme:
        raise _invalid(text, "it names no host")
    host = _checked_host(text, host) if host else "127.0.0.1"
    if not scheme:
        scheme = "https" if host == "ollama.com" and port in (None, 443) else "http"
        port = port or (443 if scheme == "https" else PORT)
    path = (slash + path).rstrip("/")
    return Address(scheme, host, port or _DEFAULT_PORTS[scheme], path)


def _check(text: str, rest: str) -> None:
    if "@" in text:
        raise _invalid(text, f"it must not contain a name or a password; {_HEADERS}, or put a key into OLLAMA_API_KEY")
    if "?" in text or "#" in text:
        raise _invalid(text, "it must end with its path, without ? or #")
    if any(char.isspace() or not char.isprintable() or char in '\\"<>^`{|}' for char in text):
        raise _invalid(text, "it contains characters that are not valid in an address")
    if re.match(r"https?(:/?|//)[^/:0-9]", text, re.IGNORECASE):
        raise _invalid(text, "a scheme must be followed by ://")
    if "//" in rest.rstrip("/"):
        raise _invalid(text, "it has // in the wrong place")


def _host_and_port(text: str, authority: str) -> tuple[str, int | None]:
    if _ip(authority) is not None:
        return authority, None
    if authority.startswith("["):
        host, closing, port = authority[1:].partition("]")
        if not closing or _ip(host) is None or port[:1] not in ("", ":"):
            raise _invalid(text, "the text in [ ] is not an IPv6 address")
        return host, _port(text, port[1:]) if port else None
    host, colon, port = authority.partition(":")
    return host, _port(text, port) if colon else None


def _port(text: str, port: str) -> int:
    if port.isascii() and port.isdigit() and len(port) <= 5 and 0 < int(port) < 65536:
        return int(port)
    shown = f"the port {one_line(port, 40)}" if port else "the empty port"
    raise _invalid(text, f"{shown} is not a number from 1 to 65535")


def _checked_host(text: str, host: str) -> str:
    if _ip(host) is not None:
        return host.lower().replace("%25", "%")
    try:
        plain = host.encode("idna").decode().lower()
    except UnicodeError:
        plain = ""
    labels = plain.removesuffix(".").split(".")
    if len(plain) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise _invalid(text, f"{one_line(host, 80) or 'nothing'} is not a host")
    return plain


def _ip(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Parse an IP address, including short forms that every resolver accepts, such as 127.1."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        pass
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host))
    except (OSError, ValueError, UnicodeError):
        return None


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _invalid(text: str, why: str) -> InputError:
    """Return the error for an invalid address, without what may be a password in it."""
    before, at, after = text.rpartition("@")
    scheme = match[1] + "://" if (match := _SCHEME.fullmatch(before)) else ""
    shown = one_line(f"{scheme}•••@{after}" if at else text, 120).partition("?")[0] + ("?…" if "?" in text else "")
    return InputError(f"The address {shown} cannot be used: {why}; {_EXAMPLE}.")
