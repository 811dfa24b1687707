"""Tables in files, CSV, TSV and Parquet: read by pandas and described as `{{df}}` is."""

from __future__ import annotations

import csv
import re
import warnings
from io import BytesIO, StringIO
from itertools import islice
from typing import TYPE_CHECKING, Any

from ollama_magic.attachments.libraries import pandas
from ollama_magic.prompt.describe import describe

if TYPE_CHECKING:
    from ollama_magic.attachments.reading import Reading
    from ollama_magic.turns.attachment import Attachment

_SAMPLE, _ROWS = 100_000, 50  # characters and rows that say whether it is a table
_DELIMITERS = ",\t;|"
_NAMED = (".csv", ".tsv", ".tab")
_NUMBER = re.compile(r"\s*[-+]?[\d.,]*\d(?:[eE][-+]?\d+)?\s*%?|\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}.*")
_COLUMNS = 200  # of a Parquet file that are read
_UNPACKED = 1_000_000_000  # bytes that the first part of a Parquet file may have
_WIDEST = 10_000  # columns of a CSV file that is a table
_AS_WRITTEN: dict[str, Any] = {"dtype": str, "na_values": [""], "keep_default_na": False}  # 007 is no 7, NA no NaN
_NO_PARQUET = "Parquet needs pandas and pyarrow; `pip install pandas pyarrow` brings them"


def table_attachment(frame: Any, reading: Reading, notes: list[str]) -> Attachment:
    """Return the attachment of a frame or a series, as `{{df}}` is filled."""
    return reading.described(describe(frame, reading.mask, reading.limits.fill_chars), "text/markdown", notes)


def table_from_text(text: str, reading: Reading, notes: list[str]) -> Attachment | None:
    """Return a CSV or TSV file as a table, without pandas as text; None if the text is no table.

    A name that ends with .csv or .tsv only helps where the content could be both.
    """
    delimiter = delimiter_of(text, named=(reading.file or reading.name).lower().endswith(_NAMED))
    if not delimiter:
        return None
    module = pandas()
    if module is None:
        return reading.text(text, "text/csv", [*notes, "as text, for want of pandas"])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            shape = module.read_csv(StringIO(text), sep=delimiter, low_memory=False).shape
            head = module.read_csv(StringIO(text), sep=delimiter, nrows=_ROWS, **_AS_WRITTEN)
    except (ValueError, OverflowError):  # also what pandas calls a ParserError
        return None
    return table_attachment(_Head(head, *shape), reading, notes)


def table_from_parquet(data: bytes, reading: Reading) -> Attachment:
    """Return the first rows of a Parquet file as a table; InputError says what is missing or wrong."""
    try:
        from pyarrow import parquet
    except ImportError:
        raise reading.refusal(_NO_PARQUET) from None
    if pandas() is None:
        raise reading.refusal(_NO_PARQUET)
    try:
        file = parquet.ParquetFile(BytesIO(data))
        size = file.metadata.row_group(0).total_byte_size if file.num_row_groups else 0
        head = (
            None
            if size > _UNPACKED
            else next(file.iter_batches(batch_size=_ROWS, columns=file.schema_arrow.names[:_COLUMNS]), None)
        )
        frame = file.schema_arrow.empty_table().to_pandas() if head is None else head.to_pandas()
        columns = len(file.schema_arrow.names) - (0 if head is None else head.num_columns - frame.shape[1])
    except Exception as error:  # noqa: BLE001  # Arrow raises what its decoders raise
        raise reading.fault("it is no Parquet file that can be read", error) from None
    if size > _UNPACKED:
        raise reading.refusal("its first rows are too large; read it with pandas and attach a part of it")
    return table_attachment(_Head(frame, file.metadata.num_rows, columns), reading, [])


def delimiter_of(text: str, *, named: bool) -> str:
    r"""Return what separates the cells of a table; empty for a text that is none.

    >>> delimiter_of("city,people\nLima,10\nOslo,1\n", named=False)
    ','
    """
    sample = text[:_SAMPLE]
    complete = len(sample) == len(text)
    for delimiter in _DELIMITERS:
        rows = _rows(sample, delimiter, complete=complete)
        if len(rows) > 1 and 1 < len(rows[0]) <= _WIDEST and _is_table(rows, named=named):
            return delimiter
    rows = _rows(sample, ",", complete=complete) if named else []
    return "," if len(rows) > 1 and all(len(row) == 1 for row in rows) else ""


def _rows(sample: str, delimiter: str, *, complete: bool) -> list[list[str]]:
    """Return the first rows of a text; none if it cannot be split."""
    try:
        rows = list(islice(csv.reader(StringIO(sample), delimiter=delimiter), _ROWS + 1))
    except csv.Error:
        return []
    rows = rows if complete and len(rows) <= _ROWS else rows[:-1]
    return [row for row in rows if row]


def _is_table(rows: list[list[str]], *, named: bool) -> bool:
    """Whether all rows fit the first one; without a name that says so, also whether a column has only numbers."""
    head, *body = rows
    if named:
        return all(len(row) <= len(head) for row in body) and any(len(row) == len(head) for row in body)
    if any(len(row) != len(head) for row in body) or len({*head}) < len(head) or any(map(_NUMBER.fullmatch, head)):
        return False
    return any(all(not cell or _NUMBER.fullmatch(cell) for cell in column) for column in zip(*body, strict=True))


class _Head:
    """The first rows of a table with the shape of the whole, as `describe` asks for them."""

    def __init__(self, frame: Any, rows: int, columns: int) -> None:
        self._frame, self.shape = frame, (rows, columns)
        self.columns, self.index = frame.columns, frame.index

    def head(self, rows: int) -> Any:
        """Return the first rows."""
        return self._frame.head(rows)
