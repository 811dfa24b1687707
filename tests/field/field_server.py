"""A small server of one model, tiny:latest, whose replies a test may script; it shares nothing with the package."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from typing_extensions import Self

MODEL = "tiny:latest"
CARD = {
    "name": MODEL,
    "model": MODEL,
    "modified_at": "2026-01-02T03:04:05Z",
    "size": 1_000_000,
    "digest": "a" * 64,
    "details": {"format": "gguf", "family": "llama", "families": ["llama"], "parameter_size": "1B"},
}
PAGE = (
    "<html>\r\n<head><title>{0}</title></head>\r\n<body>\r\n<center><h1>{0}</h1></center>\r\n<hr>{1}</body>\r\n</html>"
)


@dataclass(frozen=True)
class Scripted:
    """One reply as it stands: a text or the objects of a stream; `pause` seconds before each of these."""

    body: str | list[Any] = ""
    status: int = 200
    content_type: str = "application/json; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)
    pause: float = 0.0
    silent: bool = False


def page(status: int, title: str, by: str = "<center>nginx/1.25.3</center>", **headers: str) -> Scripted:
    """The page of a proxy."""
    return Scripted(PAGE.format(f"{status} {title}", by), status, "text/html", headers)


def failure(text: str, status: int = 500) -> Scripted:
    """Ollama's own error object."""
    return Scripted(json.dumps({"error": text}), status)


def says(*pieces: str, thinking: str = "", reason: str = "stop", pause: float = 0.0) -> Scripted:
    """An answer in pieces, perhaps behind a thought."""
    base = {"model": MODEL, "created_at": "2026-01-02T03:04:05Z"}
    chunks: list[Any] = []
    if thinking:
        chunks.append(base | {"message": {"role": "assistant", "content": "", "thinking": thinking}, "done": False})
    chunks += [base | {"message": {"role": "assistant", "content": one}, "done": False} for one in pieces]
    end = {"message": {"role": "assistant", "content": ""}, "done": True, "done_reason": reason}
    times = {"total_duration": 10**8, "load_duration": 10**6, "prompt_eval_count": 5, "eval_count": len(pieces) + 1}
    return Scripted([*chunks, base | end | times], content_type="application/x-ndjson", pause=pause)


class FieldServer:
    """Answers on loopback; `scripts` of a path are used up in order, the last one stays; `every` is for all paths."""

    def __init__(self, *, every: Scripted | None = None, **scripts: list[Scripted]) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.left = threading.Event()
        self.every = every
        self.scripts = {f"/api/{name}": list(replies) for name, replies in scripts.items()}
        self._lock = threading.Lock()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._http.daemon_threads = True
        self._http.block_on_close = False
        self.port = self._http.server_port
        self.host = f"127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()

    @property
    def prompts(self) -> list[str]:
        """The last message of each turn that arrived."""
        return [body["messages"][-1]["content"] for body in self.bodies]

    def reply(self, path: str, body: dict[str, Any]) -> Scripted:
        """What is answered to a request."""
        with self._lock:
            if path in ("/api/chat", "/api/generate"):
                self.bodies.append(body)
            self.paths.append(path)
            if self.every is not None:
                return self.every
            scripted = self.scripts.get(path)
            if scripted:
                return scripted[0] if len(scripted) == 1 else scripted.pop(0)
        return _well_formed(path, body)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                size = int(self.headers.get("Content-Length") or 0)
                raw = self.rfile.read(size)
                _send(self, server.reply(self.path, json.loads(raw) if raw else {}), server.left)

            do_POST = do_HEAD = do_DELETE = do_GET  # noqa: N815

            def log_message(self, *_: object) -> None:
                pass

            def handle(self) -> None:
                try:
                    super().handle()
                except OSError:
                    server.left.set()

        return Handler


def _send(handler: BaseHTTPRequestHandler, reply: Scripted, left: threading.Event) -> None:
    if reply.silent:
        handler.connection.settimeout(30)
        while handler.connection.recv(1024):
            pass
        left.set()
        handler.close_connection = True
        return
    handler.send_response(reply.status)
    handler.send_header("Content-Type", reply.content_type)
    for name, value in reply.headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    parts = [reply.body] if isinstance(reply.body, str) else [json.dumps(one) + "\n" for one in reply.body]
    for part in parts:
        time.sleep(reply.pause)
        data = part.encode()
        handler.wfile.write(b"%x\r\n%s\r\n" % (len(data), data) if data else b"")
        handler.wfile.flush()
    handler.wfile.write(b"0\r\n\r\n")


def _well_formed(path: str, body: dict[str, Any]) -> Scripted:
    make: dict[str, Callable[[], Any]] = {
        "/api/version": lambda: {"version": "0.13.0"},
        "/api/tags": lambda: {"models": [CARD]},
        "/api/ps": lambda: {"models": []},
        "/api/show": lambda: {
            "capabilities": ["completion", "thinking", "embedding"],
            "details": CARD["details"],
            "model_info": {"general.architecture": "llama", "llama.context_length": 131072},
        },
        "/api/embed": lambda: {
            "model": MODEL,
            "embeddings": [
                [0.1, 0.2] for one in [body.get("input", [])] for _ in (one if isinstance(one, list) else "a")
            ],
        },
    }
    if path in make:
        return Scripted(json.dumps(make[path]()))
    if path == "/api/chat":
        return says("A good ", "answer.") if body.get("model") in (MODEL, "tiny") else failure("model not found", 404)
    return Scripted("404 page not found", 404, "text/plain")
