"""A notebook file as data: its turns as it shows them, whatever else it holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ollama_magic.conversation.reply import Reply
from ollama_magic.display.settled import plain_text
from ollama_magic.errors import InputError, ServerError
from ollama_magic.notebook.notebook_file import NotebookFile, answers_unknown, notebook_from, read_notebook
from ollama_magic.notebook.notebook_text import notebook_of
from tests.notebook.samples import answer, cell, every_turn, notebook, read_cell
from tests.turns import a_turn

HERE = Path("talk.ipynb")


def read(*cells: Any, minor: int = 5) -> NotebookFile:
    return notebook_from(notebook(*cells, minor=minor), HERE, read_cell)


def texts(file: NotebookFile) -> list[tuple[str, str]]:
    return [(turn.prompt, turn.text) for turn in file.turns]


def test_a_turn_is_the_cell_and_its_output() -> None:
    """Prompt from the cell, answer from its plain text, the rest from the metadata."""
    file = read(
        cell("%%chat -m x\nwhy?\nnow", answer("so\nit is", "aaaaaaaa/1", system="Be brief."), cell_id="aaaaaaaa")
    )
    assert file.turns == (a_turn("why?\nnow", "so\nit is", model="gemma3:1b", system="Be brief.", cell="aaaaaaaa"),)
    assert (file.ids, file.prompts, file.nbformat) == (("aaaaaaaa",), ("why?\nnow",), (4, 5))


def test_metadata_is_stronger_than_the_cell() -> None:
    """A prompt that was filled in, or typed on one line, is read from the metadata."""
    file = read(
        cell("%%chat\nsum up {{df}}", answer("one", "a/1", prompt="sum up |a|")),
        cell("for q in qs:\n    %chat {{q}}", answer("two", "b/1", prompt="p"), answer("three", "b/2", prompt="q")),
    )
    assert texts(file) == [("sum up |a|", "one"), ("p", "two"), ("q", "three")]


def test_what_was_not_remembered_is_left_out() -> None:
    """`--once`, answers on their way, those that ended before any text, and other outputs are no turns."""
    once = answer("x", "a/1", conversation=None)
    stream = {"output_type": "stream", "name": "stdout", "text": ["hello"]}
    other = {"output_type": "execute_result", "data": {"text/plain": "3"}, "metadata": {}}
    file = read(
        cell("%%chat\none", once, stream, other),
        cell("%%chat\ntwo", answer("An answer is on its way", "b/1", "running")),
        cell("%%chat\nthree", answer("[failed: no server]", "c/1", "failed")),
        cell("print(3)", answer("no prompt", "d/1")),
        cell("%%chat\nfour", kind="markdown"),
    )
    assert (file.turns, file.unfinished, file.promptless) == ((), 1, 1)


@pytest.mark.parametrize("state", ["complete", "stopped", "cut", "failed"])
@pytest.mark.parametrize(
    "text", ["so", "so [stopped]", "so\n\n[stopped]", "so\n\n[cut]\n", "so\n\n[failed: x]\n\n[cut]"]
)
def test_a_mark_is_taken_off_where_the_state_says_so(state: str, text: str) -> None:
    """What the display leaves is read back: the mark of the state, once, and nothing that was said."""
    reply = Reply(text_parts=[text], state=state, error=ServerError("it said [no]") if state == "failed" else None)
    (turn,) = read(cell("%%chat\nq", answer(plain_text(reply), "a/1", state))).turns
    assert (turn.text, turn.state, turn.outcome.error) == (text, state, "it said [no]" if state == "failed" else "")


def test_a_state_without_its_mark() -> None:
    """A mark that somebody took away takes nothing else with it."""
    (turn,) = read(cell("%%chat\nq", answer("so it is", "a/1", "stopped"))).turns
    assert (turn.text, turn.state) == ("so it is", "stopped")


def test_order_and_copies() -> None:
    """Turns stand in the order of the cells; a cell copied within the notebook does not say its answer twice."""
    one, two = answer("1", "aaaaaaaa/1", prompt="p"), answer("2", "aaaaaaaa/2", prompt="q")
    file = read(
        cell("%%chat\ncopy", one, cell_id="cccccccc"),
        cell("%%chat\nx", one, two, cell_id="aaaaaaaa"),
        cell("%%chat\nmoved here", answer("3", "zzzzzzzz/1"), cell_id="bbbbbbbb"),
        cell("%%chat\nno ids", answer("4", "1")),
        cell("%%chat\nof another run", answer("5", "1")),
    )
    assert [turn.text for turn in file.turns] == ["1", "2", "3", "4", "5"]
    assert file.turns[0].cell == "aaaaaaaa"


def test_a_slot_that_was_sent_twice_is_one_answer() -> None:
    """Of a slot that stands twice in a cell the newer text counts, in the place of the first."""
    file = read(cell("%%chat\nq", answer("old", "3"), answer("other", "4", prompt="r"), answer("new", "3")))
    assert texts(file) == [("q", "new"), ("r", "other")]


def test_strings_and_lists() -> None:
    """Source and text may be one string or a list of lines."""
    data = notebook(cell("%%chat\nwhy\n", answer("a\nb", "1")))
    data["cells"][0]["source"] = "%%chat\nwhy\n"
    data["cells"][0]["outputs"][0]["data"]["text/plain"] = "a\nb"
    assert texts(notebook_from(data, HERE, read_cell)) == [("why\n", "a\nb")]


@pytest.mark.parametrize("minor", [0, 1, 2, 3, 4, 5, 9])
def test_formats(minor: int) -> None:
    """Every format from 4.0 on is read, with ids and without."""
    file = read(cell("%%chat\nq", answer("a", "1")), minor=minor)
    assert (texts(file), file.nbformat) == ([("q", "a")], (4, minor))


def test_broken_parts_are_left_out() -> None:
    """Whatever is broken in a cell, the others are read."""
    good = cell("%%chat\nq", answer("a", "1"))
    broken: list[Any] = [
        None, 3, [], {}, {"cell_type": "code"}, {"cell_type": "code", "source": 3, "outputs": "x"},
        {"cell_type": "code", "source": ["%%chat\n", 5], "outputs": [None, {}, {"data": 3, "metadata": 4}]},
        cell("%%chat\nx", {"data": {"text/plain": ["a", 1]}, "metadata": {"ollama_magic": {"state": "complete"}}}),
        cell("%%chat\nx", {"data": {"text/plain": "a"}, "metadata": {"ollama_magic": ["no"]}}),
        cell("%%chat\nx", answer("a", "2", state=["complete"])),  # type: ignore[arg-type]
        cell("q", answer("a", prompt=5)), {"id": 5, "cell_type": "code"}, {"id": "a:b"},
    ]  # fmt: skip
    assert texts(read(*broken, good)) == [("q", "a")]


def test_strange_labels_are_made_fit() -> None:
    """Names from a file lose their escapes, a lone surrogate is replaced, what is no name is none."""
    labels = {"model": "m\x1b[31m\n", "conversation": 5, "prompt": "\ud800", "system": []}
    (turn,) = read(cell("", answer("a\udc00", "s", **labels))).turns
    assert (turn.model, turn.conversation, turn.prompt, turn.settings.system, turn.text) == (
        "m",
        "main",
        "\ufffd",
        "",
        "a\ufffd",
    )


def test_a_reader_that_fails_costs_its_own_cell_only() -> None:
    """A chat cell whose first line cannot be read is left out."""

    def fails(source: str) -> None:
        raise InputError(source)

    file = notebook_from(notebook(cell("%%chat --nonsense\nq", answer("a", "1"))), HERE, fails)
    assert (file.turns, file.promptless) == ((), 1)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "is not JSON"),
        ("[" * 200_000, "nested too deeply|not JSON"),
        ('{"a": ' + "9" * 5000 + "}", "is not a notebook"),
        ("[]", "is not a notebook"),
        ('{"nbformat": 3, "worksheets": []}', "has an older notebook format"),
        ('{"nbformat": 5, "cells": []}', "has a newer notebook format"),
        ('{"nbformat": 4}', "without cells"),
    ],
)
def test_what_is_no_notebook(tmp_path: Path, content: str, said: str) -> None:
    """Each file that is no notebook of today is refused in one line."""
    path = tmp_path / "a.ipynb"
    path.write_text(content, encoding="utf8")
    with pytest.raises(InputError, match=said) as caught:
        read_notebook(path, read_cell)
    assert "\n" not in str(caught.value)


def test_a_huge_file_is_refused(tmp_path: Path) -> None:
    """A file above the limit is not read."""
    path = tmp_path / "a.ipynb"
    path.write_text(json.dumps(notebook()), encoding="utf8")
    with pytest.raises(InputError, match="larger than"):
        read_notebook(path, read_cell, limit=20)


def test_answers_from_elsewhere() -> None:
    """Answers that the store knows, control characters aside, are not from elsewhere."""
    turns = [a_turn("p", text) for text in ("one", "two\n", "three", "three")]
    assert answers_unknown(turns, ["o\x00ne", "two\r\n", "four"]) == 2
    assert answers_unknown([], ["one"]) == 0


def test_a_saved_notebook_reads_back() -> None:
    """A conversation saved as a notebook shows the same turns, control characters, thinking and times aside."""
    turns = [turn for turn in every_turn() if (turn.text or turn.state == "complete") and "\x00" not in turn.text]
    turns = [turn for turn in turns if "\r" not in turn.text]
    file = notebook_from(json.loads(notebook_of(turns)), HERE, read_cell)
    assert texts(file) == [(turn.prompt, turn.text) for turn in turns]
    assert [one.state for one in file.turns] == [turn.state for turn in turns]
    assert [one.settings.system for one in file.turns] == [turn.settings.system for turn in turns]
    assert [one.conversation for one in file.turns] == [turn.conversation for turn in turns]
    assert len(set(file.ids)) == len(turns) + 1
