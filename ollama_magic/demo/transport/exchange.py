"""One request and its reply: the body, headers in Go's order, JSON, errors, streams, and a client that may leave."""

from __future__ import annotations

import selectors
import socket
import time
from email.utils import formatdate
from http import HTTPStatus
from typing import TYPE_CHECKING

from ollama_magic.demo.transport.go_format import go_json

if TYPE_CHECKING:
    from collections.abc import Sequence
    from http.server import BaseHTTPRequestHandler

_Selector = getattr(selectors, "PollSelector", selectors.SelectSelector)  # `select` cannot watch the 1,025th file
_ONE_PIECE = 2048  # bytes; a longer body is sent chunked (protocol.md §1)


class ClientLeft(ConnectionError):
    """The client closed its connection."""


class Exchange:
    """One request and the reply to it.

    Raises:
        ValueError: The length of its body, or of a piece of it, is no number.
    """

    def __init__(self, handler: BaseHTTPRequestHandler) -> None:
        self.method = handler.command
        self.path = handler.requestline.split()[1].partition("?")[0]  # `handler.path` has lost a second slash
        self.headers = {name.lower(): value for name, value in handler.headers.items()}
        self.extra: list[tuple[str, str]] = []
        self.streaming = False  # a stream was asked for, though it may not have begun
        self.status = 0  # of the reply, as soon as it begins
        self.arrived = time.monotonic_ns()
        self._newest = handler.request_version == "HTTP/1.1"
        self.keeps_open = self._newest and "close" not in self.headers.get("connection", "").lower()
        self._socket, self._input, self._output = handler.connection, handler.rfile, handler.wfile
        self.body = self._read_body()

    def _read_body(self) -> bytes:
        if "chunked" not in self.headers.get("transfer-encoding", "").lower():
            return self._input.read(_length(self.headers.get("content-length", "0"), 10))
        parts = []
        while size := _length(self._input.readline(100).partition(b";")[0].decode("latin-1").strip() or "0", 16):
            parts.append(self._input.read(size))
            self._input.readline(100)
        self._input.readline(100)
        return b"".join(parts)

    def pause(self, seconds: float = 0.0) -> None:
        """Wait so long; ClientLeft at the moment the client goes."""
        deadline = time.monotonic() + seconds
        with _Selector() as selector:
            selector.register(self._socket, selectors.EVENT_READ)
            while selector.select(max(0.0, deadline - time.monotonic())):
                self._peek()
                if time.monotonic() >= deadline:
                    return
                time.sleep(0.01)  # a pipelined request is waiting: it stays where it is

    def _peek(self) -> None:
        try:
            left = not self._socket.recv(1, socket.MSG_PEEK)
        except OSError:
            left = True
        if left:
            raise ClientLeft

    def reply(self, status: int, content_type: str | None, body: bytes = b"", **headers: str) -> None:
        """Send a whole reply with Go's headers, in Go's order."""
        own = [(name.replace("_", "-"), value) for name, value in headers.items()]
        if content_type:
            own.append(("Content-Type", content_type))
        head_only = self.method == "HEAD"
        if head_only and not body:
            self._send(self._head(status, own, None, bodyless=True))
            return
        chunked = len(body) > _ONE_PIECE and self._newest
        head = self._head(status, own, None if chunked or status == 204 else len(body))
        whole = _frame(body) + b"0\r\n\r\n" if chunked else body
        self._send(head + (b"" if head_only else whole))

    def json(self, value: object, status: int = 200, content_type: str = "application/json; charset=utf-8") -> None:
        """Send one JSON object."""
        self.reply(status, content_type, go_json(value).encode())

    def error(self, text: str, status: int, late: bool = False) -> None:
        """Send an error; one that comes late, before a stream's first chunk, is chunked and has no charset."""
        if late and self.streaming:
            head = self.start_stream("application/json", status)
            self.send_lines([go_json({"error": text}).encode()], head, last=True)
        else:
            self.json({"error": text}, status)

    def start_stream(self, content_type: str = "application/x-ndjson", status: int = 200) -> bytes:
        """The head of a chunked reply, to be sent together with its first chunk (protocol.md §1)."""
        return self._head(status, [("Content-Type", content_type)], None)

    def send_lines(self, lines: Sequence[bytes], head: bytes = b"", last: bool = False) -> None:
        """Send each line as one HTTP chunk, all of them in one write."""
        self._send(head + b"".join(map(_frame, lines)) + (b"0\r\n\r\n" if last else b""))

    def _send(self, data: bytes) -> None:
        try:
            self._output.write(data)
        except OSError:
            raise ClientLeft from None

    def _head(self, status: int, own: list[tuple[str, str]], length: int | None, bodyless: bool = False) -> bytes:
        self.status = status
        fields = sorted([*own, *self.extra], key=lambda item: item[0])
        fields.append(("Date", formatdate(usegmt=True)))
        if length is not None:
            fields.append(("Content-Length", str(length)))
        if not self.keeps_open:
            fields.append(("Connection", "close"))
        if length is None and status != 204 and not bodyless:
            fields.append(("Transfer-Encoding", "chunked"))
        lines = [f"{name}: {value}" for name, value in fields]
        head = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", *lines, "", ""]
        return "\r\n".join(head).encode("latin-1", "replace")


def _length(text: str, base: int) -> int:
    if not (text.isascii() and text.isalnum()):  # `int` takes signs, spaces and the digits of every script
        raise ValueError
    return int(text, base)


def _frame(line: bytes) -> bytes:
    """One HTTP chunk."""
    return b"%x\r\n%s\r\n" % (len(line), line)
