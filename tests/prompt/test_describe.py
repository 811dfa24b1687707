"""What values look like in a prompt, and how much of them gets there."""

import collections
import dataclasses
from typing import NamedTuple

import pandas as pd
import pytest

from ollama_magic.prompt.describe import describe
from ollama_magic.prompt.fill import fill


def text(value):
    return fill("{{x}}", {"x": value}).text


def note(value):
    return fill("{{x}}", {"x": value}).notes[0]


class Endless(list):
    """A list that says it is long, and counts how much of it is looked at."""

    looked_at = 0

    def __len__(self):
        return 10**10

    def __iter__(self):
        while True:
            self.looked_at += 1
            yield "an item"


class Frame:
    """A data frame as far as it is asked: shape, columns, head, and the rows of that."""

    def __init__(self, cells, columns, index=None):
        self.cells, self.columns = cells, columns
        self.shape = (len(cells), len(columns))
        self.index = index

    def head(self, n=5):
        return Frame(self.cells[:n], self.columns, self.index and self.index[:n])

    def itertuples(self, index=True, name="Row"):
        return iter([tuple(row) for row in self.cells])

    def __repr__(self):
        raise AssertionError("a frame is not shown by its repr")


@dataclasses.dataclass
class Point:
    x: int
    hidden: int = dataclasses.field(default=0, repr=False)


class Pair(NamedTuple):
    left: int
    right: str


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("as it is\n\t'quoted'", "as it is\n\t'quoted'"),
        (1.5, "1.5"),
        (None, "None"),
        (10**20, "1" + "0" * 20),
        ([1, "a", None], "[1, 'a', None]"),
        ((1,), "(1,)"),
        ({"k": [1, 2], 3: {}}, "{'k': [1, 2], 3: {}}"),
        ({3, 1, 2}, "{1, 2, 3}"),
        (frozenset(), "frozenset()"),
        (set(), "set()"),
        ((), "()"),
        (frozenset("a"), "frozenset({'a'})"),
        (collections.deque([1]), "deque([1])"),
        (collections.Counter("a"), "Counter({'a': 1})"),
        (Point(1), "Point(x=1)"),
        (Pair(1, "b"), "Pair(left=1, right='b')"),
        (range(10**9), "range(0, 1000000000)"),
        (b"ab", "b'ab'"),
    ],
)
def test_small_values_are_one_line(value, shown):
    """A text is itself, other values look as in Python."""
    assert text(value) == shown


def test_an_endless_number_is_its_size():
    """A number too long to be written is told by its size."""
    assert text(10**5000) == "<int of 16,610 bits>"


def test_larger_values_are_laid_out():
    """What does not fit a line is written below one another, short items side by side."""
    shown = text({"numbers": list(range(40)), "person": {"name": "x" * 60, "town": "y" * 60}})
    assert shown.splitlines()[:3] == ["{", "  'numbers': [", "    " + " ".join(f"{i}," for i in range(28))]
    assert f"    'town': '{'y' * 60}'\n  }}\n}}" in shown
    assert max(map(len, shown.splitlines())) <= 110


def test_a_long_text_is_cut():
    """A text takes 8,000 characters, then it says of how many; the note says it too."""
    assert text("x" * 8_000) == "x" * 8_000
    assert text("x" * 8_001) == "x" * 8_000 + "… of 8,001 characters"
    assert text("x" * 20_000) == "x" * 8_000 + "… of 20,000 characters"
    assert note("x" * 20_000) == "filled x (the first 8,000 characters … of 20,000 characters)"
    assert text(b"\xfe" * 20_000) == repr(b"\xfe" * 20_000)[:8_000] + "… of 20,000 bytes"


def test_only_what_is_shown_is_looked_at():
    """A list of 10 billion items costs what its first 8,000 characters cost."""
    endless = Endless()
    shown = text({"rows": endless})
    assert len(shown) < 8_100
    assert endless.looked_at < 2_000
    assert text(endless).endswith("… of 10,000,000,000 items")


def test_a_value_that_holds_itself_ends():
    """Cycles and deep nests end after a few levels."""
    nest = [1]
    nest.append(nest)
    assert text(nest).endswith("…" + "]" * 12)


def test_a_long_repr_is_cut():
    """An object that says too much is cut like a text."""

    class Talkative:
        def __repr__(self):
            return "t" * 9_000

    assert text(Talkative()) == "t" * 8_000 + "… of 9,000 characters"


def test_a_frame_is_a_table_of_its_head():
    """A data frame becomes a Markdown table of its head with its shape; pipes and line ends are escaped."""
    frame = Frame([[1.5, "a|b"], [0.1 + 0.2, "c\nd"], [None, "e\r\nf"]], ["x", "y|z"])
    assert text(frame).splitlines() == [
        "| x | y\\|z |",
        "| --- | --- |",
        "| 1.5 | a\\|b |",
        "| 0.3 | c\\nd |",
        "|  | e\\nf |",
        "",
        "(3 rows × 2 columns)",
    ]
    assert note(frame) == "filled x (3 × 2)"


def test_a_large_frame_says_how_large():
    """Ten rows and twenty columns are shown, then the table says of how many."""
    frame = Frame([[i * 100 + j for j in range(30)] for i in range(1_200)], [f"c{j}" for j in range(30)])
    lines = text(frame).splitlines()
    assert lines[0].endswith("| c18 | c19 |")
    assert lines[11].startswith("| 900 | 901 |")
    assert lines[12:] == ["", "(1,200 rows × 30 columns; the first 10 … of 1,200 rows; the first 20 … of 30 columns)"]
    assert note(frame) == "filled x (1,200 × 30, head)"


def test_a_frame_keeps_its_labels():
    """Labels of rows are the first column, below the name of the index where it has one."""
    assert text(Frame([[1], [2]], ["x"], ["a", "b"])).splitlines()[2:4] == ["| a | 1 |", "| b | 2 |"]
    sales = pd.DataFrame({"city": ["Lima", "Oslo"], "year": [1, 2], "pieces": [3, 4]})
    assert text(sales.groupby("city").pieces.sum()).splitlines()[0] == "| city | pieces |"
    assert text(sales.groupby("city").sum()).splitlines()[0] == "| city | year | pieces |"
    assert text(sales.set_index(["city", "year"])).splitlines()[0] == "| city, year | pieces |"


def test_a_wide_frame_keeps_to_the_limit():
    """Long cells are cut, and rows left out, until the table fits 8,000 characters."""
    shown = text(Frame([["z" * 5_000] * 30 for _ in range(10)], ["w" * 500] * 30))
    assert len(shown) <= 8_000
    assert shown.splitlines()[2].startswith("| " + "z" * 150 + "… |")
    assert "the first 1 … of 10 rows" in shown


@pytest.mark.parametrize("limit", [500, 1_000, 2_000, 3_000, 6_000])
@pytest.mark.parametrize("labels", [None, ["l" * 500] * 3])
def test_a_wide_frame_keeps_to_a_small_limit_too(limit, labels):
    """Where a single row does not fit, its texts are shortened, then columns are left out, and the note says so."""
    frame = Frame([["z" * 500] * 20 for _ in range(3)], ["w" * 500] * 20, *([labels] if labels else []))
    shown = describe(frame, str, limit)
    assert limit / 2 < len(shown.text) <= limit
    assert "long texts cut" in shown.text
    assert ("of 20 columns" in shown.text) == (limit == 500)
    assert shown.note == " (3 × 20, head)"


def test_a_small_frame_is_whole_in_a_small_limit():
    """What fits is not shortened."""
    assert describe(Frame([["z" * 100]], ["w"]), str, 300).text.splitlines()[2] == f"| {'z' * 100} |"


def test_a_table_stands_on_lines_of_its_own():
    """Text on the same line is kept apart from a table, and nothing is added where it stands alone."""
    variables = {"x": Frame([[1]], ["a"])}
    table = "| a |\n| --- |\n| 1 |\n\n(1 row × 1 column)"
    assert fill("see {{x}}, then", variables).text == f"see \n\n{table}\n\n, then"
    assert fill("see\n{{x}}\nthen", variables).text == f"see\n{table}\nthen"


def test_an_empty_frame_is_its_shape():
    """A frame without columns is no table, only a shape."""
    assert text(Frame([], [])) == "(0 rows × 0 columns)"


def test_a_series_is_a_table():
    """A series of pandas or polars is a table of one column."""

    class Series:
        shape, name = (2,), "s"

        def head(self, n=5):
            return self

        def to_list(self):
            return [1, 2]

    assert text(Series()) == "| s |\n| --- |\n| 1 |\n| 2 |\n\n(2 rows)"


def test_an_array_says_its_shape():
    """The repr of an array leaves out the middle, so its shape stands before it."""

    class Array:
        shape, dtype = (1_000, 3), "float64"

        def __repr__(self):
            return "array([[0., …]])"

    assert text(Array()) == "1,000 × 3 float64:\narray([[0., …]])"
