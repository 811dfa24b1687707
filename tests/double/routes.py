"""Which path is which endpoint, and what the web framework does around them: redirects, 404, 405, Host, Origin."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ollama_magic.demo.transport.origin_check import PREFLIGHT, PREFLIGHT_VARY, host_allowed, origin_allowed
from tests.double.endpoints import account, chat_generate, create, embed, pull_push, simple_endpoints
from tests.double.faults import FIRST, PAGE
from tests.double.wire.go_bodies import Refusal

if TYPE_CHECKING:
    from tests.double.endpoints.simple_endpoints import Endpoint
    from tests.double.faults import Fault
    from tests.double.scripted_state import ScriptedState
    from tests.double.wire.http import Exchange

_LOOK = ("HEAD", "GET")
_BLOBS = "/api/blobs/"
ROUTES: dict[str, tuple[tuple[str, ...], Endpoint]] = {
    "/": (_LOOK, simple_endpoints.root),
    "/api/version": (_LOOK, simple_endpoints.version),
    "/api/tags": (_LOOK, simple_endpoints.tags),
    "/api/ps": (("GET",), simple_endpoints.ps),
    "/api/show": (("POST",), simple_endpoints.show),
    "/api/chat": (("POST",), chat_generate.chat),
    "/api/generate": (("POST",), chat_generate.generate),
    "/api/copy": (("POST",), simple_endpoints.copy),
    "/api/delete": (("DELETE",), simple_endpoints.delete),
    "/api/embed": (("POST",), embed.embed),
    "/api/embeddings": (("POST",), embed.embeddings),
    "/api/create": (("POST",), create.create),
    "/api/me": (("POST",), account.me),
    "/api/signout": (("POST",), account.signout),
    "/api/status": (("GET",), account.status),
    "/api/experimental/model-recommendations": (("GET",), account.recommendations),
    "/api/experimental/web_search": (("POST",), account.web),
    "/api/experimental/web_fetch": (("POST",), account.web),
    "/api/pull": (("POST",), pull_push.pull),
    "/api/push": (("POST",), pull_push.push),
}


def route(path: str) -> tuple[tuple[str, ...], Endpoint | None]:
    """The methods and the endpoint of a path; nothing for an unknown one."""
    if path.startswith(_BLOBS) and "/" not in path[len(_BLOBS) :]:
        return ("HEAD", "POST"), create.blob
    return ROUTES.get(path, ((), None))


def dispatch(stage: ScriptedState, exchange: Exchange) -> None:
    """Reply to one request."""
    exchange.early_lines = not stage.age.has("early_status")
    fault = stage.take_fault(exchange.path)
    if fault and fault.kind in FIRST:
        if _strike_first(exchange, fault):
            return
        fault = None
    if _redirected(exchange, stage) or not _allowed(exchange, stage):
        return
    methods, endpoint = route(exchange.path)
    wrong = exchange.request.method not in methods
    if endpoint is None or not stage.age.serves(exchange.path) or (wrong and not stage.age.has("wrong_method")):
        exchange.reply(404, "text/plain", b"404 page not found")
    elif wrong:
        exchange.reply(405, "text/plain", b"405 method not allowed")
    else:
        try:
            endpoint(stage, exchange, fault)
        except Refusal as refusal:
            exchange.error(refusal.text, refusal.status, refusal.late)


def _strike_first(exchange: Exchange, fault: Fault) -> bool:
    """A fault before the first chunk; True if it was the whole reply."""
    connection = exchange.connection
    if fault.kind == "silence_first":
        connection.pause(fault.seconds)
        return False
    exchange.keeps_open = exchange.keeps_open and fault.kind in ("error_first", "html")
    if fault.kind == "reset_first":
        connection.reset()
    elif fault.kind == "close_first":
        connection.close()
    elif fault.kind == "raw":
        connection.send(fault.body or b"")
    elif fault.kind == "html":
        status = 200 if fault.status == 500 else fault.status
        exchange.reply(status, "text/html; charset=utf-8", fault.body or PAGE)
    elif fault.body is not None:
        exchange.reply(fault.status, "application/json" if fault.body else None, fault.body)
    else:
        exchange.prepared = exchange.request.json.get("stream", True) is True
        exchange.error(fault.error, fault.status, late=True)
    return True


def _redirected(exchange: Exchange, stage: ScriptedState) -> bool:
    path, method = exchange.path, exchange.request.method
    clean = re.sub("/+", "/", path)
    if clean != path:
        _redirect(exchange, clean, 307 if stage.age.has("same_method") else 301)
        return True
    bare = path.rstrip("/")
    if path != bare and method in route(bare)[0]:
        _redirect(exchange, bare, 301 if method == "GET" else 307)
        return True
    return False


def _redirect(exchange: Exchange, path: str, status: int) -> None:
    if exchange.request.method not in _LOOK:
        exchange.reply(status, None, b"", Location=path)
        return
    reason = {301: "Moved Permanently", 307: "Temporary Redirect"}[status]
    page = f'<a href="{path}">{reason}</a>.\n\n'.encode()
    exchange.reply(status, "text/html; charset=utf-8", page, Location=path)


def _allowed(exchange: Exchange, stage: ScriptedState) -> bool:
    """Origin, preflight and Host; False when that was the reply."""
    request = exchange.request
    methods, _ = route(exchange.path)
    if methods and request.method not in methods and stage.age.has("wrong_method"):
        exchange.extra.append(("Allow", ", ".join(methods)))
    host, origin = request.headers.get("host", ""), request.headers.get("origin", "")
    if origin and origin not in (f"http://{host}", f"https://{host}"):
        if not (origin_allowed(origin) or stage.any_host):
            exchange.reply(403, None)
            return False
        exchange.extra.append(("Access-Control-Allow-Origin", origin))
        if request.method == "OPTIONS":
            exchange.extra += PREFLIGHT_VARY
            exchange.reply(204, None, b"", **PREFLIGHT)
            return False
        exchange.extra.append(("Vary", "Origin"))
    if not (host_allowed(host) or stage.any_host):
        exchange.reply(403, None)
        return False
    return True
