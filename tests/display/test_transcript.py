"""The transcript of a panel: what is sent when it grows, and what stands in the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from ollama_magic.display.slot import settled_of
from ollama_magic.notebook.notebook_file import notebook_from
from ollama_magic.panel.transcript import OUTPUTS, Transcript
from tests.display.replies import HTML, TEXT
from tests.turns import a_turn

ANSWER = "Some *words* and `code`.\n\n```python\nprint(1)\n```\n\n- one\n- two\n\n" * 3


def some(count, first=1):
    return [a_turn(f"question {n}", ANSWER, model="demo", number=n) for n in range(first, first + count)]


def opened(turns, slot="c1/1"):
    """A transcript as a panel opens it: with the newest turns, and then with all."""
    transcript = Transcript(slot)
    transcript.open("main", turns, 20)
    transcript.update("main", turns)
    return transcript


def in_file(outputs):
    """The outputs of the cell as they stand in the file, in order."""
    newest = {display_id: (bundle, metadata) for display_id, bundle, metadata in outputs}
    return [{"output_type": "display_data", "data": data, "metadata": labels} for data, labels in newest.values()]


def questions(outputs):
    texts = "\n".join(output["data"].get(TEXT, "") for output in in_file(outputs))
    return [line for line in texts.splitlines() if line.startswith("> ")]


def test_only_what_has_changed_is_sent(shell, outputs):
    """A new turn sends the line about all turns, the newest turns, and at times one or two outputs more."""
    transcript = opened(some(100))
    before = {display_id: bundle for display_id, bundle, _ in outputs}
    sent = []
    for count in range(101, 151):
        outputs.clear()
        transcript.update("main", some(count))
        sent.append(len(outputs))
        assert all(bundle != before[display_id] for display_id, bundle, _ in outputs)
        before |= {display_id: bundle for display_id, bundle, _ in outputs}
        outputs.clear()
        transcript.update("main", some(count))
        assert outputs == []
    assert set(sent) <= {2, 3, 4}
    assert sent.count(2) > 40


@pytest.mark.parametrize("count", [0, 1, 5, 40, 190])
def test_the_file_reads_in_order(shell, outputs, count):
    """The file has all turns in their order, below a line that counts them; outputs without turns have no data."""
    transcript = opened([])
    for many in range(count + 1):
        transcript.update("main", some(many))
    shown = in_file(outputs)
    assert len(shown) == OUTPUTS
    assert questions(outputs) == [f"> question {n}" for n in range(1, count + 1)]
    assert all(set(output["data"]) in ({HTML, TEXT}, set()) for output in shown)
    lead = shown[0]["data"][TEXT].split("\n")[0]
    assert lead == (f"main: {count} turn{'s' * (count > 1)}" if count else "This conversation has no turns yet.")


def test_a_short_transcript_is_one_output(shell, outputs):
    """What is short stands in one output, below its line, and so does what has become short."""
    transcript = opened(some(100))
    transcript.update("main", some(5, first=200))
    assert [bool(output["data"]) for output in in_file(outputs)] == [True] + [False] * (OUTPUTS - 1)
    assert in_file(outputs)[0]["data"][TEXT].startswith("main: 5 turns\n\n> question 200\n\nSome")


def test_undo_in_a_long_transcript(shell, outputs):
    """Undone turns leave the file, and come back into it, in their place."""
    transcript = opened(some(100))
    transcript.update("main", some(60))
    assert questions(outputs) == [f"> question {n}" for n in range(1, 61)]
    transcript.update("main", some(100))
    assert questions(outputs) == [f"> question {n}" for n in range(1, 101)]


def test_an_answer_that_is_there_now(shell, outputs):
    """The answer to a turn that has a place already comes to stand in it."""
    turns = some(100)
    transcript = opened([*turns[:50], a_turn("question 51", "", "running", number=51), *turns[51:]])
    outputs.clear()
    transcript.update("main", turns)
    assert len(outputs) == 1
    assert f"> question 51\n\n{ANSWER}" in outputs[0][1][TEXT]


def test_older_turns_than_fit(shell, outputs):
    """A transcript that is too long says how many turns are shown, and shows these."""
    transcript = opened(some(100))
    transcript.update("main", some(1000))
    lead = in_file(outputs)[0]["data"][TEXT]
    shown = questions(outputs)
    assert lead == f"main: 1,000 turns; the last {len(shown)} are shown, and `%ollama save FILE` writes all"
    assert shown == [f"> question {n}" for n in range(1001 - len(shown), 1001)]


def test_a_reloaded_page_gets_all_of_it(shell, outputs):
    """Each output is remembered as it is now, also when it has become empty, and later than the answers before it."""
    transcript = opened(some(100))
    settled_of(shell)["c0/1"] = {TEXT: "an answer"}, {}
    transcript.update("main", some(40))
    known = settled_of(shell)
    assert next(iter(known)) == "c0/1"
    for output in in_file(outputs):
        slot = output["metadata"]["ollama_magic"]["slot"]
        assert known[slot] == (output["data"], {"panel": "main"})
    assert len({output["metadata"]["ollama_magic"]["slot"] for output in in_file(outputs)}) == OUTPUTS


def test_no_output_of_it_is_read_as_an_answer(shell, outputs):
    """A notebook file with a long transcript has no turns in it."""
    opened(some(100))
    cell = {"cell_type": "code", "id": "c1", "source": "%ollama panel", "metadata": {}, "outputs": in_file(outputs)}
    notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]}
    found = notebook_from(notebook, Path("some.ipynb"), lambda _: None)
    assert (found.turns, found.unfinished, found.promptless) == ((), 0, 0)


def test_two_panels_keep_apart(shell, outputs):
    """Each panel has outputs of its own, which its own style hides."""
    first, second = opened(some(100)), opened(some(100), "c2/1")
    outputs.clear()
    second.update("main", some(101))
    assert all(labels["ollama_magic"]["slot"].startswith("c2/1") for _, _, labels in outputs)
    assert all(second.name in bundle[HTML] and first.name not in bundle[HTML] for _, bundle, _ in outputs)
