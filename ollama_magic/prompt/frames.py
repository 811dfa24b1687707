"""Data frames, series and Arrow tables as a Markdown table of their first rows, without importing their libraries."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from ollama_magic.prompt.outline import outline

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ROWS, COLUMNS = 10, 20
_CELL, _SHORTEST = 150, 8  # characters of a cell: most of them, and most where little fits
_FRAME = 14  # what stands around a name, a value and the line between them


@dataclass(frozen=True)
class Drawn:
    """A table as Markdown, with its shape below, and a short note of the shape."""

    text: str
    note: str


def is_table(value: Any) -> bool:
    """Whether the value is a data frame or a series of pandas, polars or the like, or a table of Arrow."""
    try:
        return _is_frame(value) or _is_series(value) or _is_arrow(value)
    except Exception:  # noqa: BLE001  # properties of an unknown object may raise
        return False


def array_caption(value: Any) -> str:
    """Return the shape and the type of an array, whose repr omits the middle; "" for other values."""
    try:
        shape, dtype = value.shape, value.dtype
        if not isinstance(shape, tuple) or not shape or isinstance(value, type):
            return ""
        return f"{' × '.join(f'{int(one):,}' for one in shape)} {dtype}:\n"
    except Exception:  # noqa: BLE001  # properties of an unknown object may raise
        return ""


def draw(value: Any, mask: Callable[[str], str], limit: int) -> Drawn:
    """Draw at most 10 rows, 20 columns and `limit` characters."""
    shape = tuple(value.shape)
    head_of = _arrow_head if _is_arrow(value) else _frame_head if _is_frame(value) else _series_head
    names, rows = head_of(value)
    table = [[_cell(one, mask) for one in row] for row in (names, *_without_midnight(rows))]
    while len(table) > 2 and len(_markdown(table)) > limit - 100:
        table.pop()
    columns = min(shape[1], COLUMNS) if len(shape) > 1 else 1
    fits = table
    if len(_markdown(table)) > limit - 100:
        columns, fits = _narrowed(table, columns, limit - 140)
    caption, note = _shape(shape, len(table) - 1, columns, ["long texts cut"] * (fits != table))
    return Drawn(f"{_markdown(fits)}\n\n{caption}" if names else caption, note)


def _markdown(table: list[list[str]]) -> str:
    head, *rows = ["| " + " | ".join(row) + " |" for row in table]
    return "\n".join([head, "|" + " --- |" * len(table[0]), *rows])


def _narrowed(table: list[list[str]], columns: int, room: int) -> tuple[int, list[list[str]]]:
    """Return how many columns fit, and the table of these with shorter cells; the labels of the rows stay."""
    labels = len(table[0]) - columns
    columns = max(1, min(columns, room // (2 * _SHORTEST + _FRAME) - labels))
    width = max(_SHORTEST, (room // (labels + columns) - _FRAME) // 2)
    return columns, [[_shortened(one, width) for one in row[: labels + columns]] for row in table]


def _without_midnight(rows: list[Sequence[object]]) -> list[Sequence[object]]:
    """Return the rows with the dates alone in columns in which no value has a time of the day."""
    days = [all(map(_is_day, column)) for column in zip(*rows, strict=False)]
    if not any(days):
        return rows
    return [[str(one)[:10] if day else one for one, day in zip(row, days, strict=False)] for row in rows]


def _is_day(value: object) -> bool:
    """Whether this is a moment at midnight, as a date is kept in a frame; a missing one has no time."""
    try:
        return isinstance(value, dt.datetime) and value.tzinfo is None and value.time() == dt.time()
    except ValueError:
        return False


def _is_frame(value: Any) -> bool:
    shape = getattr(value, "shape", None)
    return _counts(shape, 2) and hasattr(value, "columns") and hasattr(value, "head") and not isinstance(value, type)


def _is_series(value: Any) -> bool:
    shape = getattr(value, "shape", None)
    return _counts(shape, 1) and hasattr(value, "name") and hasattr(value, "head") and hasattr(value, "to_list")


def _is_arrow(value: Any) -> bool:
    """Whether this is a table of Arrow, or a batch of one, whose `columns` are its values."""
    return _counts(getattr(value, "shape", None), 2) and hasattr(value, "schema") and hasattr(value, "to_pylist")


def _counts(shape: object, dimensions: int) -> bool:
    return isinstance(shape, tuple) and len(shape) == dimensions and all(isinstance(one, int) for one in shape)


def _frame_head(frame: Any) -> tuple[list[object], list[Sequence[object]]]:
    """Return names and rows, without an index that only counts from 0."""
    if hasattr(frame, "iloc"):
        frame = frame.iloc[:ROWS, :COLUMNS]
    names = list(islice(frame.columns, COLUMNS))
    rows = [tuple(row)[:COLUMNS] for row in _rows(frame.head(ROWS))][:ROWS]
    index = getattr(frame, "index", None)
    if index is None or callable(index) or _only_counts(index):
        return names, list(rows)
    return [_title(index), *names], [(label, *row) for label, row in zip(index, rows, strict=False)]


def _title(index: Any) -> str:
    """Return what stands above the labels of the rows: the names of the index, such as a column that was grouped by."""
    names = getattr(index, "names", None) or [getattr(index, "name", None)]
    return ", ".join(str(name) for name in names if name is not None)


def _rows(head: Any) -> Any:
    if hasattr(head, "itertuples"):
        return head.itertuples(index=False, name=None)
    return head.iter_rows() if hasattr(head, "iter_rows") else head.values.tolist()


def _only_counts(index: Any) -> bool:
    return type(index).__name__ == "RangeIndex" and getattr(index, "start", 0) == 0 and getattr(index, "step", 1) == 1


def _arrow_head(table: Any) -> tuple[list[object], list[Sequence[object]]]:
    columns = [column.to_pylist() for column in table.slice(0, ROWS).columns[:COLUMNS]]
    return list(table.schema.names[:COLUMNS]), list(zip(*columns, strict=True))


def _series_head(series: Any) -> tuple[list[object], list[Sequence[object]]]:
    head = series.head(ROWS)
    name, values, index = series.name, head.to_list(), getattr(head, "index", None)
    name = "value" if name in (None, "") else name
    if index is None or callable(index) or _only_counts(index):
        return [name], [(value,) for value in values]
    return [_title(index), name], list(zip(index, values, strict=False))


def _cell(value: object, mask: Callable[[str], str]) -> str:
    """Return a value as a short table cell on one line, with escaped pipes."""
    if isinstance(value, str):
        text = mask(value[: _CELL * 40])
    elif isinstance(value, float):
        text = f"{value:.12g}"
    elif isinstance(value, list | tuple | dict | set | frozenset):
        text = outline(value, _CELL + 1, mask)[0]
    else:
        text = mask("" if value is None else str(value))
    text = _shortened(text, _CELL)
    return text.replace("|", "\\|").replace("\r\n", "\\n").replace("\n", "\\n").replace("\r", "\\n")


def _shortened(text: str, most: int) -> str:
    return text if len(text) <= most else text[:most] + "…"


def _shape(shape: tuple[int, ...], rows: int, columns: int, more: list[str]) -> tuple[str, str]:
    """Describe the whole size, and how much is shown."""
    sizes = " × ".join(f"{one:,}" for one in shape)
    parts = [f"the first {rows} … of {shape[0]:,} rows"] if rows < shape[0] else []
    if len(shape) > 1 and shape[1] > columns:
        parts.append(f"the first {columns} … of {shape[1]:,} columns")
    parts += more
    units = zip(shape, ("row", "column"), strict=False)
    counts = " × ".join(f"{one:,} {unit}{'s' * (one != 1)}" for one, unit in units)
    caption = f"({counts}" + "".join(f"; {part}" for part in parts) + ")"
    return caption, sizes + ", head" * bool(parts)
