"""The warning before a turn that the context window will not hold."""

import pytest

from ollama_magic.conversation.context_window import (
    Window,
    demand_of,
    does_not_fit,
    image_tokens,
    larger_window,
    length_note,
    lost_note,
    tokens_of,
    window_line,
    window_note,
)
from ollama_magic.ollama.message_list import MessageList
from ollama_magic.ollama.messages import Message
from ollama_magic.ollama.stats import Stats
from ollama_magic.turns.attachment import Attachment
from tests.turns import a_turn


def turns(tokens):
    return [a_turn("p", stats={"prompt_tokens": tokens, "answer_tokens": 100})]


@pytest.mark.parametrize(
    ("tokens", "prompt", "window"), [(100, "x" * 400, 4096), (4000, "x" * 400, None), (None, "x" * 20_000, 4096)]
)
def test_what_fits_or_is_not_known_is_not_warned_of(tokens, prompt, window):
    """A turn that fits, and one of which nothing is known, gets no line."""
    assert window_note(turns(tokens) if tokens else [], prompt, Window(window)) == ()


def test_what_does_not_fit_is_told_with_the_option_that_helps():
    """The line says how much of how much, and a window that would hold it."""
    (line,) = window_note(turns(4000), "x" * 2000, Window(4096))
    assert line.startswith("about 4,600 of 4,096 tokens")
    assert "`-o num_ctx=8192`" in line


def test_without_turns_above_there_is_nothing_to_say():
    """The first turn of a conversation has no counts yet."""
    assert window_note([], "x", Window(4096)) == ()


def test_a_first_prompt_that_is_far_too_long_is_told_by_its_bytes():
    """Without counts a prompt half as long again as the window is warned of, with a window that would hold it."""
    (line,) = window_note([], "x" * 40_000, Window(4096, 40_960))
    assert line == "about 10,000 of 4,096 tokens: the server will cut the prompt; `-o num_ctx=16384` has room for it"


def test_no_window_is_offered_beyond_what_the_model_can():
    """A window that is the model's largest is not made larger in words."""
    assert "num_ctx" not in window_note(turns(8100), "x" * 2000, Window(8192, 8192))[0]
    assert window_line(Window(8192, 8192), 9000).startswith(
        "window 8,192, the largest that this model supports; shorten the prompt"
    )
    assert larger_window(9000, Window(8192, 10_000)) == 10_000


def test_the_line_tells_window_maximum_and_option():
    """The window of ps against the maximum of show, and the option that reloads the model with more."""
    assert window_line(Window(4096, 40_960), 9000) == "window 4,096 of 40,960; `-o num_ctx=16384` reloads the model"
    assert window_line(Window(4096, None), 4000) == "window 4,096; `-o num_ctx=8192` reloads the model"
    assert window_line(Window(None, 40_960), 9000) == ""


def test_thinking_that_is_not_sent_again_is_not_counted():
    """The tokens of an answer count without what was thought."""
    thought = a_turn("p", thinking="x" * 4000, stats={"prompt_tokens": 10, "answer_tokens": 1100})
    assert tokens_of(thought) == 110


def demand(*messages, before=()):
    pairs = [Message("user" if i % 2 == 0 else "assistant", text) for i, text in enumerate(messages)]
    return demand_of(list(before), MessageList(pairs))


LONG = "word " * 4000  # some 4,000 tokens, 20,000 bytes
W = Window(4096, 40_960)


@pytest.mark.parametrize(
    ("sent", "read", "window", "words"),
    [
        (demand("Hi"), 12, W, ""),
        (demand(LONG), 4003, W, ""),  # it fits, though its bytes say 5,000
        (demand(LONG * 2), 4096, W, "the prompt did not fit"),  # v0.24.0 cuts to the window exactly
        (demand(LONG * 2), 2050, W, "the prompt did not fit"),  # v0.32.15 keeps a half
        (demand(LONG * 2), None, W, "the prompt did not fit"),  # an old server that counts nothing
        (demand("word " * 130), 66, Window(128), "the prompt did not fit"),  # as recorded
        (demand(LONG * 2), 2050, Window(), ""),  # nobody knows the window
        (demand("a", "b", "c" * 400, before=turns(3990)), 4090, W, ""),  # what was counted was read
        (demand("a", "b", "c" * 400, before=turns(4000)), 3000, W, "the server dropped the oldest turns"),
        (demand("a", "b", "c" * 400, before=turns(4000)), None, W, "the server dropped the oldest turns"),
        (demand("a", "b", "c" * 400, before=turns(1000)), 12, W, ""),  # an old server counts no cached tokens
        (demand("a", "b", LONG * 2, before=turns(1000)), 2050, W, "the prompt did not fit"),
    ],
)
def test_what_was_left_out_is_seen_by_the_counts(sent, read, window, words):
    """A prompt that was cut, or lost its oldest turns, is told; one that was read whole is not."""
    note = lost_note(sent, Stats(prompt_tokens=read), window)
    assert note.startswith(words) if words else note == ""
    if words and window.most:
        assert "window 4,096 of 40,960; `-o num_ctx=" in note


@pytest.mark.parametrize(
    ("told", "read", "made", "window", "words"),
    [
        (50, 12, 50, W, "answer cut by num_predict=50; `-o num_predict=-1` removes the limit"),
        (None, 12, 300, W, "answer cut by num_predict"),
        (None, 3900, 196, W, "answer cut: the context window is full: window 4,096 of 40,960; `-o num_ctx=8192`"),
        (9000, 3900, 196, W, "answer cut: the context window is full"),
        (50, 4060, 50, W, "answer cut by num_predict=50"),
        (None, 4096, 1, W, "answer cut: the context window is full"),
        (None, None, None, Window(), "answer cut by num_predict, or a full context window"),
    ],
)
def test_the_two_limits_of_an_answer_are_told_apart(told, read, made, window, words):
    """`num_predict` and a full window have a line each, with what lifts them."""
    assert length_note(told, demand("Hi"), Stats(prompt_tokens=read, answer_tokens=made), window).startswith(words)


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (
            "refused this: request (7931 tokens) exceeds the available context size (4096 tokens), try increasing it",
            f"The prompt does not fit: it has 7,931 tokens; {window_line(Window(4096, 40_960), 7931)}.",
        ),
        (
            "refused this (400): the prompt is longer than the context length currently available to the model",
            f"The prompt does not fit: it has about 10,000 tokens; {window_line(W, 10_000)}.",
        ),
        ("The server failed: no context", ""),
    ],
)
def test_a_refused_prompt_says_how_long_it_is_and_what_helps(words, line):
    """The runner's refusal becomes one line with both figures and the option."""
    assert does_not_fit(words, demand(LONG * 2), W) == line


PICTURE = Attachment.of("fig.png", "image", "image/png", b"\x89PNG")


def test_images_count_as_the_newest_counts_tell():
    """An image takes what was read beyond the texts, and a next one is warned of by that; unknown, it counts none."""
    first = a_turn("p" * 400, stats={"prompt_tokens": 100, "answer_tokens": 100})
    seen = a_turn("q" * 400, attachments=(PICTURE, PICTURE), stats={"prompt_tokens": 1300, "answer_tokens": 100})
    assert (image_tokens([first]), image_tokens([first, seen]), image_tokens([seen])) == (0, 500, 600)
    assert window_note([first, seen], "x" * 400, Window(2400)) == ()
    (line,) = window_note([first, seen], "x" * 400, Window(2400), images=2)
    assert line.startswith("about 2,500 of 2,400 tokens")
    sent = MessageList([Message("user", "x" * 400, images=(b"1",))])
    assert demand_of([first, seen], sent).counted == 1400 + 100 + 500
