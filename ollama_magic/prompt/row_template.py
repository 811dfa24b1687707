"""A prompt for many rows: a `{{name}}` is a column of the row, else a variable of the notebook."""

from __future__ import annotations

from collections import ChainMap
from decimal import Decimal
from numbers import Number
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from ollama_magic.prompt.describe import LIMIT
from ollama_magic.prompt.fill import Filling, field_names, parts_of
from ollama_magic.prompt.resolve import NotFilled, names_in

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from ollama_magic.prompt.fill import Found

_NO_VALUE = frozenset({"NAType", "NaTType"})  # of pandas
_MAY_BE_NO_VALUE = frozenset({"datetime64", "timedelta64"})  # of NumPy, beside its numbers


class RowPrompt(NamedTuple):
    """The prompt of one row, the size of the largest value that was cut, and the images that it mentions by name."""

    text: str
    cut: int = 0
    images: tuple[tuple[str, object], ...] = ()


class RowTemplate:
    """A text whose fields are filled for each row; those of variables are described once.

    Make it in the main thread: the user's objects are not thread-safe, and their properties may run code.

    Args:
        text: The template.
        columns: The names of the rows' columns, which win over variables.
        variables: The notebook's variables.
        mask: Hides keys.
        limit: Most characters of one value.
        written: The text of a value that the caller knows how to write, else None.
        sources: Paths of columns that are read beside the text, such as that of an image.
        is_image: Whether a value is attached, and leaves only a mark in the text.
    """

    def __init__(
        self,
        text: str,
        columns: Collection[str],
        variables: Mapping[str, object],
        mask: Callable[[str], str] = str,
        limit: int = LIMIT,
        written: Callable[[object], str | None] = lambda _: None,
        sources: Iterable[str] = (),
        is_image: Callable[[object], bool] = lambda _: False,
    ) -> None:
        self.text, self._is_image = text, is_image
        self._mask, self._limit, self._written = mask, limit, written
        self._variables = variables
        self._of_columns = {name: _columns_in(name, columns) for name in field_names(text)}
        shared = Filling(variables, mask, limit, written)
        self._shared: dict[str, Found] = {
            name: shared.describe(name) for name, own in self._of_columns.items() if not own
        }
        beside = [_columns_in(source, columns) for source in sources]
        self.columns = tuple(dict.fromkeys(name for own in (*self._of_columns.values(), *beside) for name in own))
        self.variable_notes, self.unfilled = shared.notes()
        self._mixed = any(own and names_in(name) - set(own) for name, own in self._of_columns.items())
        self._simple = self._simple_parts()

    @property
    def notes(self) -> tuple[str, ...]:
        """Return the line that says which fields are columns and which are variables."""
        rows = [f"{', '.join(self.columns)} from the rows"] if self.columns else []
        return tuple(self._mask(one) for one in (*rows, *self.variable_notes))

    def fill(self, cells: Mapping[str, object]) -> RowPrompt:
        """Return the prompt of one row.

        Args:
            cells: The row's value of each of `columns`, where it has one.

        Raises:
            NotFilled: A column has no value in this row, or its value cannot be described; the line says which.
        """
        if self._simple and (text := self._quick(cells)) is not None:
            return RowPrompt(text)
        for name in self.columns:
            if name not in cells:
                raise NotFilled(f"the row has no {name}")
            if without_value(cells[name]):
                raise NotFilled(f"{name} has no value in this row ({cells[name]})")
        # Looked up, not merged: to read all of the caller's variables fails where one has no value yet.
        scope: Mapping[str, object] = ChainMap(dict(cells), cast("Any", self._variables)) if self._mixed else cells
        images: list[tuple[str, object]] = []

        def attached(name: str, value: object) -> str | None:
            if not self._is_image(value):
                return None
            images.append((name, value))
            return f"[image {len(images)}: {name}]"

        filled = Filling(scope, self._mask, self._limit, self._written, self._shared, attached).fill(self.text)
        left = [note for note in filled.unfilled if note not in self.unfilled]
        if left:
            raise NotFilled(left[0])
        return RowPrompt(filled.text, filled.cut, tuple(images))

    def _simple_parts(self) -> list[tuple[str, bool]]:
        """Return the parts of a text whose only fields are columns, and whether a part is one; empty for any other."""
        if any(own != (name,) for name, own in self._of_columns.items()) or len(self.columns) > len(self._of_columns):
            return []
        return parts_of(self.text)

    def _quick(self, cells: Mapping[str, object]) -> str | None:
        """Return the prompt where every field holds a text that is not cut: what `describe` makes of it, but sooner."""
        found, mask, limit = [], self._mask, self._limit
        for part, is_field in self._simple:
            if is_field:
                value = cells.get(part)
                if type(value) is not str or len(value) > limit:
                    return None
                found.append(mask(value))
            else:
                found.append(part)
        return "".join(found)


def without_value(value: object) -> bool:
    """Whether this is None, NaN, NaT or pandas' NA."""
    kind = type(value).__name__
    if value is None or kind in _NO_VALUE:
        return True
    if isinstance(value, Decimal):
        return value.is_nan()
    number = isinstance(value, Number) or kind in _MAY_BE_NO_VALUE
    return number and bool(value != value)  # noqa: PLR0124 (NaN and NaT alone differ from themselves)


def _columns_in(field: str, columns: Collection[str]) -> tuple[str, ...]:
    """Return the columns that a field reads."""
    if field in columns:
        return (field,)
    return tuple(sorted(names_in(field) & set(columns)))
