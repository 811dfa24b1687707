"""Cards, tables and notices for `%ollama`: HTML with host classes, and plain text in columns."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from ollama_magic.foreign import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

CELL = 300  # characters of one cell


@dataclass(frozen=True)
class Shown:
    """Something that shows itself in a notebook and in a terminal."""

    html: str
    text: str

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:  # noqa: ARG002
        return {"text/html": f'<div class="jp-RenderedHTMLCommon">{self.html}</div>', "text/plain": self.text}

    def __repr__(self) -> str:
        return self.text


def notice(text: str) -> Shown:
    """One quiet line."""
    line = one_line(text, 2000)
    return Shown(f"<p><small>{_marked(line)}</small></p>", line)


def card(title: str, rows: Iterable[tuple[object, object]]) -> Shown:
    """A title and rows of name and value."""
    cells = _cells(rows)
    body = "".join(f"<tr><th>{_left(name)}</th><td>{_left(value)}</td></tr>" for name, value in cells)
    head = one_line(title)
    text = "\n".join([head, *(f"  {line}" for line in _columns(cells))])
    return Shown(f"<p><strong>{_marked(head)}</strong></p><table><tbody>{body}</tbody></table>", text)


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Shown:
    """Rows under their headings."""
    cells = _cells(rows)
    head = "".join(f"<th>{_left(one_line(name))}</th>" for name in columns)
    body = "".join("<tr>" + "".join(f"<td>{_left(cell)}</td>" for cell in row) + "</tr>" for row in cells)
    html = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return Shown(html, "\n".join(_columns([tuple(map(one_line, columns)), *cells])))


def width(text: str) -> int:
    """Columns of a terminal: wide East Asian characters take two, combining ones none."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )


def _cells(rows: Iterable[Sequence[object]]) -> list[tuple[str, ...]]:
    return [tuple("" if cell is None else one_line(str(cell), CELL) for cell in row) for row in rows]


def _columns(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(width, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(_padded(cell, w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in rows]


def _padded(text: str, columns: int) -> str:
    return text + " " * (columns - width(text))


def _left(text: str) -> str:
    """A cell's content at its left: hosts align cells to the right, and their styles win over a cell's attribute."""
    return f'<div align="left">{_marked(text)}</div>'


def _marked(text: str) -> str:
    """Escape a line; what stands between backticks becomes code."""
    parts = escape(text).split("`")
    if len(parts) % 2 == 0:
        return escape(text)
    return "".join(f"<code>{part}</code>" if place % 2 else part for place, part in enumerate(parts))
