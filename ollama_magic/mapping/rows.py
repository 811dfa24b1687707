"""The rows of a map: a frame, or a list of dicts, records or texts. It imports no library of frames."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Sized
from typing import Any, Protocol

from ollama_magic.errors import InputError
from ollama_magic.foreign import one_line

TEXT = "text"  # the column of rows that are single values, if the template does not name it


class Rows(Protocol):
    """The rows, by their position."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns; of dicts, those that any row has."""

    def __len__(self) -> int: ...

    def cells(self, names: Sequence[str]) -> Cells:
        """Return what the rows hold in these columns."""

    def column(self, name: str) -> Sequence[Any]:
        """Return what all rows hold in a column, None where one lacks it."""

    def row(self, place: int) -> dict[str, Any]:
        """Return one row."""


class Cells(Protocol):
    """What rows hold in some columns, by the row's position; a column that a row lacks is left out."""

    def __getitem__(self, place: int) -> Mapping[str, Any]: ...


class FrameRows:
    """The rows of a frame of pandas, polars or Arrow; columns are read only when they are needed."""

    def __init__(self, frame: Any) -> None:
        self.frame = frame
        names = frame.column_names if _is_arrow(frame) else frame.columns  # Arrow's columns are the data
        self._places = {str(name): place for place, name in reversed(list(enumerate(names)))}
        self.columns = tuple(dict.fromkeys(map(str, names)))
        self._twice = {name for name, count in Counter(map(str, names)).items() if count > 1}
        self._length = len(frame)
        self._read: dict[str, list[Any]] = {}

    def __len__(self) -> int:
        return self._length

    def cells(self, names: Sequence[str]) -> Cells:
        """Return what the rows hold in these columns; raises what `column` raises."""
        return _Columns({name: self.column(name) for name in names})

    def column(self, name: str) -> Sequence[Any]:
        """Return what all rows hold in a column; raise InputError for a name that several columns have."""
        if name in self._twice:
            raise InputError(f"The frame has several columns that are called {one_line(name, 60)}; rename them.")
        return self._column(name)

    def row(self, place: int) -> dict[str, Any]:
        """Return one row; of columns with the same name, the first."""
        return {name: self._column(name)[place] for name in self.columns}

    def _column(self, name: str) -> list[Any]:
        if name not in self._read:
            self._read[name] = _as_list(self.frame, self._places[name])
        return self._read[name]


class ListRows:
    """Rows that are dicts."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self._rows = rows
        self.columns = tuple(dict.fromkeys(name for row in rows for name in row))

    def __len__(self) -> int:
        return len(self._rows)

    def cells(self, names: Sequence[str]) -> Cells:
        """Return the rows themselves: a dict with more names does no harm."""
        del names
        return self._rows

    def column(self, name: str) -> Sequence[Any]:
        """Return what all rows hold under a name, None where one lacks it."""
        return [row.get(name) for row in self._rows]

    def row(self, place: int) -> dict[str, Any]:
        """Return one row."""
        return self._rows[place]


class SingleRows:
    """Rows that are single values, such as texts, in one column."""

    def __init__(self, values: list[Any], column: str) -> None:
        self._values, self.columns = values, (column,)

    def __len__(self) -> int:
        return len(self._values)

    def cells(self, names: Sequence[str]) -> Cells:
        """Return what the rows hold."""
        return _Columns(dict.fromkeys(names, self._values))

    def column(self, name: str) -> Sequence[Any]:
        """Return the values, by whatever name."""
        del name
        return self._values

    def row(self, place: int) -> dict[str, Any]:
        """Return one row."""
        return {self.columns[0]: self._values[place]}


class _Columns:
    """Rows that are read from whole columns."""

    def __init__(self, columns: Mapping[str, Sequence[Any]]) -> None:
        self._columns = columns

    def __getitem__(self, place: int) -> Mapping[str, Any]:
        return {name: values[place] for name, values in self._columns.items()}


def rows_of(source: object, fields: Sequence[str]) -> Rows:
    """Return the rows of a frame, or of any iterable of dicts, records or single values.

    Args:
        source: The rows.
        fields: The fields of the template; a single one is the name of the column of single values.

    Raises:
        InputError: These are no rows.
    """
    if is_frame(source):
        return FrameRows(_copied(source))
    if isinstance(source, (str, bytes, Mapping)) or not isinstance(source, Iterable):
        raise InputError(
            f"Rows are a frame, or a list of dicts or texts, not {_kind(source)}; put a single one into a list."
        )
    values: list[Any] = source.to_pylist() if hasattr(source, "to_pylist") else list(source)  # a column of Arrow
    name = getattr(source, "name", None)
    if not any(map(_has_names, set(map(type, values)))):
        return SingleRows(values, _single_name(fields, name))
    records = [_record(value) for value in values]
    other = next((place for place, record in enumerate(records) if record is None), None)
    if other is not None:
        raise InputError(
            f"Row {other} is {_kind(values[other])}, and others have columns; rows are all of one kind: dicts or texts."
        )
    return ListRows([record for record in records if record is not None])


def is_frame(value: object) -> bool:
    """Whether this is a table with named columns, of whatever library."""
    return hasattr(value, "columns") and isinstance(value, Sized) and not isinstance(value, (type, Mapping))


def _single_name(fields: Sequence[str], own: object) -> str:
    if isinstance(own, str) and own in fields:  # that of a Series
        return own
    return fields[0] if len(fields) == 1 and fields[0].isidentifier() else TEXT


def _has_names(kind: type) -> bool:
    """Whether the values of a type are records."""
    names = hasattr(kind, "_fields") or hasattr(kind, "__pydantic_fields__") or _is_database_row(kind)
    return issubclass(kind, Mapping) or dataclasses.is_dataclass(kind) or names


def _is_database_row(kind: type) -> bool:
    return (kind.__module__, kind.__name__) == ("sqlite3", "Row")  # by its name: the module is not imported for this


def _record(value: Any) -> dict[str, Any] | None:
    """Return what has names as a dict; None for a single value."""
    if isinstance(value, Mapping):
        return {str(name): inner for name, inner in value.items()}
    if _is_database_row(type(value)):
        return {name: value[name] for name in value.keys()}  # noqa: SIM118 (iterating gives the values)
    if isinstance(value, type):
        return None
    if dataclasses.is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    names = getattr(value, "_fields", None) or getattr(type(value), "__pydantic_fields__", None)
    return {name: getattr(value, name) for name in names} if names else None


def _copied(frame: Any) -> Any:
    """Return a copy, so that what the user changes meanwhile does not count; polars and Arrow never change."""
    return frame.copy() if hasattr(frame, "iloc") else frame


def _is_arrow(frame: Any) -> bool:
    return hasattr(frame, "column_names") and not hasattr(frame, "iloc")  # a column of pandas may have that name


def _as_list(frame: Any, place: int) -> list[Any]:
    if hasattr(frame, "iloc"):
        column = frame.iloc[:, place]
    else:
        column = frame.column(place) if _is_arrow(frame) else frame[frame.columns[place]]
    for method in ("tolist", "to_list", "to_pylist"):
        if hasattr(column, method):
            return list(getattr(column, method)())
    return list(column)


def _kind(value: object) -> str:
    return one_line(type(value).__name__, 40)
