"""Nobody at the address: what the line says for each way of not being there."""

from __future__ import annotations

import socket

import pytest

from ollama_magic.errors import ServerUnreachable
from ollama_magic.ollama.client import Limits
from tests.ollama.raw_server import RawServer, answering, closed_port
from tests.ollama.reading import END, SHORT, ask, line, one_readable


def test_nobody_at_the_address_is_the_line_of_the_design(monkeypatch):
    """A refused loopback names the address and the two ways on, and inside a container says that it is one."""
    address = f"127.0.0.1:{closed_port()}"
    monkeypatch.setattr("ollama_magic.ollama.connection_errors.in_container", lambda: False)
    line_ = f"No Ollama server at http://{address}; start one with `ollama serve`, or try `%ollama demo`."
    answer = ask(address)
    assert isinstance(answer.error, ServerUnreachable)
    assert answer.line == line_
    monkeypatch.setattr("ollama_magic.ollama.connection_errors.in_container", lambda: True)
    assert ask(address).line.startswith(f"{line_} 127.0.0.1 is this container")


def test_the_address_is_shown_as_it_was_configured(monkeypatch):
    """Who wrote 0.0.0.0 reads 0.0.0.0 in the line about it, though the loopback is asked."""
    monkeypatch.setattr("ollama_magic.ollama.connection_errors.in_container", lambda: False)
    port = closed_port()
    assert f"http://0.0.0.0:{port};" in ask(f"0.0.0.0:{port}").line


def test_an_unknown_machine_is_named():
    """A host name that does not resolve is named in the line."""
    answer = ask("no-such-machine.invalid", Limits(connect=5))
    assert isinstance(answer.error, ServerUnreachable)
    assert one_readable(answer.line)
    assert "no-such-machine.invalid" in answer.line


def test_a_connect_that_hangs_ends_after_its_time():
    """A machine that never accepts is given up after the connect time, in one line."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=0)
    port = listener.getsockname()[1]
    fillers = [socket.socket() for _ in range(4)]
    try:
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
        answer = ask(f"127.0.0.1:{port}", Limits(connect_loopback=0.2))
    finally:
        for sock in (*fillers, listener):
            sock.close()
    assert isinstance(answer.error, ServerUnreachable)
    assert "nobody answered within 0.2 s" in answer.line


def test_ipv6_loopback_answers():
    """A bare IPv6 address reaches a server that listens there."""
    try:
        server = RawServer(answering(line("one "), line("two"), END), host="::1")
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")
    with server:
        assert ask(server.address, SHORT).text == "one two"
