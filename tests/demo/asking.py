"""A client on a raw socket, and the shape of what it gets: no HTTP library may smooth over a difference."""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass
class Answer:
    """A reply as it came; `chunks` are those of HTTP, `complete` tells whether its end was seen."""

    status_line: str
    headers: list[tuple[str, str]]
    chunks: list[bytes]
    complete: bool

    @property
    def status(self) -> int:
        return int(self.status_line.split()[1])

    @property
    def body(self) -> bytes:
        return b"".join(self.chunks)

    @property
    def lines(self) -> list[dict]:
        return [json.loads(line) for line in self.body.splitlines()]

    @property
    def text(self) -> str:
        return "".join(line["message"]["content"] for line in self.lines)


def ask(
    url: str, method: str = "GET", path: str = "/", body: str | bytes | dict | None = None, **headers: str
) -> Answer:
    """One request on a connection of its own."""
    with connected(url) as sock:
        sock.sendall(request(method, path, body, headers))
        return read(sock)


def chat(url: str, *prompts: str, **fields: object) -> Answer:
    """A chat with the demo model; prompts are the user's, with `…` as the answers between."""
    messages = []
    for prompt in prompts:
        messages += [{"role": "user", "content": prompt}, {"role": "assistant", "content": "…"}]
    return ask(url, "POST", "/api/chat", {"model": "demo", "messages": messages[:-1], **fields})


def connected(url: str) -> socket.socket:
    parts = urlsplit(url)
    return socket.create_connection((parts.hostname, parts.port), 10)


def request(method: str, path: str, body: str | bytes | dict | None, headers: dict[str, str] | None = None) -> bytes:
    """The bytes of a request that asks to close the connection."""
    if isinstance(body, dict):
        body = json.dumps(body)
    data = body.encode() if isinstance(body, str) else body or b""
    given = {"Host": "127.0.0.1:11434", "Connection": "close", **(headers or {})}
    if body is not None:
        given["Content-Length"] = str(len(data))
    head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in given.items())
    return f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + data


def read(sock: socket.socket) -> Answer:
    """The whole reply, until the server closes."""
    data, reset = bytearray(), False
    while True:
        try:
            piece = sock.recv(1 << 20)
        except ConnectionError:
            reset = True
            break
        if not piece:
            break
        data += piece
    return parsed(bytes(data), reset)


def parsed(data: bytes, reset: bool = False) -> Answer:
    head, _, rest = data.partition(b"\r\n\r\n")
    first, *fields = head.decode("latin-1").split("\r\n")
    headers = [tuple(line.split(": ", 1)) for line in fields]
    if dict(headers).get("Transfer-Encoding") != "chunked":
        return Answer(first, headers, [rest] if rest else [], bool(data) and not reset)
    chunks, place = [], 0
    while (end := rest.find(b"\r\n", place)) >= 0:
        length = int(rest[place:end], 16)
        if not length:
            return Answer(first, headers, chunks, True)
        chunks.append(rest[end + 2 : end + 2 + length])
        place = end + 2 + length + 2
    return Answer(first, headers, chunks, False)


def shape(body: str, status: int) -> object:
    """Errors and plain texts as they stand; of objects the keys in their order; each kind of line once."""
    if status >= 300 or not body.startswith("{"):
        return body
    shapes: list[object] = []
    for line in body.splitlines():
        one = _shape(json.loads(line))
        if one not in shapes:
            shapes.append(one)
    return shapes


def _shape(value: object) -> object:
    if isinstance(value, dict):
        return [[key, "object" if key == "model_info" else _shape(item)] for key, item in value.items()]
    if isinstance(value, list):
        return ["list", _shape(value[0])] if value else ["list"]
    return type(value).__name__
