"""JSON of a schema as it settles: records are a table, an object has two columns, what is deeper is folded away. Pure.

Numbers stand as they came, letter for letter. What has another shape, or says a name twice, is left to the code block.
"""

from __future__ import annotations

import json
from html import escape
from typing import TYPE_CHECKING, Any, NoReturn

from ollama_magic.display.json_text import laid_out
from ollama_magic.foreign import one_line, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROWS, COLUMNS = 200, 30  # that are shown
CELL, FOLDED = 300, 20_000  # characters of a cell, and of what is folded away in one


class _Number(str):
    """A number as it was written."""

    __slots__ = ()


class _Twice(ValueError):
    """A name stands twice in an object."""


def json_table(text: str) -> str:
    """Return a JSON text as HTML of plain tags; empty where it is no JSON, or neither records nor an object."""
    try:
        value = json.loads(
            text, parse_int=_Number, parse_float=_Number, parse_constant=_Number, object_pairs_hook=_object
        )
        return _shaped(value)
    except (ValueError, RecursionError):
        return ""


def _shaped(value: Any) -> str:
    if isinstance(value, dict) and value:
        return _table((), [[name, inner] for name, inner in value.items()])
    if not isinstance(value, list) or not value:
        return ""
    if all(isinstance(one, dict) for one in value):
        return _records(value)
    return _fold(value) if any(isinstance(one, (dict, list)) for one in value) else ""


def _records(records: Sequence[dict[str, Any]]) -> str:
    shown = records[:ROWS]
    names = list(dict.fromkeys(name for record in shown for name in record))
    columns = names[:COLUMNS]
    html = _table(columns, [[record.get(name, "") for name in columns] for record in shown]) if names else ""
    left = [f"the first {len(shown)} of {len(records):,} records"] if len(records) > len(shown) else []
    left += [f"the first {COLUMNS} of {len(names):,} columns"] if len(names) > COLUMNS else []
    return html + (f"<p><small>{'; '.join(left)}; the rest is in the answer</small></p>" if left and html else "")


def _table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Rows under their headings; without headings the first cell of a row is its name."""
    head = "".join(f"<th>{_text(name)}</th>" for name in columns)
    body = "".join(f"<tr>{''.join(_cells(row, named=not columns))}</tr>" for row in rows[:ROWS])
    more = f"<p><small>the first {ROWS} of {len(rows):,} names</small></p>" if len(rows) > ROWS else ""
    return f"<table>{f'<thead><tr>{head}</tr></thead>' if head else ''}<tbody>{body}</tbody></table>{more}"


def _cells(row: Sequence[Any], *, named: bool) -> Iterator[str]:
    for place, value in enumerate(row):
        yield f"<th>{_text(value)}</th>" if named and not place else f"<td>{_cell(value)}</td>"


def _cell(value: Any) -> str:
    if isinstance(value, _Number):
        return escape(one_line(value, CELL))
    if isinstance(value, (dict, list)):
        return _fold(value) if value else _text("–")
    return _text({True: "true", False: "false", None: "–"}[value] if value in (True, False, None) else value)


def _fold(value: Any) -> str:
    """What is deeper, as JSON that is laid out, under a line that says how much it is."""
    unit = "field" if isinstance(value, dict) else "element"
    body = laid_out(_json(value))
    body = body if len(body) <= FOLDED else f"{body[:FOLDED]}\n… of {len(body):,} characters"
    summary = f"<summary>{len(value):,} {unit}{'s' * (len(value) != 1)}</summary>"
    return f'<details>{summary}<div align="left"><pre>{escape(printable(body))}</pre></div></details>'


def _json(value: Any) -> str:
    """Write a value as JSON, its numbers as they came."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_json(name)}: {_json(inner)}" for name, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_json, value)) + "]"
    return value if isinstance(value, _Number) else json.dumps(value, ensure_ascii=False)


def _text(text: str) -> str:
    """Hosts align cells to the right, and their styles win over a cell's attribute."""
    return f'<div align="left">{escape(one_line(text, CELL))}</div>'


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        _refuse()
    return found


def _refuse() -> NoReturn:
    raise _Twice
