"""The proxy that the environment names for an address, if any. Loopback addresses have none."""

from __future__ import annotations

import importlib.util
import ipaddress
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ollama_magic.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ollama_magic.ollama.address import Address

_SCHEMES = ("http", "https", "socks5", "socks5h")
_URL = re.compile(r"([a-z0-9]+)://(?:[^@/\s]*@)?(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(\d{1,5}))?/?", re.IGNORECASE)


@dataclass(frozen=True)
class ProxySetting:
    """A proxy and the variable that names it; its URL may contain a password, so it is never shown."""

    variable: str
    url: str

    def __repr__(self) -> str:
        return f"ProxySetting({self.variable})"


def proxy_for(address: Address, environ: Mapping[str, str]) -> ProxySetting | None:
    """Return the proxy for an address, lower-case variables first; raise InputError for an invalid value."""
    if address.loopback or _excepted(address, environ):
        return None
    for name in (f"{address.scheme}_proxy", "all_proxy"):
        for variable in (name, name.upper()):
            if value := environ.get(variable, "").strip():
                return ProxySetting(variable, _checked(variable, value, address))
    return None


def _checked(variable: str, value: str, address: Address) -> str:
    url = value if "://" in value else f"http://{value}"
    cure = f"fix or unset it, or add {address.host} to NO_PROXY"
    match = _URL.fullmatch(url)
    if not match or int(match[3] or 1) not in range(1, 65536) or not _is_host(match[2]):
        raise InputError(f"The environment variable {variable} is not the address of a proxy; {cure}.")
    scheme = match[1].lower()
    if scheme == "socks":
        scheme = "socks5"
    if scheme not in _SCHEMES:
        raise InputError(
            f"The environment variable {variable} names a {scheme}:// proxy, which cannot be used; {cure}."
        )
    if scheme.startswith("socks") and importlib.util.find_spec("socksio") is None:
        raise InputError(
            f"The environment variable {variable} names a SOCKS proxy, which needs another package "
            f"(`pip install socksio`); install it, or {cure}."
        )
    return f"{scheme}://{url.split('://', 1)[1]}"


def _is_host(host: str) -> bool:
    """Whether a host that looks like an IP address is one."""
    try:
        if host.startswith("["):
            ipaddress.IPv6Address(host[1:-1])
        elif re.fullmatch(r"\d+(\.\d+){3}", host):
            ipaddress.IPv4Address(host)
    except ValueError:
        return False
    return True


def _excepted(address: Address, environ: Mapping[str, str]) -> bool:
    text = environ.get("no_proxy", "").strip() or environ.get("NO_PROXY", "")
    return any(_covers(entry.lower(), address) for entry in re.split(r"[,\s]+", text) if entry)


def _covers(entry: str, address: Address) -> bool:
    """Whether an entry of NO_PROXY covers an address: *, a domain, a host with a port, an IP address or a network."""
    if entry == "*":
        return True
    network = _network(entry.strip("[]"))
    if network is not None:
        return _inside(address.target, network)
    host, port = entry, ""
    if match := re.fullmatch(r"(\[.*\]|[^:]*):(\d+)", entry):
        host, port = match[1], match[2]
    if port and int(port) != address.port:
        return False
    domain = host.strip("[]").removeprefix("*").strip(".")
    name = address.target.rstrip(".")
    return bool(domain) and (name == domain or name.endswith(f".{domain}"))


_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def _network(entry: str) -> _Network | None:
    try:
        return ipaddress.ip_network(entry, strict=False)
    except ValueError:
        return None


def _inside(host: str, network: _Network) -> bool:
    try:
        return ipaddress.ip_address(host) in network
    except ValueError:
        return False
