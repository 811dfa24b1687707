"""What goes along with each row: images and files of its columns, and what all rows have in common."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from ollama_magic.attachments.source_names import expand
from ollama_magic.attachments.sources import is_image, read_source
from ollama_magic.errors import InputError
from ollama_magic.prompt.resolve import NotFilled, names_in, resolve

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from ollama_magic.attachments.reading import Limits
    from ollama_magic.mapping.rows import Rows
    from ollama_magic.prompt.row_template import RowPrompt, RowTemplate
    from ollama_magic.turns.attachment import Attachment

_NO_PICTURES = (str, int, float, type(None))  # what most rows hold


@dataclass(frozen=True)
class RowAttachments:
    """Reads the attachments of a row.

    Attributes:
        names: The columns, or paths into them such as `record["photo"]`, that hold an image or the path of a file.
        shared: What goes along with every row.
        limits: How much of each is sent.
        mask: Hides keys in texts.
    """

    names: tuple[str, ...]
    shared: tuple[Attachment, ...]
    limits: Limits
    mask: Callable[[str], str]

    def of(self, cells: Mapping[str, object], prompt: RowPrompt) -> tuple[Attachment, ...]:
        """Return what goes along with one row; `prompt` has the images that its text mentions.

        Raises:
            InputError: Something cannot be attached.
            NotFilled: The row does not have it.
        """
        sources = [*prompt.images, *(source for name in self.names for source in _sources(name, cells))]
        return (*self.shared, *(read_source(value, name, self.limits, mask=self.mask) for name, value in sources))


def split_sources(names: Iterable[str], columns: Collection[str]) -> tuple[tuple[str, ...], list[str]]:
    """Return the names that are columns of the rows, without braces, and the others."""
    bare = [name.strip().removeprefix("{{").removesuffix("}}").strip() for name in names]
    own = [name for name in bare if name in columns or names_in(name) & set(columns)]
    return tuple(own), [name for name in bare if name not in own]


def is_picture(value: object) -> bool:
    """Whether a row's value is an image that its prompt mentions; texts and numbers, which are most, are none."""
    return not isinstance(value, _NO_PICTURES) and is_image(value)


def first_picture(rows: Rows, template: RowTemplate) -> int | None:
    """Return the first row with an image that its prompt mentions; None if no row has one."""
    found = [_first_picture_in(rows.column(name)) for name in template.columns]
    return min((place for place in found if place is not None), default=None)


def _first_picture_in(column: Sequence[Any]) -> int | None:
    perhaps = {kind for kind in set(map(type, column)) if not issubclass(kind, _NO_PICTURES)}  # there may be many rows
    found = (place for place, value in enumerate(column) if type(value) in perhaps and is_image(value))
    return next(found, None) if perhaps else None


def seen_first(attachments: RowAttachments, rows: Rows, template: RowTemplate) -> tuple[Attachment, ...]:
    """Return what goes along with the first row that has something, to know what a model must be able to see."""
    cells, picture = rows.cells(template.columns), first_picture(rows, template)
    for place in (*(() if picture is None else (picture,)), *range(len(rows))):
        with suppress(InputError, NotFilled):
            return attachments.of(cells[place], template.fill(cells[place]))
    return attachments.shared


def _sources(name: str, cells: Mapping[str, object]) -> Sequence[tuple[str, object]]:
    found = resolve(name, cells)
    if found is None:
        raise NotFilled(f"{name} is no column")
    value = found.value
    if isinstance(value, str):
        if "\n" in value:
            raise InputError(f"{name} holds a text of several lines, and not the path of a file.")
        return expand(value, {})
    return [(value.name, Path(value))] if isinstance(value, PurePath) else [(name, value)]
