"""Who may ask: Host and Origin checks of a server on loopback (protocol.md §1.1); no I/O."""

from __future__ import annotations

import ipaddress
import re
import socket

_ORIGINS = re.compile(
    r"https?://(localhost|127\.0\.0\.1|0\.0\.0\.0)(:\d+)?|(app|file|tauri|vscode-webview|vscode-file)://.*"
)
_STAINLESS = (
    "Arch Async Custom-Poll-Interval Helper-Method Lang Os Package-Version Poll-Helper Retry-Count Runtime "
    "Runtime-Version Timeout"
)
_HEADERS = ["Authorization,Content-Type,User-Agent,Accept,X-Requested-With,Openai-Beta"]
PREFLIGHT = {
    "Access_Control_Allow_Headers": ",".join(_HEADERS + [f"X-Stainless-{name}" for name in _STAINLESS.split()]),
    "Access_Control_Allow_Methods": "GET,POST,PUT,PATCH,DELETE,HEAD,OPTIONS",
    "Access_Control_Max_Age": "43200",
}
PREFLIGHT_VARY = [
    ("Vary", name) for name in ("Origin", "Access-Control-Request-Method", "Access-Control-Request-Headers")
]


def host_allowed(host: str) -> bool:
    """Loopback, private and this machine's own names; the port does not matter."""
    name = _without_port(host).lower().rstrip(".")
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        local = name.endswith((".localhost", ".local", ".internal"))
        return local or name in ("", "localhost", socket.gethostname().lower())
    return address.is_loopback or address.is_private or address.is_unspecified


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.rpartition(":")[0] if host.count(":") == 1 else host


def origin_allowed(origin: str) -> bool:
    """The server's default list; its own host is never asked about."""
    return bool(_ORIGINS.fullmatch(origin))
