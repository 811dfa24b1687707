"""An answer as it comes: in any thread, on the loop that runs; breaking off hangs up."""

from __future__ import annotations

import asyncio
import threading

import pytest

import ollama_magic
from ollama_magic.errors import AnswerCut, InputError, ModelNotFound
from ollama_magic.functions import sessions
from tests.answers import chats, paragraphs, words
from tests.double import Fault

LONG = words(paragraphs(400))


def hung_up(server) -> bool:
    """Whether the newest turn's connection was closed before its answer was whole."""
    asked = chats(server)[-1]
    assert asked.ended.wait(30)
    return asked.closed_early


def test_chunks_are_texts(start) -> None:
    """A stream gives texts, and its reply has all of them when it is complete."""
    start(answers=lambda _: ["one ", "two ", "three"])
    answer = ollama_magic.stream("Hi")
    assert "".join(answer) == "one two three" == answer.reply.text
    assert answer.reply.state == "complete"


def test_thinking_comes_apart_from_the_text(start) -> None:
    """What the model thinks is no text of a chunk; an old server's tags are taken out of the text."""
    start(faults=[Fault("script", script=["<think>hm", "m</think>", "yes"])])
    chunks = list(ollama_magic.stream("Hi"))
    assert "".join(chunks) == "yes"
    assert "".join(chunk.thinking for chunk in chunks) == "hmm"
    thought = ollama_magic.chat("Is 91 a prime number?", think=True)
    assert "7" in thought.thinking
    assert "7 + 0" not in thought.text


def test_breaking_off_hangs_up(start) -> None:
    """Leaving a loop closes the connection, keeps the text, and the next call works."""
    server = start(pace=200, answers=lambda _: iter(LONG))
    answer = ollama_magic.stream("Hi")
    for chunk in answer:
        assert chunk
        break
    assert hung_up(server)
    assert answer.reply.state == "stopped"
    assert answer.reply.text
    with pytest.raises(InputError, match="already"):
        list(answer)


def test_an_error_in_the_loop_hangs_up(start) -> None:
    """An error of the user's own within the loop closes the connection, too."""
    server = start(pace=200, answers=lambda _: iter(LONG))

    def fail() -> None:
        for _ in ollama_magic.stream("Hi"):
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    assert hung_up(server)


def test_async_for_runs_on_the_callers_loop(start) -> None:
    """`async for` needs no thread of ours, and leaves none behind; other tasks go on meanwhile."""
    start(pace=200, answers=lambda _: iter(words(paragraphs(3))))
    ticks = []

    async def tick() -> None:
        while True:
            ticks.append(1)
            await asyncio.sleep(0.005)

    async def main() -> str:
        ticking = asyncio.create_task(tick())
        text = "".join([chunk async for chunk in ollama_magic.stream("Hi")])
        ticking.cancel()
        return text

    before = {thread.name for thread in threading.enumerate()}
    assert asyncio.run(main()) == paragraphs(3)
    assert "ollama_magic" not in {thread.name for thread in threading.enumerate()} - before
    assert len(ticks) > 3


@pytest.mark.parametrize("goes_on", [True, False], ids=["loop goes on", "loop ends"])
def test_breaking_off_an_async_loop_hangs_up(start, goes_on) -> None:
    """Leaving an `async for` closes the connection, whether the loop runs on or ends at once."""
    server = start(pace=200, answers=lambda _: iter(LONG))

    async def main() -> str:
        answer = ollama_magic.stream("Hi")
        async for _ in answer:
            break
        if goes_on:
            await asyncio.to_thread(chats(server)[-1].ended.wait, 10)
        return answer.reply.text

    assert asyncio.run(main())
    assert hung_up(server)


def test_a_cancelled_task_hangs_up(start) -> None:
    """Cancelling the task that iterates closes the connection, also while the server is silent."""
    server = start(faults=[Fault("silence", after=2)])

    async def main() -> None:
        task = asyncio.create_task(ollama_magic.stream("Hi")._awaited())
        await asyncio.to_thread(server.wait_for_requests)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert hung_up(server)


def test_await_gives_it_whole(start) -> None:
    """`await stream(…)` is the whole reply; several can be awaited together, and less than whole raises."""
    start(answers=lambda body: [body["messages"][-1]["content"].upper()])

    async def main() -> list[str]:
        async def ask(text: str) -> str:
            return (await ollama_magic.stream(text)).text

        return await asyncio.gather(*map(ask, "abc"))

    assert asyncio.run(main()) == ["A", "B", "C"]
    start(faults=[Fault("no_done", after=1)])
    with pytest.raises(AnswerCut):
        asyncio.run(ollama_magic.stream("Hi")._awaited())


def test_blocking_calls_within_a_running_loop(start) -> None:
    """A blocking chat and a plain loop work inside async code: they wait on the private loop."""
    start(answers=lambda _: ["one ", "two"])

    async def main() -> list[str]:
        return [ollama_magic.chat("Hi").text, *ollama_magic.stream("Hi")]

    assert asyncio.run(main()) == ["one two", "one ", "two"]


def test_the_connections_of_a_stream_are_gone_with_it(start) -> None:
    """A stream on the caller's loop closes its client, and does not use the session's."""
    start(answers=lambda _: ["one"])

    async def main() -> int:
        async for _ in ollama_magic.stream("Hi"):
            pass
        connection = sessions.session().server().client._connection
        return len(connection._sender._pools)

    assert asyncio.run(main()) == 0


def test_an_iterator_that_has_ended_stays_at_its_end(start) -> None:
    """`anext` after the end, or in two tasks at once, ends at once; after an error it raises that error again."""
    start(answers=lambda _: ["Yes."])

    async def beyond(model: str) -> list[object]:
        chunks = ollama_magic.stream("Hi", model=model).__aiter__()
        asked = [asyncio.wait_for(chunks.__anext__(), 10) for _ in range(3)]
        return await asyncio.gather(*asked, return_exceptions=True)

    assert [type(one) for one in asyncio.run(beyond(""))[1:]] == [StopAsyncIteration, StopAsyncIteration]
    assert {type(one) for one in asyncio.run(beyond("nobody"))} == {ModelNotFound}


def test_going_on_after_a_wait_that_was_too_long(start) -> None:
    """A chunk that was waited for too long ends the stream; asking once more is an error, not a cancellation."""
    server = start(faults=[Fault("silence", after=1)])

    async def impatient() -> None:
        chunks = ollama_magic.stream("Hi").__aiter__()
        await chunks.__anext__()
        with pytest.raises(asyncio.TimeoutError):  # Python 3.10 has its own
            await asyncio.wait_for(chunks.__anext__(), 0.2)
        await asyncio.wait_for(chunks.__anext__(), 10)

    with pytest.raises(AnswerCut, match="This stream was stopped"):
        asyncio.run(impatient())
    assert hung_up(server)
