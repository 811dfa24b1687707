"""A conversation as Markdown: readable, exact, and closed against what was said in it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ollama_magic.errors import InputError
from ollama_magic.notebook.conversation_markdown import is_markdown_of_ours, markdown_of, turns_of_markdown
from ollama_magic.notebook.saved_turn import SavedTurn
from tests.notebook.samples import TEXTS, every_turn
from tests.notebook.test_inert_markdown import tokens_of

HERE = Path("talk.md")


def named(turn: SavedTurn) -> SavedTurn:
    """The turn with its model's name as every file gives it back: on one line."""
    return replace(turn, model=" ".join(turn.model.split()))


def test_what_it_looks_like() -> None:
    """A saved conversation reads as a page with headings and quotes."""
    turn = SavedTurn(
        "Why is the sky blue?\n", "Because of *scattering*.", model="gemma3:1b", at=1745330520.5, system="Be brief."
    )
    assert markdown_of([turn]) == (
        "# Conversation with gemma3:1b\n\n"
        "<!-- ollama_magic conversation 1 -->\n\n"
        "*1 turn; what was said stands in quotes, and `%ollama open` reads this file back.*\n\n"
        "## 1 · 2025-04-22 14:02 UTC\n\n"
        '<!-- turn {"conversation": "main", "model": "gemma3:1b", "state": "complete", '
        '"at": "2025-04-22T14:02:00.500000+00:00"} -->\n\n'
        "### System\n\n> Be brief.\n\n"
        "### You\n\n> Why is the sky blue?\n>\n\n"
        "### gemma3:1b\n\n> Because of *scattering*.\n"
    )


def test_every_text_and_fact_comes_back() -> None:
    """Texts of every kind, in every place, and all facts are read back exactly."""
    turns = [named(turn) for turn in every_turn()]
    assert turns_of_markdown(markdown_of(turns), HERE) == turns


@pytest.mark.parametrize("edit", ["\r\n", "no end", "blank ends", "bom"])
def test_line_ends_do_not_matter(edit: str) -> None:
    """A file that an editor or a checkout gave other line ends reads the same."""
    turns = [SavedTurn(text, text, model="m") for text in TEXTS if not text.endswith((" ", "\t"))]
    file = markdown_of(turns)
    changed = {
        "\r\n": file.replace("\n", "\r\n"),
        "no end": file.rstrip("\n"),
        "blank ends": file.replace("\n>\n", "\n> \n"),
        "bom": file,
    }[edit]
    assert is_markdown_of_ours(changed)
    assert turns_of_markdown(changed, HERE) == turns


def test_lone_surrogates_are_replaced() -> None:
    """A lone surrogate is saved as U+FFFD, for no file can hold it."""
    (read,) = turns_of_markdown(markdown_of([SavedTurn("a\ud800", "\udfffb")]), HERE)
    assert (read.prompt, read.text) == ("a\ufffd", "\ufffdb")


def test_nothing_said_makes_a_turn() -> None:
    """An answer that holds a whole saved conversation is one answer still."""
    inner = markdown_of(every_turn())
    turns = [SavedTurn("one", inner, model="m"), SavedTurn(inner, "two", model="m")]
    assert turns_of_markdown(markdown_of(turns), HERE) == turns


def test_headings_outside_quotes_are_ours() -> None:
    """No text, name or error of a turn makes a heading, a tag or a picture of its own."""
    turns = every_turn()
    tokens = list(tokens_of(markdown_of(turns)))
    tops = [token for token in tokens if token.type == "heading_open" and token.level == 0]
    html = {token.content.strip() for token in tokens if token.type == "html_block"}
    parts = sum(2 + bool(turn.system) for turn in turns)
    assert len(tops) == 2 * (1 + len(turns) + parts)  # two readers
    assert all(one.startswith("<!-- ") or "details>" in one for one in html)
    assert not [token for token in tokens if token.type in ("html_inline", "image", "link_open")]


def test_a_file_edited_by_hand_is_read_as_it_stands() -> None:
    """A word that somebody changed counts, a lost fact is left out, and a quote broken apart is one text."""
    file = markdown_of([SavedTurn("one\n\ntwo", "three", model="m", at=1.7e9)])
    edited = file.replace("> three", "> four").replace("> one\n>\n> two", "> one\n\n> two").replace('{"conv', "{conv")
    assert turns_of_markdown(edited, HERE) == [SavedTurn("one\n\ntwo", "four")]


def test_a_newer_file_is_refused() -> None:
    """A file of a later version is refused in one line."""
    file = markdown_of([SavedTurn("a", "b")]).replace("conversation 1", "conversation 2")
    assert is_markdown_of_ours(file)
    with pytest.raises(InputError, match="newer ollama_magic"):
        turns_of_markdown(file, HERE)
