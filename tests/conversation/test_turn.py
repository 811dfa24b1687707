"""One turn: its states, what is kept of it, and how it is stopped."""

import asyncio
import gc
import re
from concurrent.futures import Future
from functools import partial

import pytest

from ollama_magic.conversation import turn as turn_room
from ollama_magic.conversation.turn import run_turn
from ollama_magic.errors import AnswerCut, OllamaMagicError, ServerError, ServerUnreachable, StoreError
from ollama_magic.ollama.protocol import ChatChunk

from .fakes import DONE, HEADERS, FakeServer, conversation, turn, words


def run(running):
    return asyncio.run(run_turn(running))


async def stopped_at(running, server):
    task = asyncio.create_task(run_turn(running))
    await server.reached.wait()
    task.cancel()
    return await task


def test_a_complete_answer_is_remembered_and_settled():
    """An answer with its end mark is complete, kept with its prompt, and settled once."""
    running = turn(FakeServer(HEADERS, *words("Hel", "lo"), DONE))
    reply = run(running)
    assert (reply.state, reply.text, reply.stats.answer_tokens) == ("complete", "Hello", 2)
    assert [(t.prompt, t.text, t.state) for t in running.conversation.turns] == [("Hi", "Hello", "complete")]
    assert running.view.finished == ("complete", "Hello")


def test_the_next_turn_sends_the_history():
    """The second turn sends the first one before its own prompt, without what was thought in it."""
    talk = conversation()
    run(turn(FakeServer(HEADERS, ChatChunk(thinking="hm"), *words("Hello"), DONE), "One", talk))
    server = FakeServer(HEADERS, *words("Again"), DONE)
    reply = run(turn(server, "Two", talk, system="Be brief."))
    sent = [(m.role, m.content) for m in server.requests[0].messages]
    assert sent == [("system", "Be brief."), ("user", "One"), ("assistant", "Hello"), ("user", "Two")]
    assert reply.status.turns_sent == 2
    assert talk.turns[0].thinking == "hm"


@pytest.mark.parametrize("at_once", [True, False])
def test_a_turn_that_the_store_refuses_says_so(monkeypatch, caplog, at_once):
    """The footer of a turn that will never be on the disk keeps saying that it is not saved, and nothing is logged."""
    monkeypatch.setattr(turn_room, "SAVED_S", 0.0)
    running, refused = turn(FakeServer(HEADERS, *words("Hello"), DONE)), Future()
    running.conversation.journal.write = lambda entry: refused
    refuse = partial(refused.set_exception, StoreError("Another kernel is writing this notebook."))

    async def refused_later():
        await run_turn(running)
        refuse()
        await asyncio.sleep(0.05)

    if at_once:
        refuse()
        run(running)
    else:
        asyncio.run(refused_later())
    gc.collect()
    assert (running.reply.status.unsaved, caplog.messages) == (True, [])


@pytest.mark.parametrize("end", [[], [ChatChunk(cut="the connection was reset")]])
def test_a_stream_without_its_end_mark_is_cut(end):
    """A stream that ends without done is cut: the text is kept, marked, and one line says so."""
    running = turn(FakeServer(HEADERS, *words("Half"), *end))
    reply = run(running)
    assert (reply.state, reply.text) == ("cut", "Half")
    assert isinstance(reply.error, AnswerCut)
    assert "text so far is kept" in str(reply.error)
    assert running.conversation.turns[0].state == "cut"


def test_an_error_line_in_mid_stream_fails_and_keeps_the_text():
    """An error line fails the turn with the server's words, and the text before it is kept."""
    running = turn(FakeServer(HEADERS, *words("Half"), ChatChunk(error="runner died")))
    reply = run(running)
    line = "The server failed: runner died; the text so far is kept; run the cell again."
    assert (reply.state, reply.text, str(reply.error)) == ("failed", "Half", line)
    assert isinstance(reply.error, ServerError)
    assert running.conversation.turns[0].outcome.error == line


@pytest.mark.parametrize("chunks", [[ServerUnreachable("nobody there")], [HEADERS, ChatChunk(error="no")], [HEADERS]])
def test_nothing_is_remembered_of_a_turn_that_ended_before_any_text(chunks):
    """A turn that failed or was cut before any text leaves no trace in the conversation."""
    running = turn(FakeServer(*chunks))
    reply = run(running)
    assert reply.state in {"failed", "cut"}
    assert running.conversation.turns == ()
    assert running.view.finished[0] == reply.state


def test_a_fault_of_our_own_is_one_line_too():
    """An exception that nobody foresaw fails the turn with one line, and the turn settles."""
    running = turn(FakeServer(HEADERS, KeyError("oops")))
    reply = run(running)
    assert reply.state == "failed"
    assert type(reply.error) is OllamaMagicError
    assert running.view.finished[0] == "failed"


def test_a_stop_keeps_the_text_and_closes_the_stream():
    """A stopped turn keeps its text, is remembered as stopped, and the stream is closed."""

    async def story():
        server = FakeServer(HEADERS, *words("Half"), asyncio.Event(), DONE)
        running = turn(server)
        reply = await stopped_at(running, server)
        assert (reply.state, reply.text, server.closed) == ("stopped", "Half", 1)
        assert running.conversation.turns[0].state == "stopped"
        assert running.view.finished == ("stopped", "Half")
        assert server.left_models == ["fake:latest"]

    asyncio.run(story())


def test_a_stop_before_any_text_leaves_nothing():
    """A turn that was stopped before any text is not remembered."""

    async def story():
        server = FakeServer(asyncio.Event())
        running = turn(server)
        reply = await stopped_at(running, server)
        assert (reply.state, running.conversation.turns) == ("stopped", ())

    asyncio.run(story())


def test_one_turn_at_a_time():
    """The second turn of a conversation waits visibly for the first, and then knows of it."""

    async def story():
        talk, gate = conversation(), asyncio.Event()
        first_server, second_server = FakeServer(HEADERS, gate, *words("One"), DONE), FakeServer(HEADERS, DONE)
        first = asyncio.create_task(run_turn(turn(first_server, "A", talk)))
        await first_server.reached.wait()
        second = turn(second_server, "B", talk)
        waiting = asyncio.create_task(run_turn(second))
        await second.view.told("waiting for the turn before")
        assert second_server.requests == []
        gate.set()
        await asyncio.gather(first, waiting)
        assert [m.content for m in second_server.requests[0].messages] == ["A", "One", "B"]

    asyncio.run(story())


def test_a_waiting_turn_can_be_stopped():
    """A turn that waits for another one is stopped like any other, and the other goes on."""

    async def story():
        talk, gate = conversation(), asyncio.Event()
        server = FakeServer(HEADERS, gate, *words("One"), DONE)
        first = asyncio.create_task(run_turn(turn(server, "A", talk)))
        await server.reached.wait()
        waiting = asyncio.create_task(run_turn(turn(FakeServer(HEADERS, DONE), "B", talk)))
        for _ in range(5):
            await asyncio.sleep(0)
        waiting.cancel()
        assert (await waiting).state == "stopped"
        gate.set()
        assert (await first).state == "complete"

    asyncio.run(story())


def test_once_sends_no_history_and_leaves_none():
    """A turn with `once` sends its prompt alone and is not remembered."""
    talk = conversation()
    run(turn(FakeServer(HEADERS, *words("One"), DONE), "A", talk))
    server = FakeServer(HEADERS, *words("Two"), DONE)
    run(turn(server, "B", talk, once=True))
    assert [m.content for m in server.requests[0].messages] == ["B"]
    assert len(talk.turns) == 1


def test_a_conversation_keeps_the_model_it_began_with():
    """Without being told, the model of the first turn answers on; `model` for one turn changes nothing of that."""
    talk = conversation()
    run(turn(FakeServer(HEADERS, *words("x"), DONE, model="first"), "A", talk))
    plans = [({}, "first"), ({"model": "other"}, "other"), ({}, "first"), ({"default_model": "set"}, "set")]
    for plan, expected in plans:
        server = FakeServer(HEADERS, *words("x"), DONE, model="newest")
        run(turn(server, "B", talk, **plan))
        assert server.requests[0].model == expected
    talk.set_setting("model", "told")
    server = FakeServer(HEADERS, *words("x"), DONE)
    run(turn(server, "C", talk, default_model="set"))
    assert server.requests[0].model == "told"


def test_thinking_that_is_only_a_setting_is_asked_of_models_that_can():
    """The setting `think` is sent to a model that thinks and kept from one that does not; the option always asks."""
    for thinks, sent in [(True, "high"), (False, None)]:
        server = FakeServer(HEADERS, DONE, thinks=thinks)
        run(turn(server, think_if_able="high"))
        assert (server.requests[0].think, "thinking" in server.needs) == (sent, False)
    server = FakeServer(HEADERS, DONE)
    run(turn(server, think="low"))
    assert (server.requests[0].think, "thinking" in server.needs) == ("low", True)


def test_thinking_of_old_servers_is_taken_out_of_the_text():
    """<think> tags at the start of an answer become thinking, however they are cut into chunks."""
    running = turn(FakeServer(HEADERS, *words(" <th", "ink>\nA tho", "ught</th", "ink>\n", "\nThe answer"), DONE))
    reply = run(running)
    assert (reply.thinking, reply.text) == ("A thought", "The answer")


def test_the_length_limit_is_told():
    """An answer that ended by its length limit is complete and says so."""
    reply = run(turn(FakeServer(HEADERS, *words("abc"), ChatChunk(done=True, done_reason="length"))))
    assert reply.state == "complete"
    assert "num_predict" in reply.notes[0]


def test_a_stuck_model_is_told(monkeypatch):
    """After a stop, a turn that gets no header while the model is loaded says how to free it."""
    monkeypatch.setattr(turn_room, "STUCK_S", 0.0)

    async def story():
        server = FakeServer(asyncio.Event())
        server.left("fake:latest")
        running = turn(server)
        task = asyncio.create_task(run_turn(running))
        await running.view.told("stuck? ■")
        task.cancel()
        await task

    asyncio.run(story())


@pytest.mark.parametrize("cut", range(1, 30, 3))
def test_thinking_without_its_opening_tag_is_folded(cut):
    """What stands before a closing tag alone is thinking, however the chunks fall; later turns send the answer only."""
    talk, said = conversation(), "The user wants…\n</think>\n\nThe **answer**"
    running = turn(FakeServer(*words(said[:cut], said[cut:]), DONE), talk=talk)
    asyncio.run(run_turn(running))
    (stored,) = talk.turns
    assert (running.reply.text, running.reply.thinking) == ("The **answer**", "The user wants…")
    assert (stored.text, stored.thinking) == ("The **answer**", "The user wants…")


@pytest.mark.parametrize("tokens", [r".+", r"\s+|\S+", r"\s*\S+", r"."], ids=["whole", "split", "words", "letters"])
def test_a_long_line_behind_a_closing_tag(tokens):
    """The tag is found though the line that follows it is long and comes in pieces, or all comes at once."""
    answer = (
        "It scatters blue light more than red light, which is what Rayleigh found, and that is why the sky is blue."
    )
    pieces = re.findall(tokens, f"The user wants…\n</think>\n\n{answer}", re.DOTALL)
    running = turn(FakeServer(*words(*pieces), DONE))
    asyncio.run(run_turn(running))
    assert (running.reply.text, running.reply.thinking) == (answer, "The user wants…")


@pytest.mark.parametrize(
    "said",
    [
        "The tag `</think>`\nends it.",
        "```\nx\n</think>\n```\ndone",
        "It writes </think> in the text, and goes on.",
        "a <think>\nb\n</think>\nc",
    ],
)
def test_a_closing_tag_that_is_talked_about_stays(said):
    """A tag within code or within a sentence is text."""
    running = turn(FakeServer(*words(*said), DONE))
    asyncio.run(run_turn(running))
    assert running.reply.text == said
