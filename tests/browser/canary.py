"""A web server on loopback that nobody should ever ask: it counts every connection and remembers every request."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import TracebackType


class Canary:
    """`hits` are the requests, and `connections` what was opened, even if nothing was asked (a preconnect)."""

    def __init__(self) -> None:
        self.hits: list[str] = []
        self.connections = 0
        self._came = threading.Event()
        canary = self

        class Listener(ThreadingHTTPServer):
            daemon_threads = True

            def process_request(self, request: Any, client_address: Any) -> None:
                canary.connections += 1
                canary._came.set()
                super().process_request(request, client_address)

        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                canary.hits.append(self.requestline)
                self.send_response(200)
                self.send_header("Access-Control-Allow-Origin", "*")
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_HEAD = do_POST = do_PUT = do_OPTIONS = do_GET  # noqa: N815 (the names are http.server's)

            def log_message(self, *args: object) -> None:
                """Nothing on stderr."""

        self._server = Listener(("127.0.0.1", 0), Answer)
        self.host = f"127.0.0.1:{self._server.server_port}"
        self.url = f"http://{self.host}/canary/"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def quiet(self) -> bool:
        """Whether nobody has come."""
        return not self.hits and not self.connections

    def wait(self) -> None:
        """Until someone comes; TimeoutError if nobody does."""
        if not self._came.wait(30):
            raise TimeoutError

    def __enter__(self) -> Canary:  # noqa: PYI034 (Self needs Python 3.11)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
