"""The notes under an answer: asked of the server only when the counts give reason, and one line each."""

import asyncio

import pytest

from ollama_magic.conversation.context_window import Window
from ollama_magic.conversation.request import Single
from ollama_magic.conversation.turn import run_turn
from ollama_magic.errors import ServerError
from ollama_magic.ollama.protocol import ChatChunk, ChatRequest, GenerateRequest
from ollama_magic.ollama.stats import Stats
from tests.conversation.fakes import HEADERS, FakeServer, turn, words

W = Window(4096, 40_960)
LONG = "word " * 8000


def done(reason="stop", **stats):
    return ChatChunk(done=True, done_reason=reason, stats=Stats(**stats))


def run(server, prompt="Hi", **plan):
    asked = turn(server, prompt, **plan)
    asyncio.run(run_turn(asked))
    return asked.reply


def test_a_small_turn_asks_the_server_nothing_more():
    """An answer that fits costs no look-up and has no note."""
    server = FakeServer(HEADERS, *words("Hello"), done(prompt_tokens=12, answer_tokens=2), window=W)
    assert run(server).notes == ()
    assert server.windows_asked == 0


def test_a_prompt_that_was_cut_is_told_under_the_answer():
    """A prompt of which half was read is told with the window, its maximum and the option that helps."""
    reply = run(FakeServer(HEADERS, *words("Hello"), done(prompt_tokens=2050, answer_tokens=2), window=W), LONG)
    assert reply.state == "complete"
    assert reply.notes == (
        "the prompt did not fit, and the server cut it: window 4,096 of 40,960; `-o num_ctx=16384` reloads the model",
    )


def test_a_full_window_is_told_once():
    """An answer that ended because the prompt had filled the window says one thing, not two."""
    reply = run(FakeServer(HEADERS, *words("H"), done("length", prompt_tokens=4096, answer_tokens=1), window=W), LONG)
    assert len(reply.notes) == 1


def test_num_predict_is_told_apart_from_the_window():
    """An answer that reached its own limit names that, and how to lift it."""
    server = FakeServer(HEADERS, *words("Hello"), done("length", prompt_tokens=12, answer_tokens=5), window=W)
    reply = run(server, options={"num_predict": 5})
    assert reply.notes == ("answer cut by num_predict=5; `-o num_predict=-1` removes the limit",)


@pytest.mark.parametrize(
    "refusal",
    [
        "refused this (400): request (7931 tokens) exceeds the available context size (4096 tokens), try increasing it",
        "The server failed: request (7931 tokens) exceeds the available context size (4096 tokens), try increasing it",
    ],
)
def test_a_refused_prompt_fails_with_both_figures(refusal):
    """The refusal of a prompt that is too long, before or within the stream, becomes the line that helps."""
    reply = run(FakeServer(ServerError(refusal, 400, "context_window"), window=W), LONG)
    assert reply.state == "failed"
    assert str(reply.error) == (
        "The prompt does not fit: it has 7,931 tokens; window 4,096 of 40,960; `-o num_ctx=16384` reloads the model."
    )
    assert reply.error.status == 400


def test_another_error_stays_as_it_is():
    """What has nothing to do with the window is not touched, and nothing is asked for it."""
    server = FakeServer(ServerError("It failed.", 500), window=W)
    assert str(run(server).error) == "It failed."
    assert server.windows_asked == 0


@pytest.mark.parametrize(
    ("text", "plan", "version", "words_in_note"),
    [
        ('{"a": 1}', {}, "", None),
        ('```json\n{"a": 1}\n```', {}, "", None),
        ("Sure!", {}, "", "ask for JSON in the prompt"),
        ("Sure!", {"think": False}, "0.20.1", "Ollama 0.20.1 may ignore -f json"),
        ("Sure!", {"think": False}, "0.32.15", "ask for JSON in the prompt"),
        ("[" * 100_000, {}, "", "ask for JSON"),
    ],
)
def test_an_answer_that_is_no_json_is_told(text, plan, version, words_in_note):
    """Where JSON was asked for and something else came, a note says why that may be and what to do."""
    reply = run(FakeServer(HEADERS, *words(text), done(), version=version), format="json", **plan)
    assert reply.state == "complete"
    assert (words_in_note in reply.notes[0]) if words_in_note else reply.notes == ()


def test_json_that_was_cut_is_told_as_cut_alone():
    """JSON that ends in the middle because of its length limit is told so, not called no JSON."""
    reply = run(FakeServer(HEADERS, *words('{"a": '), done("length")), format="json", options={"num_predict": 3})
    assert [note.split(";")[0] for note in reply.notes] == ["answer cut by num_predict=3"]


def test_what_is_sent_decides_the_stream():
    """One loop takes both: a plan that is single sends a GenerateRequest, any other a ChatRequest."""
    server = FakeServer(HEADERS, *words("x"), done())
    reply = run(server, "def f(", once=True, single=Single(suffix="return 1"))
    assert isinstance(server.requests[0], GenerateRequest)
    assert (server.needs, reply.status.turns_sent) == (frozenset({"completion", "insert"}), 0)
    run(server)
    assert isinstance(server.requests[1], ChatRequest)


def test_thinking_that_generate_leaves_in_the_text_is_folded():
    """Servers that do not split thinking off from a single answer (protocol.md §7): it is split off here."""
    server = FakeServer(HEADERS, *words("I see\n</think>\n\nYes."), done())
    reply = run(server, once=True, single=Single())
    assert (reply.text, reply.thinking, reply.notes) == ("Yes.", "I see", ())


@pytest.mark.parametrize(
    ("chunks", "note"),
    [
        ((ChatChunk(thinking="Let me see."),), "the model thought and ended without an answer"),
        ((), "the model returned an empty answer"),
        ((ChatChunk(content="  \n"),), "the model returned an empty answer"),
    ],
)
def test_an_answer_without_words_says_so(chunks, note):
    """A complete answer that holds no word is no blank: one line says what happened, and what to try."""
    reply = run(FakeServer(HEADERS, *chunks, done(prompt_tokens=12, answer_tokens=2), window=W))
    assert reply.state == "complete"
    assert len(reply.notes) == 1
    assert reply.notes[0].startswith(note)
    assert "`" in reply.notes[0]
