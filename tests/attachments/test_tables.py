"""CSV, TSV and Parquet files as tables, and what is a table among texts."""

from __future__ import annotations

import codecs
import io
import sys
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa
import pytest

from ollama_magic.attachments.sources import read_source
from ollama_magic.errors import InputError
from ollama_magic.prompt.describe import describe

if TYPE_CHECKING:
    from pathlib import Path

CITIES = "city,people\nZürich,400000\nOslo,700000\n"


def described(frame: object) -> str:
    return describe(frame, str).text


@pytest.mark.parametrize("name", ["cities.csv", "cities.txt", "cities", "cities.png"])
def test_a_csv_file_is_a_table(name: str, tmp_path: Path) -> None:
    """A CSV file is described as the frame that pandas reads from it, whatever its name."""
    (tmp_path / name).write_text(CITIES, "utf8")
    attachment = read_source(tmp_path / name, name)
    assert (attachment.kind, attachment.media_type, attachment.note) == ("table", "text/markdown", "2 × 2")
    assert attachment.text == described(pd.read_csv(io.StringIO(CITIES)))


ENCODED = {
    "mark": (codecs.BOM_UTF8 + CITIES.encode(), "2 × 2"),
    "utf-16": (CITIES.encode("utf-16"), "2 × 2"),
    "latin-1": (CITIES.encode("latin-1"), "read as Latin-1, 2 × 2"),
}


@pytest.mark.parametrize(("data", "note"), ENCODED.values(), ids=list(ENCODED))
def test_the_encodings_of_a_csv_file(data: bytes, note: str) -> None:
    """A mark is no part of the first name, and a guessed encoding is noted."""
    attachment = read_source(data, "cities.csv")
    assert attachment.text == described(pd.read_csv(io.StringIO(CITIES)))
    assert attachment.note == note


def test_the_cells_of_a_csv_file_are_as_they_are_written() -> None:
    """Zeros in front, the code NA, and digits behind a point are those of the file; an empty cell has no value."""
    text = "zip,country,share\n00123,NA,1.50\n00456,DE,\n"
    lines = read_source(text.encode(), "places.csv").text.splitlines()
    assert lines[2:4] == ["| 00123 | NA | 1.50 |", "| 00456 | DE | nan |"]


def test_a_path_in_a_variable_has_the_name_of_its_file(tmp_path: Path) -> None:
    """`-a path`, where `path` is a variable, is read as `-a words.csv` is."""
    path = tmp_path / "words.csv"
    path.write_text("name,city\nAda,London\nGrace,New York\n")
    attachment = read_source(path, "path")
    assert (attachment.name, attachment.kind) == ("path", "table")
    assert attachment.text == read_source(path, "words.csv").text


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
@pytest.mark.parametrize("name", ["cities.csv", "cities.tsv", "upload"])
def test_what_separates_the_cells(delimiter: str, name: str) -> None:
    """Commas, tabs, semicolons and bars separate cells."""
    attachment = read_source(CITIES.replace(",", delimiter).encode(), name)
    assert attachment.text == described(pd.read_csv(io.StringIO(CITIES)))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("ragged.csv", "a,b,c\n1,2,3\n4,5\n"),
        ("words.csv", "name,city\nAda,London\nGrace,New York\n"),
        ("single.csv", "name\nAda\nGrace\n"),
        ("quoted.csv", 'a,b\n"x, y\n z",2\n'),
        ("crlf.csv", "a,b\r\n1,2\r\n"),
    ],
)
def test_a_name_helps_where_the_content_could_be_both(name: str, text: str) -> None:
    """What .csv says is believed for content that could be a text as well."""
    attachment = read_source(text.encode(), name)
    assert attachment.text == described(pd.read_csv(io.StringIO(text)))


TEXTS = {
    "prose": "Dear Ada,\nthank you, and see you soon,\nGrace\n",
    "a line": "one, two, three\n",
    "code": "import os, sys\nprint(1, 2)\n",
    "addresses": "Ada, London\nGrace, New York\n",
    "json": '{"a": 1,\n"b": 2}\n',
    "markdown table": "| a | b |\n| --- | --- |\n| 1 | 2 |\n",
    "log": "2024-01-01 12:00, started\n2024-01-01 12:01, ended\n",
    "numbers": "1, 2\n3, 4\n",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=list(TEXTS))
def test_a_text_with_commas_is_no_table(text: str) -> None:
    """Prose, code and logs stay texts, letter for letter."""
    attachment = read_source(text.encode(), "notes.txt")
    assert (attachment.kind, attachment.text) == ("text", text)


@pytest.mark.parametrize("text", ["a,b\n1,2,3,4\n5\n", 'a,b\n"1,2\n', "a,b\n", ""])
def test_a_csv_file_that_pandas_cannot_read_is_text(text: str) -> None:
    """A file that is called .csv and is none is sent as text."""
    attachment = read_source(text.encode(), "odd.csv")
    assert (attachment.kind, attachment.text) == ("text", text)


def test_a_text_of_the_notebook_is_no_table() -> None:
    """A str is a text, also if it looks like CSV."""
    assert read_source(CITIES, "text").kind == "text"


def test_without_pandas_csv_is_sent_as_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without pandas a CSV file is sent as it is, and the note says so."""
    monkeypatch.setitem(sys.modules, "pandas", None)
    attachment = read_source(CITIES.encode(), "cities.csv")
    assert (attachment.kind, attachment.media_type, attachment.text) == ("text", "text/csv", CITIES)
    assert attachment.note == "as text, for want of pandas"


def parquet(frame: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.to_parquet(buffer)
    return buffer.getvalue()


FRAMES = {
    "small": pd.DataFrame({"city": ["Lima", "Oslo"], "t": [18.5, None]}),
    "long": pd.DataFrame({"n": range(9_000)}),
    "wide": pd.DataFrame({f"c{number}": [1, 2] for number in range(300)}),
    "index": pd.DataFrame({"t": [1, 2]}, index=["Lima", "Oslo"]),
    "dates": pd.DataFrame({"day": pd.to_datetime(["2024-01-01", "2024-01-02"])}),
    "empty": pd.DataFrame({"a": pd.Series([], dtype="int64")}),
}


@pytest.mark.parametrize("frame", FRAMES.values(), ids=list(FRAMES))
def test_a_parquet_file_is_a_table(frame: pd.DataFrame) -> None:
    """A Parquet file is described as the frame in it, with the shape of the whole."""
    attachment = read_source(parquet(frame), "data")
    assert attachment.text == described(frame)
    assert f" ({attachment.note})" == describe(frame, str).note


@pytest.mark.parametrize("data", [b"PAR1\0\0\0", parquet(FRAMES["small"])[:-20], b"PAR1" + b"\0" * 50 + b"PAR1"])
def test_a_broken_parquet_file_is_one_line(data: bytes) -> None:
    """A Parquet file that cannot be read is refused in one line."""
    with pytest.raises(InputError, match=r"^it cannot be attached: it is no Parquet file that can be read [^\n]+\.$"):
        read_source(data, "it")


@pytest.mark.parametrize("module", ["pandas", "pyarrow"])
def test_parquet_needs_pandas(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without pandas or pyarrow a Parquet file is refused with the command that installs them."""
    data = parquet(FRAMES["small"])
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(InputError, match=r"`pip install pandas pyarrow` brings them\.$"):
        read_source(data, "it")


@pytest.mark.parametrize("frame", [FRAMES["dates"], FRAMES["long"], FRAMES["wide"]], ids=["dates", "long", "wide"])
def test_an_arrow_table_is_described_as_a_frame(frame: pd.DataFrame) -> None:
    """A table of Arrow, and a batch of one, is a table as its frame is."""
    table = pa.Table.from_pandas(frame)
    for arrow in (table, table.to_batches()[0]):
        attachment = read_source(arrow, "it")
        assert (attachment.kind, attachment.text) == ("table", described(frame))
