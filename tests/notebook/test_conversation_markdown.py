"""A conversation as Markdown: readable, and closed against what was said in it."""

from __future__ import annotations

from ollama_magic.notebook.conversation_markdown import markdown_of
from tests.notebook.samples import every_turn
from tests.notebook.test_inert_markdown import tokens_of
from tests.turns import a_turn


def test_what_it_looks_like() -> None:
    """A saved conversation reads as a page with headings and quotes."""
    turn = a_turn(
        "Why is the sky blue?\n", "Because of *scattering*.", model="gemma3:1b", at=1745330520.5, system="Be brief."
    )
    assert markdown_of([turn]) == (
        "# Conversation with gemma3:1b\n\n"
        "*1 turn; prompts and answers are quotes.*\n\n"
        "## 1 · 2025-04-22 14:02 UTC\n\n"
        "### System\n\n> Be brief.\n\n"
        "### You\n\n> Why is the sky blue?\n>\n\n"
        "### gemma3:1b\n\n> Because of *scattering*.\n"
    )


def test_lone_surrogates_are_replaced() -> None:
    """A lone surrogate is saved as U+FFFD, for no file can hold it."""
    assert "> a\ufffd\n" in markdown_of([a_turn("a\ud800", "b")])


def test_headings_outside_quotes_are_ours() -> None:
    """No text, name or error of a turn makes a heading, a tag or a picture of its own."""
    turns = every_turn()
    tokens = list(tokens_of(markdown_of(turns)))
    tops = [token for token in tokens if token.type == "heading_open" and token.level == 0]
    html = {token.content.strip() for token in tokens if token.type == "html_block"}
    parts = sum(2 + bool(turn.settings.system) for turn in turns)
    assert len(tops) == 2 * (1 + len(turns) + parts)  # two readers
    assert all("details>" in one for one in html)
    assert not [token for token in tokens if token.type in ("html_inline", "image", "link_open")]
