"""Where the server is: the grammar of OLLAMA_HOST (dossier §23.1). Nothing here opens a socket.

>>> def show(*values):
...     for value in values:
...         print(f"{value!r:20} {parse_address(value).url}")
>>> show("", "1.2.3.4", "localhost", "example.com")
''                   http://127.0.0.1:11434
'1.2.3.4'            http://1.2.3.4:11434
'localhost'          http://localhost:11434
'example.com'        http://example.com:11434
>>> show("h:8080", ":1234", "http://h", "https://h")
'h:8080'             http://h:8080
':1234'              http://127.0.0.1:1234
'http://h'           http://h
'https://h'          https://h
>>> show("https://h:4321", "h/path", "h:8080/path", "https://h/a/b/")
'https://h:4321'     https://h:4321
'h/path'             http://h:11434/path
'h:8080/path'        http://h:8080/path
'https://h/a/b/'     https://h/a/b
>>> show("https://h/a//", "[::1]", "[::1]:1337", "http://[::1]")
'https://h/a//'      https://h/a
'[::1]'              http://[::1]:11434
'[::1]:1337'         http://[::1]:1337
'http://[::1]'       http://[::1]
>>> show("::1", "0.0.0.0", "[::]")
'::1'                http://[::1]:11434
'0.0.0.0'            http://0.0.0.0:11434
'[::]'               http://[::]:11434
>>> show("ollama.com", "ollama.com:443", "ollama.com/", "http://ollama.com", "ollama.com:11434")
'ollama.com'         https://ollama.com
'ollama.com:443'     https://ollama.com
'ollama.com/'        https://ollama.com
'http://ollama.com'  http://ollama.com
'ollama.com:11434'   http://ollama.com:11434
>>> show("HTTP://x", "  h:1  ", '"h:1"', "'h'", "Example.COM")
'HTTP://x'           http://x
'  h:1  '            http://h:1
'"h:1"'              http://h:1
"'h'"                http://h:11434
'Example.COM'        http://example.com:11434
>>> show("https://[::1]:443/x/", "my_host:80")
'https://[::1]:443/x/' https://[::1]/x
'my_host:80'         http://my_host
>>> parse_address(None).url
'http://127.0.0.1:11434'

Refused are ports that are none or 0, other schemes, user names, queries.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from dataclasses import dataclass

from ollama_magic.errors import InputError
from ollama_magic.foreign import one_line

PORT = 11434
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://(.*)", re.DOTALL)
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_EXAMPLE = "write it like 127.0.0.1:11434 or https://example.com"
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Address:
    """A server's address as it was meant; IPv6 hosts stand without their brackets, `path` has no slash at its end."""

    scheme: str = "http"
    host: str = "127.0.0.1"
    port: int = PORT
    path: str = ""

    @property
    def url(self) -> str:
        """The address for people: as it was configured, the scheme's own port left out."""
        port = "" if _DEFAULT_PORTS[self.scheme] == self.port else f":{self.port}"
        return f"{self.scheme}://{_bracketed(self.host)}{port}{self.path}"

    @property
    def target(self) -> str:
        """The host to connect to: 0.0.0.0 and :: listen everywhere, and are reached on the loopback."""
        ip = _ip(self.host)
        if ip is None:
            return self.host
        if ip.is_unspecified:
            return "127.0.0.1" if ip.version == 4 else "::1"
        return str(ip)

    @property
    def origin(self) -> str:
        """Scheme, host and port of the place that is really asked; a secret belongs to one origin."""
        return f"{self.scheme}://{_bracketed(self.target)}:{self.port}"

    @property
    def loopback(self) -> bool:
        """Whether the server is on this machine, so that no proxy can lie between."""
        name = self.target.rstrip(".")
        ip = _ip(name)
        if ip is None:
            return name == "localhost" or name.endswith(".localhost")
        mapped = getattr(ip, "ipv4_mapped", None)
        return bool((mapped or ip).is_loopback)

    def join(self, path: str) -> str:
        """Return the URL of an endpoint such as "/api/chat"."""
        return f"{self.origin}{self.path}/{path.lstrip('/')}"


def parse_address(value: str | None) -> Address:
    """Read an address as people write it; nonsense is an InputError that names it."""
    text = (value or "").strip().strip("\"'").strip()
    if not text:
        return Address()
    match = _SCHEME.fullmatch(text)
    scheme, rest = (match[1].lower(), match[2]) if match else ("", text)
    _check(text, rest)
    if scheme not in ("", "http", "https"):
        raise _nonsense(text, f"{scheme}:// is not spoken here")
    authority, slash, path = rest.partition("/")
    host, port = _host_and_port(text, authority)
    if not host and scheme:
        raise _nonsense(text, "it names no host")
    host = _checked_host(text, host) if host else "127.0.0.1"
    if not scheme:
        scheme = "https" if host == "ollama.com" and port in (None, 443) else "http"
        port = port or (443 if scheme == "https" else PORT)
    path = (slash + path).rstrip("/")
    return Address(scheme, host, port or _DEFAULT_PORTS[scheme], path)


def _check(text: str, rest: str) -> None:
    if "@" in text:
        raise _nonsense(text, "no name or password may stand in it (a key belongs into OLLAMA_API_KEY)")
    if "?" in text or "#" in text:
        raise _nonsense(text, "nothing may follow the path, no ? and no #")
    if any(char.isspace() or not char.isprintable() or char in '\\"<>^`{|}' for char in text):
        raise _nonsense(text, "it holds characters that no address has")
    if re.match(r"https?(:/?|//)[^/:0-9]", text, re.IGNORECASE):
        raise _nonsense(text, "a scheme is followed by ://")
    if "//" in rest.rstrip("/"):
        raise _nonsense(text, "it has // in a place where no address has it")


def _host_and_port(text: str, authority: str) -> tuple[str, int | None]:
    if _ip(authority) is not None:
        return authority, None
    if authority.startswith("["):
        host, closing, port = authority[1:].partition("]")
        if not closing or _ip(host) is None or port[:1] not in ("", ":"):
            raise _nonsense(text, "what stands in [ ] is no IPv6 address")
        return host, _port(text, port[1:]) if port else None
    host, colon, port = authority.partition(":")
    return host, _port(text, port) if colon else None


def _port(text: str, port: str) -> int:
    if port.isascii() and port.isdigit() and len(port) <= 5 and 0 < int(port) < 65536:
        return int(port)
    shown = f"the port {one_line(port, 40)}" if port else "the empty port"
    raise _nonsense(text, f"{shown} is not a number from 1 to 65535")


def _checked_host(text: str, host: str) -> str:
    if _ip(host) is not None:
        return host.lower().replace("%25", "%")
    try:
        plain = host.encode("idna").decode().lower()
    except UnicodeError:
        plain = ""
    labels = plain.removesuffix(".").split(".")
    if len(plain) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise _nonsense(text, f"{one_line(host, 80) or 'nothing'} is not a host")
    return plain


def _ip(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Read an IP, also in the short forms that every resolver takes, such as 127.1."""
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


def _nonsense(text: str, why: str) -> InputError:
    """Name the value, but never what may be a password in it."""
    before, at, after = text.rpartition("@")
    scheme = match[1] + "://" if (match := _SCHEME.fullmatch(before)) else ""
    shown = one_line(f"{scheme}•••@{after}" if at else text, 120).partition("?")[0] + ("?…" if "?" in text else "")
    return InputError(f"The address {shown} cannot be used: {why}; {_EXAMPLE}.")
