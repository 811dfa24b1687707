"""Connections: used again, tried again once, closed at once when a turn is stopped, and one set for each loop."""

from __future__ import annotations

import asyncio
import socket
from contextlib import aclosing, suppress

import pytest

from ollama_magic.errors import ServerError
from ollama_magic.ollama.address import parse_address
from ollama_magic.ollama.client import Limits, OllamaClient
from tests.ollama.raw_server import PATIENCE, Connection, RawServer, answering
from tests.ollama.reading import END, REQUEST, Answer, line, read

WHOLE = answering(line("hello"), END)


def _run(address: str, job, limits: Limits = Limits()):  # noqa: B008
    async def run():
        client = OllamaClient(parse_address(address), limits=limits)
        try:
            return await job(client)
        finally:
            await client.aclose()

    return asyncio.run(run())


async def _twice(client: OllamaClient) -> tuple[Answer, Answer]:
    return await read(client.stream_chat(REQUEST)), await read(client.stream_chat(REQUEST))


def test_a_connection_is_used_again():
    """A second turn goes over the connection of the first."""
    with RawServer(WHOLE) as server:
        first, second = _run(server.address, _twice)
        assert (first.text, second.text) == ("hello", "hello")
        assert server.connections == 1


def test_a_reader_that_leaves_at_the_end_mark_does_not_cost_the_connection():
    """Also when a turn stops reading at its last chunk, the next goes over the same connection."""

    async def leave_at_the_end(client: OllamaClient) -> None:
        for _ in range(3):
            async with aclosing(client.stream_chat(REQUEST)) as chunks:
                async for chunk in chunks:
                    if chunk.done:
                        break

    with RawServer(WHOLE) as server:
        _run(server.address, leave_at_the_end)
        assert server.connections == 1
        assert len(server.requests) == 3


def _once_then(fault):
    def script(connection: Connection) -> None:
        connection.request()
        connection.stream(line("hello"), END)
        connection.request()
        fault(connection)

    return script


@pytest.mark.parametrize("fault", [Connection.reset, Connection.close], ids=["reset", "closed"])
def test_a_dead_connection_from_before_is_replaced_silently(fault):
    """A request on a used connection that dies before any byte is sent once more, on a fresh one."""
    with RawServer(_once_then(fault), WHOLE) as server:
        _, second = _run(server.address, _twice)
        assert (second.state, second.text) == ("complete", "hello")
        assert (server.connections, len(server.requests)) == (2, 3)


def test_there_is_one_retry_and_no_more():
    """If the fresh connection fails as well, that is told."""

    def fail(connection: Connection) -> None:
        connection.request()
        connection.reset()

    with RawServer(_once_then(Connection.reset), fail) as server:
        _, second = _run(server.address, _twice)
        assert second.state == "failed"
        assert (server.connections, len(server.requests)) == (2, 3)


def test_a_fresh_connection_is_never_tried_again():
    """What may have been a first request is not sent twice."""

    def fail(connection: Connection) -> None:
        connection.request()
        connection.reset()

    with RawServer(fail) as server:
        answer = _run(server.address, lambda client: read(client.stream_chat(REQUEST)))
        assert answer.state == "failed"
        assert (server.connections, len(server.requests)) == (1, 1)


def test_nothing_is_sent_again_once_an_answer_began():
    """A used connection that breaks after its headers is not tried again."""

    def break_off(connection: Connection) -> None:
        connection.stream(end=False)
        connection.reset()

    with RawServer(_once_then(break_off), WHOLE) as server:
        _, second = _run(server.address, _twice)
        assert second.state == "failed"
        assert len(server.requests) == 2


def _silent(connection: Connection) -> None:
    connection.request()
    connection.until_left()


def _silent_stream(connection: Connection) -> None:
    connection.request()
    connection.stream(line("hello"), end=False)
    connection.until_left()


def _busy_stream(connection: Connection) -> None:
    connection.request()
    connection.stream(end=False)
    try:
        while True:
            connection.chunks(line("hello"), end=False)
    finally:
        connection._server.left.set()


def _half_a_header(connection: Connection) -> None:
    connection.request()
    connection.send(b"HTTP/1.1 200 OK\r\n")
    connection.until_left()


PHASES = {
    "waiting for headers": (_silent, 0),
    "in the headers": (_half_a_header, 0),
    "after the headers": (_silent_stream, 1),
    "in a silent stream": (_silent_stream, 2),
    "in a busy stream": (_busy_stream, 50),
}


@pytest.mark.parametrize(("script", "chunks"), PHASES.values(), ids=PHASES.keys())
def test_a_cancelled_turn_hangs_up(script, chunks):
    """Cancelling the task closes the connection, so that the server stops computing."""

    async def stop(client: OllamaClient) -> list[str]:
        got: list[str] = []
        enough = asyncio.Event()

        async def turn() -> None:
            async with aclosing(client.stream_chat(REQUEST)) as stream:
                async for chunk in stream:
                    got.append(chunk.content)
                    if len(got) >= chunks > 0:
                        enough.set()

        task = asyncio.create_task(turn())
        if chunks:
            await enough.wait()
        assert await asyncio.to_thread(server.asked.wait, PATIENCE)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        assert task.cancelled()
        assert await asyncio.to_thread(server.left.wait, PATIENCE)
        return got

    with RawServer(script) as server:
        assert len(_run(server.address, stop)) >= chunks


def test_a_turn_is_cancelled_while_it_connects():
    """A stop is heard while nobody has taken the connection yet."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=0)
    port = listener.getsockname()[1]
    fillers = [socket.socket() for _ in range(4)]

    async def stop(client: OllamaClient) -> bool:
        task = asyncio.create_task(read(client.stream_chat(REQUEST)))
        for _ in range(20):
            await asyncio.sleep(0)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        return task.cancelled()

    try:
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
        assert _run(f"127.0.0.1:{port}", stop, Limits(connect_loopback=PATIENCE))
    finally:
        for sock in (*fillers, listener):
            sock.close()


def test_after_a_cancelled_turn_the_next_one_works():
    """A stop leaves nothing behind that disturbs the next turn."""

    async def stop_then_ask(client: OllamaClient) -> Answer:
        async with aclosing(client.stream_chat(REQUEST)) as stream:
            async for _ in stream:
                break
        return await read(client.stream_chat(REQUEST))

    with RawServer(_silent_stream, WHOLE) as server:
        assert _run(server.address, stop_then_ask).text == "hello"


def test_one_client_serves_several_loops():
    """The loop thread and a user's own loop can use the same client, each with connections of its own."""
    with RawServer(WHOLE) as server:
        client = OllamaClient(parse_address(server.address))

        async def use() -> str:
            answer = await read(client.stream_chat(REQUEST))
            await client.aclose()
            return answer.text

        assert [asyncio.run(use()) for _ in range(3)] == ["hello"] * 3
        assert server.connections == 3


def test_turns_side_by_side_do_not_mix():
    """Eight answers at once come each whole."""

    async def eight(client: OllamaClient) -> list[Answer]:
        return await asyncio.gather(*(read(client.stream_chat(REQUEST)) for _ in range(8)))

    with RawServer(WHOLE) as server:
        assert [answer.text for answer in _run(server.address, eight)] == ["hello"] * 8


def test_a_look_up_ends_after_its_time():
    """A look-up that does not come ends in one line, also when the server dribbles."""
    with RawServer(_half_a_header) as server:
        with pytest.raises(ServerError, match=r"0\.3 s"):
            _run(server.address, lambda client: client.tags(), Limits(look=0.3))
        assert server.left.wait(PATIENCE)
