"""HTTP/1.1 on a loopback port: a thread for each connection, which ends with its process and not in its children."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import socketserver
import threading
import weakref
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from ollama_magic.demo.transport.exchange import Exchange

if TYPE_CHECKING:
    from collections.abc import Callable

LOOPBACK = "127.0.0.1"
_log = logging.getLogger("ollama_magic.demo")
_alive: weakref.WeakSet[LoopbackServer] = weakref.WeakSet()


class _Handler(BaseHTTPRequestHandler):
    """Reads requests, and gives each to the server's `respond`."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: LoopbackServer

    def do_GET(self) -> None:
        """Reply to one request, of any method."""
        try:
            exchange = Exchange(self)
        except ValueError:
            self.send_error(HTTPStatus.BAD_REQUEST)
            return
        try:
            self.server.respond(exchange)
        except ConnectionError:
            self.close_connection = True
        else:
            self.close_connection = not exchange.keeps_open

    do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_GET  # noqa: N815 — the same

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 — the name that http.server has
        """What http.server says of a request that is none."""
        _log.debug(format, *args)


class LoopbackServer(ThreadingHTTPServer):
    """Listens as soon as it is made; OSError if the port is taken."""

    daemon_threads = True
    request_queue_size = 128
    allow_reuse_address = os.name != "nt"

    def __init__(self, port: int, respond: Callable[[Exchange], None]) -> None:
        self.respond = respond
        self._sockets: set[socket.socket] = set()
        super().__init__((LOOPBACK, port), _Handler)
        _alive.add(self)
        thread = threading.Thread(target=self.serve_forever, args=(0.2,), name="ollama-magic demo", daemon=True)
        thread.start()

    def server_bind(self) -> None:
        """Bind without looking up the machine's name, which may take seconds."""
        socketserver.TCPServer.server_bind(self)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection in a thread of its own."""
        self._sockets.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """A connection has ended."""
        self._sockets.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 — the signature is socketserver's
        """A connection broke, or a fault of our own ended it."""
        _log.debug("a connection ended", exc_info=True)

    def stop(self) -> None:
        """Stop listening and close every connection."""
        self.shutdown()
        self.server_close()
        for connection in list(self._sockets):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def release(self) -> None:
        """In a forked child: the parent's sockets are not ours."""
        self.socket.close()
        for connection in list(self._sockets):
            connection.close()


def _after_fork() -> None:
    for server in list(_alive):
        server.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
