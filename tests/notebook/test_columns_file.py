"""Answers of several models to one prompt in files: saved, opened, and read out of a notebook's own outputs."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from ollama_magic.line.cell_source import read_cell
from ollama_magic.notebook.conversation_file import open_conversation, save_conversation
from ollama_magic.notebook.conversation_markdown import markdown_of
from ollama_magic.notebook.notebook_file import notebook_from
from ollama_magic.turns.attachment import Attachment
from ollama_magic.turns.column_text import column_label, joined_columns, split_columns
from tests.turns import a_turn

if TYPE_CHECKING:
    from pathlib import Path

    from ollama_magic.turns.turn_value import Turn

PICTURE = Attachment("note", "text", "text/plain", b"a text")


def beside(**more: Any) -> Turn:
    """A turn whose second answer is the remembered one; the first looks like two columns, the third was cut."""
    one = a_turn("Hi", "## m2\n\nno column", model="m1", column=1, system="S", **more)
    three = a_turn("Hi", "thr", "cut", "m3", column=3, system="S", **more)
    return replace(a_turn("Hi", "two", model="m2", column=2, system="S", **more), alternatives=(one, three))


@pytest.mark.parametrize("ending", ["json", "ipynb"])
@pytest.mark.parametrize("attachments", [(), (PICTURE,)], ids=["plain", "attached"])
def test_there_and_back(tmp_path: Path, ending: str, attachments: tuple[Attachment, ...]) -> None:
    """A saved conversation has the alternatives; opened it has them in their order, with the same one remembered."""
    alone = a_turn("Next", "n", model="m2")
    path = save_conversation(tmp_path / f"chat.{ending}", [beside(attachments=attachments), alone])
    first, second = open_conversation(path, read_cell).turns
    assert [(one.model, one.text, one.state, one.prompt) for one in first.columns] == [
        ("m1", "## m2\n\nno column", "complete", "Hi"),
        ("m2", "two", "complete", "Hi"),
        ("m3", "thr", "cut", "Hi"),
    ]
    assert (first.model, [other.model for other in first.alternatives]) == ("m2", ["m1", "m3"])
    assert {one.settings.system for one in first.columns} == {"S"}
    assert [[held.text for held in one.attachments] for one in first.columns] == [[one.text for one in attachments]] * 3
    assert (second.text, second.alternatives, second.column) == ("n", (), 0)


def test_only_the_remembered_one_is_sent(tmp_path: Path) -> None:
    """The messages of a saved file, which can be sent as they are, have the remembered answer alone."""
    path = save_conversation(tmp_path / "chat.json", [beside()])
    messages = json.loads(path.read_text("utf8"))["messages"]
    assert [message["content"] for message in messages] == ["S", "Hi", "two"]


def test_markdown_has_all_of_them() -> None:
    """The Markdown for people has each answer below a heading."""
    text = markdown_of([beside()])
    assert text.index("### m2\n") < text.index("### m1 · beside it\n") < text.index("### m3 · beside it · cut\n")


def notebook(text: str, **labels: Any) -> Any:
    """A notebook with one answer cell."""
    mark = {"slot": "c/1", "conversation": "main", "model": "m1", "state": "complete", **labels}
    output = {"output_type": "display_data", "data": {"text/plain": text}, "metadata": {"ollama_magic": mark}}
    cell = {"cell_type": "code", "id": "c", "source": "%%chat -m m1 -m m2\nHi", "outputs": [output]}
    return {"nbformat": 4, "nbformat_minor": 5, "cells": [cell]}


COLUMNS = [("m1", "one"), ("m2", "[failed: it broke]"), ("m3", "three\n\n[stopped]")]
LABELS = [
    column_label(title, text, title, state)
    for (title, text), state in zip(COLUMNS, ("complete", "failed", "stopped"), strict=True)
]


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (1, [("m1", "one"), ("m3", "three")]),
        (3, [("m3", "three"), ("m1", "one")]),
        (9, [("m1", "one"), ("m3", "three")]),
    ],
)
def test_out_of_the_notebook(tmp_path: Path, column: int, expected: list[tuple[str, str]]) -> None:
    """`open .` reads each column of an output; what came to nothing is no turn, and the remembered one is."""
    data = notebook(joined_columns(COLUMNS), columns=LABELS, column=column)
    (turn,) = notebook_from(data, tmp_path, read_cell).turns
    assert [(one.model, one.text) for one in (turn, *turn.alternatives)] == expected
    assert (turn.prompt, turn.cell) == ("Hi", "c")


@pytest.mark.parametrize(
    "labels",
    [
        LABELS[:2],
        [{**LABELS[0], "chars": 2}, *LABELS[1:]],
        [{**LABELS[0], "chars": True}, *LABELS[1:]],
        [{**LABELS[0], "model": 1}, *LABELS[1:]],
        ["m1"],
        LABELS * 5,
        "m1",
    ],
)
def test_an_edited_output_is_one_text(tmp_path: Path, labels: Any) -> None:
    """Labels that do not fit the text leave one answer with all of it, and nothing is lost."""
    text = joined_columns(COLUMNS)
    assert split_columns(text, labels) is None
    (turn,) = notebook_from(notebook(text, columns=labels, column=1), tmp_path, read_cell).turns
    assert (turn.text, turn.alternatives) == (text, ())
