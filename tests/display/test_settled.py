"""What stays in the file."""

from __future__ import annotations

import re

import pytest

from ollama_magic.conversation.reply import COMPLETE, CUT, FAILED, STOPPED
from ollama_magic.display.earlier_answer import earlier_answer_view
from ollama_magic.display.settled import bundle, footer_text
from ollama_magic.errors import AnswerCut, ServerError
from ollama_magic.ollama.stats import Stats
from tests.display.replies import HTML, TEXT, ended
from tests.turns import a_turn


def test_two_types_only():
    """The bundle is HTML and plain text, and no type that a front end would run or fail to show."""
    assert set(bundle(ended("Hello."))) == {HTML, TEXT}


def test_plain_text_is_the_markdown():
    """Plain text is the reply's Markdown, without control characters other than newline and tab."""
    assert bundle(ended("a **b**\n\tc\x1b[31m\x07\x85"))[TEXT] == "a **b**\n\tc[31m"


@pytest.mark.parametrize(
    ("state", "error", "mark"),
    [
        (COMPLETE, None, ""),
        (STOPPED, None, "\n\n[stopped]"),
        (CUT, AnswerCut.because("reset."), "\n\n[cut]"),
        (FAILED, ServerError("out of memory"), "\n\n[failed: out of memory]"),
    ],
)
def test_the_mark(state, error, mark):
    """An answer that is not complete says so in its plain text, behind a blank line."""
    assert bundle(ended("Hello", state, error=error))[TEXT] == "Hello" + mark


def test_the_mark_of_no_text():
    """An answer that failed before any text is its mark alone."""
    assert bundle(ended("", FAILED, error=ServerError("no")))[TEXT] == "[failed: no]"


@pytest.mark.parametrize("footer", ["brief", "full", "none"])
def test_endings_are_said_with_every_footer(footer):
    """Stopped, cut, failed and a reached limit are said whatever the footer is."""
    assert "<strong>stopped</strong>" in bundle(ended("a", STOPPED), footer)[HTML]
    cut = bundle(ended("a", CUT, error=AnswerCut.because("reset; kept.")), footer)[HTML]
    assert "<strong>cut</strong>: reset; kept." in cut
    assert "<strong>failed</strong>: gone" in bundle(ended("a", FAILED, error=ServerError("gone")), footer)[HTML]
    assert "num_predict" in bundle(ended("a", notes=("num_predict was reached",)), footer)[HTML]


def test_a_raised_error_is_told_once():
    """Where the cell raises the reason and there is no text, the output does not repeat it."""
    html = bundle(ended("", FAILED, error=ServerError("gone")), raised=True)[HTML]
    assert html == '<div class="ollama-magic mathjax_ignore tex2jax_ignore"></div>'


def test_footers():
    """The brief footer counts turns; only the full one holds what changes with every run."""
    stats = Stats(answer_tokens=90, answer_ns=3_000_000_000, load_ns=2_000_000_000)
    reply = ended("a", turns_sent=4, started_at=1.0, ended_at=5.5, stats=stats)
    assert footer_text(reply, "brief") == "gemma3:1b · 4 turns sent"
    assert footer_text(reply, "full") == "gemma3:1b · 4 turns sent · 4.5 s · 90 tokens · 30 tokens/s · loaded in 2.0 s"
    assert footer_text(reply, "none") == ""
    assert footer_text(ended("a"), "brief") == "gemma3:1b · 1 turn sent"


def test_thinking_is_folded():
    """Thinking stands in a native, folded section, and not in the plain text."""
    found = bundle(ended("Yes.", thinking_parts=["Is it?"]))
    assert "<details><summary>" in found[HTML]
    assert "Is it?" in found[HTML]
    assert "Is it?" not in found[TEXT]
    assert "<details open>" in bundle(ended("a", thinking_parts=["b"]), thinking_open=True)[HTML]


def test_nothing_that_is_stripped():
    """The HTML needs no style, role, aria, data or script: an untrusted notebook loses them all."""
    text = "# a\n\n```python\nx = 1\n```\n\n| a | b |\n| :- | -: |\n| 1 | 2 |\n\n$x_1$ and [b](https://c.org)"
    reply = ended(text, CUT, thinking_parts=["t"], before=("filled: a",), notes=("n",), error=AnswerCut("r"))
    html = bundle(reply, "full")[HTML]
    assert not re.search(r"<(script|style)|\s(role|aria-\w+|data-\w+|on\w+)=", html)


def test_foreign_words_are_text():
    """Model names, notes and errors cannot bring markup into the page."""
    bad = "<img src=x onerror=alert(1)>"
    reply = ended("a", FAILED, model=bad, before=(bad,), notes=(bad,), error=ServerError(bad))
    html = bundle(reply, "full")[HTML]
    assert "<img" not in html
    assert html.count("&lt;img") == 4


def test_tex_is_ignored_outside_our_marks():
    """Prices in the answer and in the line before it are never typeset."""
    assert 'class="ollama-magic mathjax_ignore' in bundle(ended("$5 and $6"))[HTML]


def test_a_kept_answer_is_one_of_ours():
    """What is shown again under an error has our class, by which its code gets copy buttons, and its own form."""
    kept = earlier_answer_view(a_turn("Show me.", '{"a":1}', model="m", format="json"))._repr_mimebundle_()
    assert '<div class="ollama-magic mathjax_ignore' in kept[HTML]
    assert "class=highlight" in kept[HTML]
