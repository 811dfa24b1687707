"""Every scripted fault, seen from a raw socket, and the closing of connections by the client."""

from __future__ import annotations

import json
import socket
import threading
from typing import TYPE_CHECKING

import pytest

from tests.demo.asking import Answer, ask, chat, connected, read, request
from tests.double import Delta, Fault, ScriptedServer, nobody

if TYPE_CHECKING:
    from collections.abc import Iterator

BODY = {"model": "demo", "messages": [{"role": "user", "content": "Hi"}]}


def answer(fault: Fault, **fields: object) -> Answer:
    with ScriptedServer(
        pace=0, faults=[fault], answers=lambda _body: ["one ", "two ", "three ", "four ", "five"]
    ) as server:
        return chat(server.url, "Hi", **fields)


def test_nobody_listens() -> None:
    """At the address of `nobody()` a connection is refused."""
    with pytest.raises(ConnectionRefusedError):
        connected(nobody())


def test_slow_first_byte() -> None:
    """Nothing is sent, not even a header, while the server is silent at first; then the whole answer comes."""
    with ScriptedServer(pace=0, faults=[Fault("silence_first", seconds=1)]) as server, connected(server.url) as sock:
        sock.sendall(request("POST", "/api/chat", BODY))
        sock.settimeout(0.1)
        with pytest.raises(TimeoutError):
            sock.recv(1)
        sock.settimeout(5)
        assert read(sock).lines[-1]["done"]


def test_error_before_the_first_chunk() -> None:
    """An early error has its status, and is one JSON object."""
    reply = answer(Fault("error_first", status=503, error="server busy"))
    assert (reply.status, reply.body) == (503, b'{"error":"server busy"}')
    assert answer(Fault("error_first", status=403, body=b"")).body == b""


@pytest.mark.parametrize("kind", ["reset_first", "close_first"])
def test_no_reply_at_all(kind: str) -> None:
    """The connection ends without a byte."""
    reply = answer(Fault(kind))
    assert not reply.status_line
    assert not reply.complete


def test_html_page() -> None:
    """A web page comes instead of an answer."""
    reply = answer(Fault("html"))
    assert (reply.status, dict(reply.headers)["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert reply.body.startswith(b"<!DOCTYPE html>")


def test_raw_bytes() -> None:
    """Whatever bytes a test wants are sent as they stand."""
    reply = answer(
        Fault("raw", body=b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n")
    )
    assert reply.status == 302


def test_error_in_mid_stream() -> None:
    """After three chunks an error line comes, the status stays 200, and the body ends properly."""
    reply = answer(Fault("error_line", error="boom"))
    assert [line.get("error") for line in reply.lines] == [None, None, None, "boom"]
    assert (reply.status, reply.complete) == (200, True)


def test_missing_done() -> None:
    """The body ends properly, though no line says that the answer is done."""
    reply = answer(Fault("no_done", after=2))
    assert reply.text == "one two "
    assert reply.complete
    assert not any(line["done"] for line in reply.lines)


@pytest.mark.parametrize("kind", ["drop", "close"])
def test_dropped_socket(kind: str) -> None:
    """The connection breaks after the chunks that were sent, without the last one."""
    reply = answer(Fault(kind, after=2))
    assert not reply.complete
    assert reply.text in ("one two ", "")  # a reset may overtake what was sent before it


def test_half_a_line() -> None:
    """The last line is cut in the middle."""
    reply = answer(Fault("half_line", after=1))
    whole, half = reply.chunks
    assert json.loads(whole)
    assert half.startswith(b'{"model"')
    assert not half.endswith(b"\n")


def test_garbage_line() -> None:
    """A line that is no JSON stands among the others, and the answer goes on."""
    reply = answer(Fault("garbage_line", after=1))
    assert reply.chunks[1] == b"this is no JSON\n"
    assert json.loads(reply.chunks[-1])["done"]


def test_wrong_content_type() -> None:
    """The stream is named something else."""
    assert dict(answer(Fault("content_type", error="text/plain")).headers)["Content-Type"] == "text/plain"


def test_script_of_one_request() -> None:
    """One request gets the deltas of the script, thinking and content, and the next the usual answer."""
    script = [Delta(thinking="hm"), "yes", Delta("!", wait=0.01)]
    with ScriptedServer(pace=0, faults=[Fault("script", script=script)]) as server:
        first, second = chat(server.url, "Hi"), chat(server.url, "Hi")
    said = [(line["message"].get("thinking"), line["message"]["content"]) for line in first.lines]
    assert said == [("hm", ""), (None, "yes"), (None, "!"), (None, "")]
    assert "demo" in second.text


@pytest.mark.parametrize(("kind", "status"), [("error_line", 500), ("no_done", 200), ("half_line", 200)])
def test_faults_of_a_reply_in_one_piece(kind: str, status: int) -> None:
    """A reply that is not streamed has the fault too."""
    reply = answer(Fault(kind), stream=False)
    assert reply.status == status
    assert b'"done":true' not in reply.body


def test_a_fault_strikes_its_own_path_once() -> None:
    """A fault waits for a request for its path, and is used up by it; more may be added at any time."""
    with ScriptedServer(pace=0, faults=[Fault("error_first", path="/api/tags", status=500)]) as server:
        assert ask(server.url, path="/api/ps").status == 200
        assert [ask(server.url, path="/api/tags").status for _ in range(2)] == [500, 200]
        server.faults.append(Fault("html", path="/api/version"))
        assert b"<html>" in ask(server.url, path="/api/version").body


def test_a_leaving_client_is_noticed_while_silent() -> None:
    """When the client closes during silence the server notices at once, and tells it."""
    with ScriptedServer(faults=[Fault("silence_first")]) as server:
        sock = connected(server.url)
        sock.sendall(request("POST", "/api/chat", BODY))
        (seen,) = server.wait_for_requests()
        sock.close()
        assert seen.wait(2)
    assert (seen.closed_early, seen.chunks) == (True, 0)


def test_a_leaving_client_is_noticed_in_mid_stream() -> None:
    """When the client closes in mid-stream the record says so, and after how many chunks."""
    with ScriptedServer(faults=[Fault("silence", after=3)], pace=0) as server:
        sock = connected(server.url)
        sock.sendall(request("POST", "/api/chat", BODY))
        got = b""
        while got.count(b'"done":false') < 3:
            got += sock.recv(65536)
        sock.close()
        (seen,) = server.wait_for_requests()
        assert seen.wait(2)
    assert (seen.closed_early, seen.chunks) == (True, 3)


def test_an_endless_stream_ends_with_its_client() -> None:
    """An answer without end goes on until the client has had enough."""
    with ScriptedServer(faults=[Fault("endless")]) as server:
        sock = connected(server.url)
        sock.sendall(request("POST", "/api/chat", BODY))
        size = 0
        while size < 2_000_000:
            size += len(sock.recv(65536))
        sock.close()
        (seen,) = server.wait_for_requests()
        assert seen.wait(2)
    assert seen.closed_early
    assert seen.chunks > 10_000


def test_an_answer_that_was_read_is_not_closed_early() -> None:
    """A client that reads to the end leaves a record of all chunks."""
    with ScriptedServer(pace=0) as server:
        reply = chat(server.url, "Hi")
        (seen,) = server.wait_for_requests()
        assert seen.wait(2)
    assert (seen.closed_early, seen.chunks) == (False, len(reply.chunks))
    assert seen.json["messages"] == [{"role": "user", "content": "Hi"}]


def test_stopping_closes_every_connection() -> None:
    """When the server stops, a silent stream ends and its port refuses connections."""
    server = ScriptedServer(faults=[Fault("silence_first")]).start()
    url = server.url
    with connected(url) as sock:
        sock.sendall(request("POST", "/api/chat", BODY))
        server.wait_for_requests()
        server.stop()
        assert not read(sock).complete
    with pytest.raises(ConnectionError):
        connected(url).recv(1)
    server.stop()


def test_twenty_clients_at_once() -> None:
    """Twenty streams run side by side: each waits in its middle until all have come so far."""
    replies: list[Answer] = []
    together = threading.Barrier(20, timeout=10)

    def answers(_body: dict) -> Iterator[str]:
        yield "before "
        together.wait()
        yield "after"

    with ScriptedServer(pace=0, answers=answers) as server:
        threads = [threading.Thread(target=lambda: replies.append(chat(server.url, "Hi"))) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert [reply.text for reply in replies] == ["before after"] * 20


def test_a_connection_serves_several_requests() -> None:
    """A connection stays open after a whole reply and after a whole stream."""
    with ScriptedServer(pace=0, answers=lambda _body: ["a"]) as server, connected(server.url) as sock:
        for path, body in (("/api/chat", BODY), ("/api/version", None), ("/api/chat", BODY)):
            method = "POST" if body else "GET"
            sock.sendall(request(method, path, body, {"Connection": "keep-alive"}))
            got = b""
            while not got.endswith((b"0\r\n\r\n", b"}")):
                got += sock.recv(65536)
            assert got.startswith(b"HTTP/1.1 200 OK")


def test_a_long_answer_as_fast_as_possible() -> None:
    """32,000 tokens come one chunk each, whole, in few writes."""
    with ScriptedServer(pace=0, answers=lambda _body: ["token "] * 32_000) as server:
        reply = chat(server.url, "Hi")
    assert len(reply.chunks) == 32_001
    assert reply.text == "token " * 32_000


def test_bytes_that_are_no_http() -> None:
    """What is no HTTP request is refused, and the server lives on."""
    with ScriptedServer() as server:
        for nonsense in (b"\x16\x03\x01 hello\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n"):
            with connected(server.url) as sock:
                sock.sendall(nonsense)
                sock.shutdown(socket.SHUT_WR)
                assert read(sock).status == 400
        assert ask(server.url).body == b"Ollama is running"
