"""Rows of every kind and templates of every kind: which prompts they make."""

from __future__ import annotations

import contextlib
import sqlite3
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from ollama_magic.errors import InputError
from ollama_magic.magics.caller_scope import caller_scope
from ollama_magic.mapping.rows import rows_of
from ollama_magic.mapping.templates import checked_template
from ollama_magic.prompt.fill import field_names
from ollama_magic.prompt.resolve import NotFilled


@dataclass
class Review:
    """A row."""

    text: str
    stars: int = 5


class Point(NamedTuple):
    """A row, too."""

    x: int
    y: int


class Column(list[object]):
    """A column as polars has it."""

    to_list = list.copy


class Polars:
    """A frame with the part of polars' protocol that is read: names of columns, columns by name, and a length."""

    def __init__(self, columns: dict[str, list[object]]) -> None:
        self._columns, self.columns = columns, list(columns)

    def __len__(self) -> int:
        return len(self._columns[self.columns[0]])

    def __getitem__(self, name: str) -> Column:
        return Column(self._columns[name])


def prompts(template: str, rows: object, **variables: object) -> list[str]:
    """The prompts of all rows, and why a row has none."""
    read = rows_of(rows, field_names(template))
    made = checked_template(template, read, variables, str, 8000, lambda _: None)
    cells = read.cells(made.columns)
    found = []
    for place in range(len(read)):
        try:
            found.append(made.fill(cells[place]).text)
        except NotFilled as why:
            found.append(f"✗ {why}")
    return found


@pytest.mark.parametrize(
    ("template", "rows", "expected"),
    [
        ("{{text}}!", ["a", "b"], ["a!", "b!"]),
        ("{{country}}?", ["Peru"], ["Peru?"]),
        ("{{text}}", (letter for letter in "ab"), ["a", "b"]),
        ("{{n}}", range(2), ["0", "1"]),
        ("{{text}} {{stars}}", [{"text": "a", "stars": 5}], ["a 5"]),
        ("{{text}} {{stars}}", [Review("a")], ["a 5"]),
        ("{{x}},{{y}}", [Point(1, 2)], ["1,2"]),
        ("{{text}}", pd.DataFrame({"text": ["a", "b"], "other": [1, 2]}), ["a", "b"]),
        ("{{review text}}", pd.DataFrame({"review text": ["a"]}), ["a"]),
        ("{{text}}", pd.Series(["a"], name="text"), ["a"]),
        ("{{text}} {{n}}", pa.table({"text": ["a", "b"], "n": [1, 2]}), ["a 1", "b 2"]),
        ("{{text}}", pa.record_batch({"text": ["a"], "n": [1]}), ["a"]),
        ("{{text}}", pa.array(["a", "b"]), ["a", "b"]),
        ("{{text}}", pa.chunked_array([["a"], [None]]), ["a", "✗ text has no value in this row (None)"]),
        ("{{text}}", pd.DataFrame({"text": ["a"], "num_rows": [1], "column_names": [2], "columns": [3]}), ["a"]),
        ("{{text}} {{n}}", Polars({"text": ["a", "b"], "n": [1, 2]}), ["a 1", "b 2"]),
        ("{{text}}", iter([{"text": "a"}, {"text": "b"}]), ["a", "b"]),
        ("{{s}}", pd.Series(["a"], name="text"), ["a"]),
        ("{{place['city']}}", [{"place": {"city": "Lima"}}], ["Lima"]),
        ("{{text[:most]}}", [{"text": "abcdef"}], ["abc"]),
        ("{{topic}}: {{text}}", [{"text": "a"}], ["tea: a"]),
        ("{{topic}}", [{"topic": "of the row"}], ["of the row"]),
        ("{{{text}}} {{#if x}} {{text}}", ["a"], ["{{{text}}} {{#if x}} a"]),
        ("{{text}}", [{"text": "{{topic}}"}], ["{{topic}}"]),
        ("{{text}}", [], []),
        ("{{text}}", pd.DataFrame({"text": []}), []),
    ],
)
def test_rows_become_prompts(template, rows, expected) -> None:
    """A field is a column, else a variable; what a row holds is never filled itself."""
    assert prompts(template, rows, topic="tea", most=3) == expected


@pytest.mark.parametrize(
    "empty",
    [None, float("nan"), pd.NA, pd.NaT, np.float32("nan"), np.datetime64("NaT"), Decimal("NaN"), Decimal("sNaN")],
)
def test_a_row_without_a_value_is_no_prompt(empty) -> None:
    """None, NaN, NA and NaT in a column that is read fail the row; in another column they do no harm."""
    rows = [{"text": "a", "stars": empty}, {"text": empty, "stars": 1}]
    assert prompts("{{text}}", rows)[0] == "a"
    assert prompts("{{text}}", rows)[1].startswith("✗ text has no value in this row")
    for frame in (pd.DataFrame(rows), pa.table({"text": ["a", None]}), Polars({"text": ["a", empty]})):
        assert prompts("{{text}}", frame)[1].startswith("✗ text has no value in this row")


def test_a_row_without_the_column_never_takes_the_variable() -> None:
    """A row that lacks a column which others have is no prompt, though a variable has that name."""
    rows = [{"text": "a", "topic": "tea"}, {"text": "b"}]
    assert prompts("{{topic}}: {{text}}", rows, topic="of the notebook") == ["tea: a", "✗ the row has no topic"]


def test_only_the_variables_of_a_field_are_looked_at() -> None:
    """A column with a variable in its `[…]` is filled also in a function whose other variables have no value yet."""

    def ask() -> list[str]:
        most = 3
        rows = rows_of([{"text": "abcdef"}], ["text"])
        template = checked_template("{{text[:most]}}", rows, caller_scope({}), str, 8000, lambda _: None)
        filled = template.fill(rows.row(0))
        assert most
        return [filled.text]

    assert ask() == ["abc"]


def test_the_frame_is_read_as_it_was() -> None:
    """What the user changes in the meantime does not count."""
    frame = pd.DataFrame({"text": ["a"]})
    rows = rows_of(frame, ["text"])
    frame["text"] = ["changed"]
    assert rows.row(0) == {"text": "a"}


def test_a_value_that_is_cut_is_counted() -> None:
    """The template says how long a value was that did not fit."""
    template = checked_template("{{text}}", rows_of(["a"], ["text"]), {}, str, 10, lambda _: None)
    assert template.fill({"text": "x" * 50}).cut == 50


def test_keys_are_masked() -> None:
    """No key leaves in a row."""
    rows = rows_of(["my key is hunter22"], ["text"])
    template = checked_template(
        "{{text}}", rows, {}, lambda text: text.replace("hunter22", "•••"), 8000, lambda _: None
    )
    assert template.fill({"text": "my key is hunter22"}).text == "my key is •••"


def test_a_name_of_two_columns_is_refused() -> None:
    """It is not known which of them is meant; where the template does not name it, it does no harm."""
    frame = pd.DataFrame([["a", 1, 2], ["b", 3, 4]], columns=["text", "n", "n"])
    assert prompts("{{text}}", frame) == ["a", "b"]
    with pytest.raises(InputError, match="several columns that are called n; rename them"):
        prompts("{{text}} {{n}}", frame)


def test_rows_of_a_database_are_records() -> None:
    """What `sqlite3` returns has the columns of its query."""
    with contextlib.closing(sqlite3.connect(":memory:")) as connection:
        connection.row_factory = sqlite3.Row
        found = connection.execute("SELECT 'a' AS text, 5 AS stars UNION ALL SELECT NULL, 4")
        assert prompts("{{text}}", found) == ["a", "✗ text has no value in this row (None)"]


def test_mixed_rows_are_refused() -> None:
    """Texts among dicts are one line that names the first."""
    with pytest.raises(InputError, match="Row 1 is str"):
        rows_of([{"text": "a"}, "b"], ["text"])
