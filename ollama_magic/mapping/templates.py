"""The template of a map, checked against its rows before anything is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ollama_magic.errors import InputError
from ollama_magic.foreign import one_line
from ollama_magic.mapping.row_attachments import is_picture
from ollama_magic.prompt.row_template import RowTemplate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from ollama_magic.mapping.rows import Rows

_NAMED = 12  # columns that an error names


def checked_template(
    prompt: str,
    rows: Rows,
    variables: Mapping[str, object],
    mask: Callable[[str], str],
    limit: int,
    written: Callable[[object], str | None],
    sources: Iterable[str] = (),
) -> RowTemplate:
    """Return the template of these rows.

    Args:
        prompt: Its text.
        rows: The rows, whose columns win over variables.
        variables: The variables of whoever wrote it.
        mask: Hides keys.
        limit: Most characters of one value.
        written: The text of a value that the caller knows how to write, else None.
        sources: Paths of columns that are attached.

    Raises:
        InputError: A field is neither a column nor a variable, or no field is a column.
    """
    template = RowTemplate(prompt, rows.columns, variables, mask, limit, written, sources, is_picture)
    columns = [one_line(name, 40) for name in rows.columns[:_NAMED]]
    have = (
        f"the rows have {', '.join(columns)}{', …' * (len(rows.columns) > _NAMED)}" if columns else "there are no rows"
    )
    if template.unfilled and len(rows):
        raise InputError(f"{template.unfilled[0].replace(' stays as typed:', ' is no column:')}; {have}.")
    if not template.columns and len(rows):
        raise InputError(f"This prompt is the same for every row: no {{{{name}}}} in it is a column; {have}.")
    return template
