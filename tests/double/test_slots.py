"""Requests that wait for one another: one answer at a time for each weights file, a queue, a model that is blocked."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.demo.asking import ask, connected, read, request
from tests.demo.lines import loaded, post
from tests.double import DEMO, PLAIN, Fault, ScriptedServer

if TYPE_CHECKING:
    import socket

MESSAGES = [{"role": "user", "content": "Hi"}]
BODY = {"model": "demo", "messages": MESSAGES}


def begin(sock: socket.socket, model: str = "demo") -> None:
    sock.sendall(request("POST", "/api/chat", {"model": model, "messages": MESSAGES}))


def is_silent(sock: socket.socket) -> bool:
    sock.settimeout(0.1)
    try:
        return not sock.recv(1)
    except TimeoutError:
        return True
    finally:
        sock.settimeout(5)


def test_the_second_request_waits() -> None:
    """Of one model, or a copy of it, one answer is made at a time; another model answers meanwhile."""
    slow = Fault("silence", after=1)
    with ScriptedServer(pace=0, models=[DEMO, PLAIN], faults=[slow], parallel=1) as server:
        post(server, "copy", source="demo", destination="twin")
        with connected(server.url) as first, connected(server.url) as second:
            begin(first)
            assert first.recv(65536)
            begin(second, "twin")
            server.wait_for_requests(2)
            assert is_silent(second)
            assert post(server, "chat", model="demo-plain", messages=MESSAGES).lines[-1]["done"]
            first.close()
            assert read(second).lines[-1]["done"]


def test_a_full_queue_refuses() -> None:
    """One runs, one waits; the third gets 503 at once."""
    with (
        ScriptedServer(pace=0, faults=[Fault("silence", after=1)], parallel=1, queue=1) as server,
        connected(server.url) as first,
        connected(server.url) as second,
    ):
        begin(first)
        assert first.recv(65536)
        begin(second)
        server.wait_for_requests(2)
        assert is_silent(second)
        refused = ask(server.url, "POST", "/api/chat", BODY)
    assert refused.status == 503
    text = "server busy, please try again.  maximum pending requests exceeded"
    assert json.loads(refused.body) == {"error": text}


def test_one_that_waits_can_leave() -> None:
    """A client that does not wait is forgotten, and the next one is answered."""
    with ScriptedServer(pace=0, faults=[Fault("silence", after=1)], parallel=1, queue=1) as server:
        with connected(server.url) as first:
            begin(first)
            assert first.recv(65536)
            with connected(server.url) as second:
                begin(second)
                server.wait_for_requests(2)
            assert server.requests[1].wait()
            assert server.requests[1].closed_early
        assert post(server, "chat", **BODY).lines[-1]["done"]


def test_a_cancel_can_block_the_model() -> None:
    """Later requests hang before the headers, the rest of the server answers, and an unload is the cure."""
    body = {"kind": "cancel_blocks"}
    with ScriptedServer(faults=[Fault(**body)], answers=lambda _body: ["word "] * 10_000) as server:
        with connected(server.url) as first:
            begin(first)
            assert first.recv(65536)
        assert server.requests[0].wait()
        with connected(server.url) as second:
            begin(second)
            assert is_silent(second)
            assert loaded(server)
            assert post(server, "generate", model="demo", keep_alive=0).status == 200
            assert second.recv(65536).startswith(b"HTTP/1.1 200")
