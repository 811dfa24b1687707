"""The warning before a turn that the context window will not hold."""

import pytest

from ollama_magic.conversation.context_window import window_note
from ollama_magic.conversation.fold import Turn


def turns(tokens):
    return [Turn(1, "main", 1, "p", stats={"prompt_tokens": tokens, "answer_tokens": 100})]


@pytest.mark.parametrize(
    ("tokens", "prompt", "window"), [(100, "x" * 400, 4096), (4000, "x" * 400, None), (None, "x" * 40_000, 4096)]
)
def test_what_fits_or_is_not_known_is_not_warned_of(tokens, prompt, window):
    """A turn that fits, and one of which nothing is known, gets no line."""
    assert window_note(turns(tokens) if tokens else [], prompt, window) == ()


def test_what_does_not_fit_is_told_with_the_option_that_helps():
    """The line says how much of how much, and a window that would hold it."""
    (line,) = window_note(turns(4000), "x" * 2000, 4096)
    assert line.startswith("about 4,600 of 4,096 tokens")
    assert "`-o num_ctx=8192`" in line


def test_without_turns_above_there_is_nothing_to_say():
    """The first turn of a conversation has no counts yet."""
    assert window_note([], "x", 4096) == ()
