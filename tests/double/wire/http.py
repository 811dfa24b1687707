"""HTTP/1.1 over one socket, as Go's server does it: requests in, replies and streams out; knows no endpoint."""

from __future__ import annotations

import contextlib
import os
import re
import selectors
import socket
import struct
import threading
import time
from dataclasses import dataclass, field
from email.utils import formatdate
from http import HTTPStatus
from itertools import accumulate
from typing import TYPE_CHECKING

from ollama_magic.demo.transport.go_format import go_json
from tests.double.wire.go_errors import read_json

if TYPE_CHECKING:
    from collections.abc import Sequence

_HEAD_LIMIT = 1_000_000
_ONE_PIECE = 2048  # a longer body is sent chunked (protocol.md §1)
_LINGER = "hh" if os.name == "nt" else "ii"
_Selector = getattr(selectors, "PollSelector", selectors.SelectSelector)


class ClientLeft(Exception):
    """The client closed its connection."""


class BadRequest(Exception):
    """What came is no HTTP request; the text is the reply's reason."""


@dataclass
class RecordedRequest:
    """One request as it came, and how its reply ended; header names are in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    version: str = "HTTP/1.1"
    closed_early: bool = False
    chunks: int = 0
    ended: threading.Event = field(default_factory=threading.Event, repr=False)

    @property
    def json(self) -> dict[str, object]:
        """The body, read as JSON; empty if it is no JSON object."""
        try:
            value = read_json(self.body)
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}

    def wait(self, seconds: float = 5.0) -> bool:
        """Wait until the reply has ended, in whichever way; False if it has not."""
        return self.ended.wait(seconds)


class Connection:
    """A socket that can wait and notice meanwhile that the client has gone; it sends `segment` bytes at a time."""

    def __init__(self, sock: socket.socket, segment: int = 0) -> None:
        self._segment = segment or 262_144
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sock = sock
        self._rest = b""
        self._selector = _Selector()
        self._selector.register(sock, selectors.EVENT_READ)

    def read_request(self) -> RecordedRequest | None:
        """The next request, or None when the client has closed the connection."""
        while b"\r\n\r\n" not in self._rest:
            if len(self._rest) > _HEAD_LIMIT:
                raise BadRequest("431 Request Header Fields Too Large")
            if not self._fill():
                return None
        head, _, self._rest = self._rest.partition(b"\r\n\r\n")
        request = _read_head(head.decode("latin-1"))
        if request.headers.get("expect", "").lower() == "100-continue":
            self.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.body = self._read_body(request.headers)
        return request

    def _read_body(self, headers: dict[str, str]) -> bytes:
        if "chunked" in headers.get("transfer-encoding", "").lower():
            return b"".join(iter(self._read_chunk, b""))
        length = headers.get("content-length", "0")
        if not length.isdigit():
            raise BadRequest("400 Bad Request")
        return self._take(int(length))

    def _read_chunk(self) -> bytes:
        size = self._line().split(b";")[0].strip()
        if not re.fullmatch(b"[0-9a-fA-F]{1,15}", size):
            raise BadRequest("400 Bad Request")
        data = self._take(int(size, 16))
        self._line()
        return data

    def _line(self) -> bytes:
        while b"\r\n" not in self._rest:
            if not self._fill():
                raise ClientLeft
        line, _, self._rest = self._rest.partition(b"\r\n")
        return line

    def _take(self, size: int) -> bytes:
        parts = [self._rest]
        missing = size - len(self._rest)
        while missing > 0:
            self._rest = b""
            if not self._fill():
                raise ClientLeft
            parts.append(self._rest)
            missing -= len(self._rest)
        data = b"".join(parts)
        self._rest = data[size:]
        return data[:size]

    def _fill(self) -> bool:
        try:
            data = self._sock.recv(65536)
        except OSError:
            return False
        self._rest += data
        return bool(data)

    def pause(self, seconds: float) -> None:
        """Wait so long; ClientLeft at the moment the client goes."""
        deadline = time.monotonic() + seconds
        while (rest := deadline - time.monotonic()) > 0:
            if self._selector.select(min(rest, 3600.0)):
                if self._closed():
                    raise ClientLeft
                time.sleep(min(0.01, rest))  # a pipelined request is waiting: it stays where it is

    def _closed(self) -> bool:
        try:
            return not self._sock.recv(1, socket.MSG_PEEK)
        except OSError:
            return True

    def send(self, data: bytes) -> None:
        """Send all of it, or raise ClientLeft."""
        self.send_counted(data, ())

    def send_counted(self, data: bytes, ends: Sequence[int]) -> int:
        """Send all of it; on ClientLeft its argument is how many of the pieces that end at `ends` were handed over."""
        view, sent = memoryview(data), 0
        while sent < len(data):
            try:
                sent += self._sock.send(view[sent : sent + self._segment])
            except OSError:
                raise ClientLeft(sum(end <= sent for end in ends)) from None
        return len(ends)

    def reset(self) -> None:
        """Break the connection off with a TCP reset."""
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack(_LINGER, 1, 0))
        self._sock.close()

    def close(self) -> None:
        """Close the connection; may be called from another thread."""
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)

    def release(self) -> None:
        """Give the socket back; for the thread that owns the connection."""
        self._selector.close()
        self._sock.close()


def _read_head(head: str) -> RecordedRequest:
    first, *lines = head.split("\r\n")
    words = first.split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        raise BadRequest("400 Bad Request")
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or name != name.strip():
            raise BadRequest("400 Bad Request")
        headers[name.lower()] = value.strip()
    if words[2] == "HTTP/1.1" and "host" not in headers:
        raise BadRequest("400 Bad Request: missing required Host header")
    return RecordedRequest(words[0], words[1], headers, b"", words[2])


class Exchange:
    """One request and the reply to it."""

    def __init__(self, connection: Connection, request: RecordedRequest) -> None:
        self.connection = connection
        self.request = request
        self.extra: list[tuple[str, str]] = []
        self.prepared = False  # for a stream, though none has begun
        self.early_lines = False  # an error before a stream's first chunk is a line too, as before v0.12.6
        self.arrived = time.monotonic_ns()
        self.keeps_open = request.version == "HTTP/1.1" and "close" not in request.headers.get("connection", "").lower()

    @property
    def path(self) -> str:
        """The path asked for, without its query."""
        return self.request.path.partition("?")[0]

    def reply(self, status: int, content_type: str | None, body: bytes = b"", **headers: str) -> None:
        """Send a whole reply with Go's headers, in Go's order."""
        own = [(name.replace("_", "-"), value) for name, value in headers.items()]
        if content_type:
            own.append(("Content-Type", content_type))
        if self.request.method == "HEAD" and not body:
            self.connection.send(self._head(status, own, None, bodyless=True))
            return
        chunked = len(body) > _ONE_PIECE and self.request.version == "HTTP/1.1"
        length = None if chunked or status == 204 else len(body)
        head = self._head(status, own, length)
        if self.request.method == "HEAD":
            body = b""
        elif chunked:
            body = frame(body) + b"0\r\n\r\n"
        self.connection.send(head + body)
        self.request.chunks = 1 if body else 0

    def json(self, value: object, status: int = 200, content_type: str = "application/json; charset=utf-8") -> None:
        """Send one JSON object."""
        self.reply(status, content_type, go_json(value).encode())

    def error(self, text: str, status: int, late: bool = False) -> None:
        """Send an error; one that comes late, before a stream's first chunk, is chunked and has no charset."""
        if late and self.prepared and self.early_lines:
            self.send_lines([(go_json({"error": text}) + "\n").encode()], self.start_stream(), last=True)
        elif late and self.prepared:
            head = self.start_stream("application/json", status)
            self.send_lines([go_json({"error": text}).encode()], head, last=True)
        else:
            self.json({"error": text}, status)

    def start_stream(self, content_type: str = "application/x-ndjson", status: int = 200) -> bytes:
        """The head of a chunked reply, to be sent together with its first chunk (protocol.md §1)."""
        return self._head(status, [("Content-Type", content_type)], None)

    def send_lines(self, lines: Sequence[bytes], head: bytes = b"", last: bool = False) -> None:
        """Send each line as one HTTP chunk, all of them in as few writes as possible."""
        frames = [frame(line) for line in lines]
        ends = list(accumulate((len(part) for part in frames), initial=len(head)))[1:]
        data = head + b"".join(frames) + (b"0\r\n\r\n" if last else b"")
        try:
            self.request.chunks += self.connection.send_counted(data, ends)
        except ClientLeft as left:
            self.request.chunks += left.args[0]
            raise

    def _head(self, status: int, own: list[tuple[str, str]], length: int | None, bodyless: bool = False) -> bytes:
        fields = sorted([*own, *self.extra], key=lambda item: item[0])
        fields.append(("Date", formatdate(usegmt=True)))
        if length is not None:
            fields.append(("Content-Length", str(length)))
        if not self.keeps_open:
            fields.append(("Connection", "close"))
        if length is None and status != 204 and not bodyless:
            fields.append(("Transfer-Encoding", "chunked"))
        lines = [f"HTTP/1.1 {status} {_reason(status)}", *(f"{name}: {value}" for name, value in fields), "", ""]
        return "\r\n".join(lines).encode("latin-1", "replace")


def _reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def frame(line: bytes) -> bytes:
    """One HTTP chunk."""
    return b"%x\r\n%s\r\n" % (len(line), line)
