"""Rows in, a frame out: what is asked, in which order it comes, what is saved, what a failure is."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path
from typing import TypedDict

import numpy as np
import pandas as pd
import pytest

import ollama_magic
from ollama_magic.errors import InputError
from tests.mapping.quick_server import Refusal
from tests.mapping.replies import Mood, echo, moods, prompts


class Place(TypedDict):
    """An answer whose fields are called like columns of a map."""

    state: str
    tokens: int


def test_a_frame_in_a_frame_out(start) -> None:
    """The frame that comes back has the rows, the value's fields, and how each row went, under the same index."""
    start(answers=moods)
    reviews = pd.DataFrame({"text": ["It is fine.", "It broke."], "stars": [5, 1]}, index=["a", "b"])
    frame = ollama_magic.map("Good or bad? {{text}}", reviews, format=Mood).frame()
    assert list(frame.columns) == ["text", "stars", "mood", "state", "error", "tokens", "seconds"]
    assert list(frame.index) == ["a", "b"]
    assert list(frame["mood"]) == ["good", "bad"]
    assert set(frame["state"]) == {"complete"}


def test_order_is_that_of_the_rows(start) -> None:
    """However the answers come, the frame and the values are in the order of the rows, the iteration in theirs."""

    def answers(body):
        if "row 0" in body["prompt"]:
            time.sleep(0.4)
        return echo(body)

    start(answers=answers)
    results = ollama_magic.map("{{text}}", [f"row {number}" for number in range(6)])
    finished = [row.index for row in results]
    assert sorted(finished) == list(range(6))
    assert finished[0] != 0
    assert results.values == [f"row {number}" for number in range(6)]


def test_rows_are_taken_by_their_place(start) -> None:
    """A slice of the results is a list of rows, as it is of a list; a place from the end counts backwards."""
    start(answers=echo)
    results = ollama_magic.map("{{text}}", ["a", "b", "c"]).wait()
    assert [row.text for row in results[0:2]] == ["a", "b"]
    assert [row.text for row in results[::-1]] == ["c", "b", "a"]
    assert results[5:] == []
    assert results[-1].text == "c"


def test_nothing_is_asked_twice(start, cache) -> None:
    """The same call asks for nothing, another row is asked alone, and `cache=False` asks anew."""
    server = start(answers=echo)
    rows = ["a", "b"]
    assert ollama_magic.map("Say {{text}}", rows, cache=cache).values == ["Say a", "Say b"]
    results = ollama_magic.map("Say {{text}}", [*rows, "c"], cache=cache).wait()
    assert [row.cached for row in (results[0], results[1], results[2])] == [True, True, False]
    assert len(prompts(server)) == 3
    assert ollama_magic.map("Say {{text}}", rows, cache=False).values == ["Say a", "Say b"]
    assert len(prompts(server)) == 5


def test_a_duplicate_is_asked_once(start) -> None:
    """Rows with the same prompt share one answer."""
    server = start(answers=echo)
    assert ollama_magic.map("Say {{text}}", ["a", "b", "a", "a"]).values == ["Say a", "Say b", "Say a", "Say a"]
    assert sorted(prompts(server)) == ["Say a", "Say b"]


def test_a_thousand_rows_of_which_three_fail(quick) -> None:
    """A refused row, one that hangs and one of nonsense fail alone; 997 are right, and retry asks for the three."""
    well = []

    async def answer(prompt: str) -> str | Refusal:
        if prompt == "row 100" and not well:
            return Refusal(500)
        if prompt == "row 500" and not well:
            await asyncio.sleep(60)
        return "so so" if prompt == "row 700" and not well else '{"mood": "good"}'

    server = quick(answer)
    results = ollama_magic.map("row {{text}}", range(1000), format=Mood, timeout=6, concurrency=4)
    frame = results.frame()
    assert [row.error for row in results.errors if row.index not in (100, 500, 700)] == []
    assert frame["state"].value_counts().to_dict() == {"complete": 997, "failed": 3}
    assert frame["mood"].count() == 997
    assert [row.index for row in results.errors] == [100, 500, 700]
    assert "failed (500): no" in results.errors[0].error
    assert "had not answered in time" in results.errors[1].error
    assert (
        results.errors[2].error == "The answer is no Mood: it is not JSON (Expecting value: line 1 column 1 (char 0))."
    )
    assert server.total == 1000
    well.append(1)
    assert results.retry().errors == []
    assert server.total == 1003
    assert results.frame()["mood"].count() == 1000


@pytest.mark.parametrize(
    ("prompt", "rows", "said"),
    [
        ("Say {{txt}}", [{"text": "a"}], r"\{\{txt\}\} is no column: no such variable; the rows have text"),
        ("Say it", [{"text": "a"}], "the same for every row"),
        ("Say {{text}}", "a text", "put a single one into a list"),
        ("Say {{text}}", {"text": ["a"]}, "put a single one into a list"),
        ("Say {{text}}", 7, "Rows are a frame, or a list"),
        ("Say {{text}}", [{"text": "a"}, "b"], "Row 1 is str, and others have columns"),
        (" ", ["a"], "The prompt is empty"),
    ],
)
def test_what_is_no_map_is_refused(start, prompt, rows, said) -> None:
    """A wrong name, or rows that are none, are one line before anything is sent."""
    server = start()
    with pytest.raises(InputError, match=said):
        ollama_magic.map(prompt, rows)
    assert prompts(server) == []


def test_answers_that_are_forgotten_leave_no_byte(start, cache) -> None:
    """`forget()` erases what this map saved, from the file and its log, and it is asked for again."""
    server = start(answers=echo)
    results = ollama_magic.map("Say {{text}}", ["a secret word"], cache=cache).wait()
    assert any(b"secret" in path.read_bytes() for path in Path(cache).parent.iterdir())
    results.forget()
    assert not any(b"secret" in path.read_bytes() for path in Path(cache).parent.iterdir())
    ollama_magic.map("Say {{text}}", ["a secret word"], cache=cache).wait()
    assert len(prompts(server)) == 2


def test_a_row_fails_alone_without_a_value_and_is_not_sent(start) -> None:
    """None, NaN and a missing column are rows that say so."""
    server = start(answers=echo)
    rows = [{"text": "a"}, {"text": float("nan")}, {"text": None}, {"other": 1}]
    results = ollama_magic.map("Say {{text}}", rows)
    assert [row.error.partition(";")[0] for row in results.errors] == [
        "text has no value in this row (nan)",
        "text has no value in this row (None)",
        "the row has no text",
    ]
    assert prompts(server) == ["Say a"]
    assert repr(results).startswith("text from the rows\nrows: 1 answer, 3 failed.")


def test_an_empty_prompt_is_not_sent(start) -> None:
    """A server would load the model and answer nothing, which would count as an answer."""
    server = start(answers=echo)
    results = ollama_magic.map("{{text}}", ["", " \n", "a"])
    assert [row.error for row in results.errors] == ["The prompt of this row is empty; nothing was sent."] * 2
    assert prompts(server) == ["a"]


def test_the_columns_of_the_rows_stay_as_they_are(start) -> None:
    """Where an answer has a field of the same name, it stands beside the row's own."""
    start(answers=moods)
    frame = ollama_magic.map("{{text}}", [{"text": "fine", "mood": "?", "state": "TX"}], format=Mood).frame()
    assert list(frame.columns)[:5] == ["text", "mood", "state", "mood_answer", "state_answer"]
    assert frame.iloc[0, :5].tolist() == ["fine", "?", "TX", "good", "complete"]


def test_a_field_called_state_is_not_lost(start) -> None:
    """How a row went and what its answer says have a column each, whatever the fields are called."""
    start(answers=lambda _: ['{"state": "TX", "tokens": 7}'])
    results = ollama_magic.map("{{text}}", ["a"], format=Place)
    assert list(results.frame().columns)[1:] == ["state_answer", "tokens_answer", "state", "error", "tokens", "seconds"]
    assert results.frame().iloc[0, 1:4].tolist() == ["TX", 7, "complete"]
    assert "state_answer  tokens_answer" in repr(results)


def test_the_frame_of_a_map_is_rows_of_the_next(start) -> None:
    """However often that is done, no column covers another one."""
    start(answers=echo)
    frame = ollama_magic.map("1 {{text}}", ["a"]).frame()
    for number in (2, 3):
        results = ollama_magic.map(f"{number} {{{{text}}}}", frame)
        frame = results.frame()
        assert list(results.records()[0]) == list(frame.columns)
    assert frame.columns.is_unique
    assert frame.iloc[0][["answer", "answer_answer", "answer_answer_answer"]].tolist() == ["1 a", "2 a", "3 a"]


def test_a_whole_number_stays_exact_beside_a_failed_row(start) -> None:
    """A column with a gap would become floats, which do not hold every large whole number."""
    start(answers=lambda body: ["9007199254740993" if body["prompt"] == "a" else "nothing"])
    assert ollama_magic.map("{{text}}", ["a", "b"], format=int).frame()["value"].tolist() == [9007199254740993, None]


def test_a_field_called_value_stands_beside_single_values(start) -> None:
    """Answers of which some have fields and some have none share that column."""
    start(answers=lambda body: ['{"value": 1}' if body["prompt"] == "a" else "2"])
    assert ollama_magic.map("{{text}}", ["a", "b"], format="json").frame()["value"].tolist() == [1, 2]


def test_a_row_that_cannot_be_written_is_named_by_its_type(start) -> None:
    """A column that no prompt reads may hold anything; the table of the first rows is shown all the same."""

    class Unwritten:
        def __repr__(self) -> str:
            raise RuntimeError("no words")

    start(answers=echo)
    assert "Unwritten" in repr(ollama_magic.map("Say {{text}}", [{"text": "a", "other": Unwritten()}]).wait())


def test_no_rows_are_no_work(start) -> None:
    """An empty frame gives an empty frame."""
    server = start()
    assert ollama_magic.map("Say {{text}}", pd.DataFrame({"text": []})).frame().empty
    assert ollama_magic.map("Say {{text}}", []).values == []
    assert prompts(server) == []


def test_where_there_is_no_store_one_has_to_be_named(start) -> None:
    """`cache=True` in a script is refused with what to write; a wrong one too."""
    start(answers=echo)
    with pytest.raises(InputError, match=r"name a file: cache='answers\.sqlite'"):
        ollama_magic.map("Say {{text}}", ["a"], cache=True)
    for wrong in (7, [], np.array([1, 2])):
        with pytest.raises(InputError, match="cache is a path"):
            ollama_magic.map("Say {{text}}", ["a"], cache=wrong)
    with pytest.raises(InputError, match="home folder that does not exist"):
        ollama_magic.map("Say {{text}}", ["a"], cache="~nobody-of-that-name/answers.sqlite")


def test_a_store_that_cannot_be_written_loses_no_answer(start, tmp_path: Path) -> None:
    """The answers come all the same, and one line says that they are not saved, and why."""
    start(answers=echo)
    (tmp_path / "rows.csv").write_text("text\na\n")
    results = ollama_magic.map("Say {{text}}", ["a", "b"], cache=tmp_path / "rows.csv" / "answers.sqlite")
    assert results.values == ["Say a", "Say b"]
    assert "2 answers not saved" in repr(results)
    assert any("answers.sqlite" in note for note in results.notes)
    with pytest.raises(InputError, match=r"rows\.csv is no file of answers"):
        ollama_magic.map("Say {{text}}", ["a"], cache=tmp_path / "rows.csv")
    assert (tmp_path / "rows.csv").read_text() == "text\na\n"


@pytest.mark.skipif(sys.platform == "win32", reason="needs a named pipe")
def test_a_pipe_is_no_file_of_answers(start, tmp_path: Path) -> None:
    """It is refused without being opened, which would wait for ever."""
    start(answers=echo)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="is not a regular file"):
        ollama_magic.map("Say {{text}}", ["a"], cache=tmp_path / "pipe")
