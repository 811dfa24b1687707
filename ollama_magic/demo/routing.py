"""Which path is which endpoint, and what the web framework does around them: redirects, 404, 405, Host, Origin."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from ollama_magic.demo.api import embedding, generation, listing, model_creation, model_pull
from ollama_magic.demo.server_state import ServerState
from ollama_magic.demo.transport.exchange import Exchange
from ollama_magic.demo.transport.origin_check import PREFLIGHT, PREFLIGHT_VARY, host_allowed, origin_allowed
from ollama_magic.demo.transport.request_body import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

Endpoint = Callable[[ServerState, Exchange], None]
_READING = ("HEAD", "GET")
ROUTES: Mapping[str, tuple[tuple[str, ...], Endpoint]] = {
    "/": (_READING, listing.root),
    "/api/version": (_READING, listing.version),
    "/api/tags": (_READING, listing.tags),
    "/api/ps": (("GET",), listing.ps),
    "/api/show": (("POST",), listing.show),
    "/api/copy": (("POST",), listing.copy),
    "/api/delete": (("DELETE",), listing.delete),
    "/api/chat": (("POST",), generation.chat),
    "/api/generate": (("POST",), generation.generate),
    "/api/embed": (("POST",), embedding.embed),
    "/api/create": (("POST",), model_creation.create),
    "/api/pull": (("POST",), model_pull.pull),
}


def dispatch(state: ServerState, exchange: Exchange) -> None:
    """Reply to one request."""
    if _redirected(exchange) or not _allowed(exchange):
        return
    methods, endpoint = ROUTES.get(exchange.path, ((), None))
    if endpoint is None:
        exchange.reply(404, "text/plain", b"404 page not found")
    elif exchange.method not in methods:
        exchange.reply(405, "text/plain", b"405 method not allowed")
    else:
        try:
            endpoint(state, exchange)
        except Refusal as refusal:
            exchange.error(refusal.text, refusal.status, refusal.late)


def _redirected(exchange: Exchange) -> bool:
    path, method = exchange.path, exchange.method
    clean = re.sub("/+", "/", path)
    if clean != path:
        _redirect(exchange, clean, 307)
        return True
    bare = path.rstrip("/")
    if path != bare and method in ROUTES.get(bare, ((), None))[0]:
        _redirect(exchange, bare, 301 if method == "GET" else 307)
        return True
    return False


def _redirect(exchange: Exchange, path: str, status: int) -> None:
    if exchange.method not in _READING:
        exchange.reply(status, None, b"", Location=path)
        return
    reason = {301: "Moved Permanently", 307: "Temporary Redirect"}[status]
    page = f'<a href="{html.escape(path)}">{reason}</a>.\n\n'.encode()
    exchange.reply(status, "text/html; charset=utf-8", page, Location=path)


def _allowed(exchange: Exchange) -> bool:
    """Origin, preflight and Host; False when that was the reply."""
    methods, _ = ROUTES.get(exchange.path, ((), None))
    if methods and exchange.method not in methods:
        exchange.extra.append(("Allow", ", ".join(methods)))
    host, origin = exchange.headers.get("host", ""), exchange.headers.get("origin", "")
    if origin and origin not in (f"http://{host}", f"https://{host}"):
        if not origin_allowed(origin):
            exchange.reply(403, None)
            return False
        exchange.extra.append(("Access-Control-Allow-Origin", origin))
        if exchange.method == "OPTIONS":
            exchange.extra += PREFLIGHT_VARY
            exchange.reply(204, None, b"", **PREFLIGHT)
            return False
        exchange.extra.append(("Vary", "Origin"))
    if not host_allowed(host):
        exchange.reply(403, None)
        return False
    return True
