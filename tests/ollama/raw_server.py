"""A server on a raw socket that does exactly what a test tells it, byte for byte, fault for fault."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterable

    from typing_extensions import Self

PATIENCE = 20  # seconds until a test that hangs fails
NDJSON = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\n"


class Connection:
    """One accepted connection, as a script sees it."""

    def __init__(self, sock: socket.socket, server: RawServer) -> None:
        self._sock = sock
        self._server = server

    def request(self) -> bytes:
        """Read one request, head and body; b"" if the client left."""
        data = b""
        while b"\r\n\r\n" not in data:
            if not (more := self._sock.recv(65536)):
                return b""
            data += more
        head, _, body = data.partition(b"\r\n\r\n")
        while len(body) < _content_length(head):
            body += self._sock.recv(65536)
        self._server.requests.append(head + b"\r\n\r\n" + body)
        self._server.asked.set()
        return head + b"\r\n\r\n" + body

    def send(self, *pieces: bytes) -> None:
        """Send each piece by itself."""
        for piece in pieces:
            self._sock.sendall(piece)

    def chunks(self, *bodies: bytes, end: bool = True) -> None:
        """Send pieces of a body in HTTP's chunked framing, then its end."""
        for body in bodies:
            self.send(b"%x\r\n%s\r\n" % (len(body), body))
        if end:
            self.send(b"0\r\n\r\n")

    def stream(self, *bodies: bytes, end: bool = True) -> None:
        """Answer 200 with a chunked stream."""
        self.send(NDJSON + b"Transfer-Encoding: chunked\r\n\r\n")
        self.chunks(*bodies, end=end)

    def flood(self, piece: bytes, most: int) -> None:
        """Send a piece again and again, until the client leaves or `most` bytes are out."""
        with contextlib.suppress(OSError):
            for _ in range(most // len(piece)):
                self.send(piece)

    def until_left(self) -> None:
        """Wait until the client hangs up."""
        with contextlib.suppress(ConnectionError):
            while self._sock.recv(65536):
                pass
        self._server.left.set()

    def secure(self, context: ssl.SSLContext) -> None:
        """Speak TLS from here on."""
        self._sock = context.wrap_socket(self._sock, server_side=True)

    def reset(self) -> None:
        """Break off with RST instead of FIN."""
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def close(self) -> None:
        """Hang up."""
        self._sock.close()


class RawServer:
    """Listens on loopback; each connection runs the next script, the last script again and again."""

    def __init__(self, *scripts: Callable[[Connection], None], host: str = "127.0.0.1") -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        self.asked = threading.Event()
        self.left = threading.Event()
        self._scripts = scripts
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, 0), family=family)
        self._threads: list[threading.Thread] = []
        self._open: list[socket.socket] = []
        self.port: int = self._listener.getsockname()[1]
        self.address = f"{host if ':' not in host else f'[{host}]'}:{self.port}"

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for sock in self._open:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in list(self._threads):
            thread.join(PATIENCE)
        for sock in self._open:
            sock.close()

    def _start(self, job: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=job, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self._listener.accept()
                sock.settimeout(PATIENCE)
                self._open.append(sock)
                script = self._scripts[min(self.connections, len(self._scripts) - 1)]
                self.connections += 1
                self._start(self._run, script, sock)

    def _run(self, script: Callable[[Connection], None], sock: socket.socket) -> None:
        connection = Connection(sock, self)
        with contextlib.suppress(OSError):
            script(connection)
        with contextlib.suppress(OSError):
            connection.close()


def answering(*bodies: bytes) -> Callable[[Connection], None]:
    """Make a script that answers every request of a connection with the same stream."""

    def script(connection: Connection) -> None:
        while connection.request():
            connection.stream(*bodies)

    return script


def closed_port() -> int:
    """Return a port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def _content_length(head: bytes) -> int:
    lengths: Iterable[bytes] = (line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
    return next((int(line.split(b":")[1]) for line in lengths), 0)
