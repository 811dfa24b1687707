"""What a server, or something that is none, may do to a request: the outcome, the text kept, and one line."""

from __future__ import annotations

import gzip
import json
import re

import pytest

from ollama_magic.errors import OllamaMagicError, ServerError
from ollama_magic.ollama.client import Limits
from tests.ollama.raw_server import NDJSON, Connection, RawServer
from tests.ollama.reading import END, ask, line, one_readable

HTML = b"<html><head><title>Router</title></head><body>Log in</body></html>"


def _reply(status: str, content_type: str, body: bytes, *headers: str):
    head = "\r\n".join(
        [f"HTTP/1.1 {status}", f"Content-Type: {content_type}", f"Content-Length: {len(body)}", *headers]
    )

    def script(connection: Connection) -> None:
        connection.request()
        connection.send(head.encode() + b"\r\n\r\n" + body)
        connection.until_left()

    return script


def _stream(*bodies: bytes, then: str = "end"):
    def script(connection: Connection) -> None:
        connection.request()
        connection.stream(*bodies, end=then == "end")
        _finish(connection, then)

    return script


def _raw(*pieces: bytes, then: str = "close"):
    def script(connection: Connection) -> None:
        connection.request()
        connection.send(*pieces)
        _finish(connection, then)

    return script


def _finish(connection: Connection, then: str) -> None:
    if then == "silence":
        connection.until_left()
    elif then == "reset":
        connection.reset()
    else:
        connection.close()


def _unasked(connection: Connection) -> None:
    connection.reset()


def _json(status: str, value: object, *headers: str):
    return _reply(status, "application/json; charset=utf-8", json.dumps(value).encode(), *headers)


def _packed(data: bytes, encoding: str = "gzip"):
    return _reply("200 OK", "application/x-ndjson", data, f"Content-Encoding: {encoding}")


TWO = (line("one "), line("two"))
BROKEN_UTF8 = line("日")[:60].replace(b"\\u65e5", "日".encode()[:2])

BEFORE = {
    "reset at once": (_unasked, OllamaMagicError, "hung up|connection reset"),
    "closed at once": (lambda c: c.close(), OllamaMagicError, "hung up|connection reset"),
    "closed after the request": (_raw(), ServerError, "hung up without an answer"),
    "reset after the request": (_raw(then="reset"), ServerError, "hung up"),
    "half a status line": (_raw(b"HTTP/1.1 2"), ServerError, "hung up"),
    "half a header": (_raw(b"HTTP/1.1 200 OK\r\nContent-Ty", then="reset"), ServerError, "hung up"),
    "silence before the headers": (_raw(then="silence"), ServerError, "said nothing for 0.5 s; .* run this again"),
    "silence in the headers": (
        _raw(b"HTTP/1.1 200 OK\r\n", then="silence"),
        ServerError,
        "said nothing for 0.5 s; .* run this again",
    ),
    "no HTTP": (
        _raw(b"SSH-2.0-OpenSSH_9.6\r\nInvalid SSH identification string.\r\n\r\n"),
        ServerError,
        "does not speak HTTP",
    ),
    "TLS alert": (_raw(b"\x15\x03\x01\x00\x02\x02\x46"), ServerError, "does not speak HTTP|hung up"),
    "giant header": (_raw(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 300_000), ServerError, "headers that are too large"),
    "endless headers": (
        lambda c: (c.request(), c.send(b"HTTP/1.1 200 OK\r\n"), c.flood(b"X-Y: z\r\n" * 1000, 50_000_000)),
        ServerError,
        "headers that are too large|hung up",
    ),
    "nothing after the headers": (_stream(), ServerError, "its body is empty"),
    "blank lines only": (_stream(b"\n", b"\n\n"), ServerError, "its body is empty"),
    "reset after the headers": (_stream(then="reset"), ServerError, "the connection was reset"),
    "silence after the headers": (_stream(then="silence"), ServerError, "fell silent for 0.3 s"),
    "bad chunk framing": (_raw(NDJSON + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"), ServerError, "violated HTTP"),
    "web page": (_reply("200 OK", "text/html", HTML), ServerError, "not Ollama: it answered with a web page .200."),
    "web page 404": (_reply("404 Not Found", "text/html; charset=x", HTML), ServerError, "web page .404."),
    "web page 502": (_reply("502 Bad Gateway", "text/html", HTML), ServerError, "web page .502."),
    "redirect": (_reply("302 Found", "text/plain", b"", "Location: https://x.y/z"), ServerError, "to https://x.y/z"),
    "redirect nowhere": (_reply("301 Moved", "text/plain", b""), ServerError, "without a location"),
    "redirect to nonsense": (_reply("302 Found", "text/plain", b"", "Location: http://[x"), ServerError, "redirects"),
    "refused host": (_reply("403 Forbidden", "text/plain", b""), ServerError, "Host or Origin"),
    "signed out": (
        _json("401 Unauthorized", {"error": "unauthorized", "signin_url": "https://ollama.com/connect?k=1"}),
        ServerError,
        "open https://ollama.com/connect.k=1",
    ),
    "bad key": (_json("401 Unauthorized", {"error": "unauthorized"}), ServerError, "OLLAMA_API_KEY"),
    "no such path": (_reply("404 Not Found", "text/plain", b"404 page not found"), ServerError, "has no /api/chat"),
    "queue full": (
        _json("503 X", {"error": "server busy, please try again."}),
        ServerError,
        "busy .*again in a moment",
    ),
    "too many": (_json("429 X", {"StatusCode": 429, "Status": "429 Too Many", "error": ""}), ServerError, "too many"),
    "plain 500": (_reply("500 Oops", "text/plain", b"boom\nbang"), ServerError, r"failed \(500: boom bang\)"),
    "empty 500": (_reply("500 Oops", "text/plain", b""), ServerError, r"failed \(500, without a reason\)"),
    "TLS port": (
        _reply("400 Bad Request", "text/plain", b"Client sent an HTTP request to an HTTPS server.\n"),
        ServerError,
        "write https://",
    ),
    "error with escapes": (_json("500 X", {"error": "\x1b[2J<b>\n\nbad"}), ServerError, "<b> bad"),
    "runner's own JSON": (
        _json("400 X", {"error": json.dumps({"error": {"code": 400, "message": "exceeds the context size"}})}),
        ServerError,
        "exceeds the context size; shorten the prompt",
    ),
    "endless error": (
        lambda c: (c.request(), c.send(b"HTTP/1.1 500 X\r\n\r\n"), c.flood(b"x" * 65536, 50_000_000)),
        ServerError,
        "failed .500",
    ),
    "broken gzip": (_packed(b"\x1f\x8b\x08 not gzip at all"), ServerError, "compression cannot be read"),
    "unknown packing": (_packed(b"abc", "br"), ServerError, "compression cannot be read"),
}


@pytest.mark.parametrize(("script", "kind", "says"), BEFORE.values(), ids=BEFORE.keys())
def test_a_fault_before_any_text_is_one_line(script, kind, says):
    """What goes wrong before the first text raises one readable line of our own, with nothing foreign behind it."""
    limits = Limits(connect_loopback=2, first_byte=0.5, silence=0.3, look=2)
    with RawServer(script) as server:
        answer = ask(server.address, limits)
    assert (answer.state, answer.text) == ("failed", "")
    assert isinstance(answer.error, kind)
    assert one_readable(answer.line)
    assert re.search(says, answer.line), answer.line
    assert answer.error.__cause__ is None
    assert answer.error.__context__ is None


DURING = {
    "whole": (_stream(*TWO, END), "complete", "one two", ""),
    "whole, reset behind it": (_stream(*TWO, END, then="reset"), "complete", "one two", ""),
    "whole, silent behind it": (_stream(*TWO, END, then="silence"), "complete", "one two", ""),
    "no end mark": (_stream(*TWO), "cut", "one two", ""),
    "closed": (_stream(*TWO, then="close"), "cut", "one two", "hung up in the middle of the answer"),
    "reset": (_stream(*TWO, then="reset"), "cut", "one two", "was reset"),
    "silent": (_stream(*TWO, then="silence"), "cut", "one two", "fell silent for 0.3 s"),
    "cut in a line": (_stream(*TWO, line("three")[:30]), "cut", "one two", ""),
    "closed in a line": (_stream(*TWO, line("three")[:30], then="close"), "cut", "one two", "hung up"),
    "silent in a line": (_stream(*TWO, line("three")[:30], then="silence"), "cut", "one two", "fell silent"),
    "reset in a character": (_stream(*TWO, BROKEN_UTF8, then="reset"), "cut", "one two", "was reset"),
    "closed in a chunk": (
        _raw(NDJSON + b"Transfer-Encoding: chunked\r\n\r\n", b"fff\r\n" + TWO[0]),
        "cut",
        "one ",
        "hung up",
    ),
    "no newline at the end": (_stream(*TWO, END.rstrip()), "complete", "one two", ""),
    "no framing": (_raw(NDJSON + b"\r\n", *TWO, END), "complete", "one two", ""),
    "no framing, no end": (_raw(NDJSON + b"\r\n", *TWO), "cut", "one two", ""),
    "short of its length": (_raw(NDJSON + b"Content-Length: 9999\r\n\r\n", *TWO), "cut", "one two", "hung up"),
    "error line": (_stream(*TWO, b'{"error":"runner crashed"}\n'), "failed", "one two", "runner crashed"),
    "error first": (_stream(b'{"error":"no memory"}\n'), "failed", "", "no memory"),
    "garbage line": (_stream(*TWO, b"time=1 level=WARN\n", END), "failed", "one two", "not JSON: time=1 level=WARN"),
    "HTML without saying so": (_stream(HTML + b"\n"), "failed", "", "not JSON: <html>"),
    "30 headers": (
        _raw(NDJSON + b"".join(b"X-%d: %s\r\n" % (i, b"v" * 500) for i in range(30)) + b"\r\n", *TWO, END),
        "complete",
        "one two",
        "",
    ),
    "hints before the answer": (
        _raw(b"HTTP/1.1 103 Hints\r\n\r\n" * 3 + NDJSON + b"\r\n", *TWO, END),
        "complete",
        "one two",
        "",
    ),
    "other content type": (
        _raw(b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n\r\n", *TWO, END),
        "complete",
        "one two",
        "",
    ),
    "no content type": (_raw(b"HTTP/1.1 200 OK\r\n\r\n", *TWO, END), "complete", "one two", ""),
    "gzip": (_packed(gzip.compress(b"".join((*TWO, END)))), "complete", "one two", ""),
    "half a gzip": (_packed(gzip.compress(b"".join(TWO))[:-12]), "cut", None, ""),
}


@pytest.mark.parametrize(("script", "state", "text", "says"), DURING.values(), ids=DURING.keys())
def test_a_fault_in_mid_answer_keeps_the_text(script, state, text, says):
    """What goes wrong in mid-answer keeps all the text that came, and says in one clause why it ended."""
    with RawServer(script) as server:
        answer = ask(server.address)
    assert answer.state == state
    if text is not None:
        assert answer.text == text
    assert says in answer.line
    assert not answer.line or one_readable(answer.line)


SMALL = Limits(line_bytes=20_000, answer_bytes=200_000, first_byte=5, silence=5)
FLOOD = 50_000_000
FLOODS = {
    "giant line": (_stream(*TWO, line("x" * 30_000), END), "more than 20,000 bytes"),
    "endless line": (
        lambda c: (c.request(), c.send(NDJSON + b"\r\n", *TWO, b'{"message":{"content":"'), c.flood(b"x" * 999, FLOOD)),
        "more than 20,000 bytes",
    ),
    "endless answer": (
        lambda c: (c.request(), c.send(NDJSON + b"\r\n", *TWO), c.flood(line("x" * 100) * 50, FLOOD)),
        "longer than 200,000 bytes",
    ),
    "endless blank lines": (
        lambda c: (c.request(), c.send(NDJSON + b"\r\n", *TWO), c.flood(b"\n" * 10_000, FLOOD)),
        "longer than 200,000 bytes",
    ),
}


@pytest.mark.parametrize(("script", "says"), FLOODS.values(), ids=FLOODS.keys())
def test_a_flood_is_cut_at_its_limit(script, says):
    """An endless line or answer is cut at the limit, the text so far is kept, and the connection is closed."""
    with RawServer(script) as server:
        answer = ask(server.address, SMALL)
    assert answer.state == "cut"
    assert answer.text.startswith("one two")
    assert len(answer.text) <= SMALL.answer_bytes
    assert says in answer.line
    assert one_readable(answer.line)


def test_a_gzip_bomb_is_cut_at_the_limit_of_its_unpacked_bytes():
    """A packed body counts as what it unpacks to, so that a bomb cannot fill the memory."""
    bomb = gzip.compress(line("boom" * 100) * 200_000)
    with RawServer(_packed(bomb)) as server:
        answer = ask(server.address, SMALL)
    assert answer.state != "complete"
    assert len(answer.text) <= SMALL.answer_bytes
    assert "longer than 200,000 bytes" in answer.line
