"""Cards, tables and notices for `%ollama`: HTML with host classes, and plain text in columns."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from ollama_magic.display.settled import IGNORE_TEX
from ollama_magic.display.stdout import showable
from ollama_magic.foreign import one_line, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

CELL = 300  # characters of one cell
SHORT = 20  # characters of a cell that stays on one line
MOST = 200  # most rows to show; thousands would make the page slow


@dataclass(frozen=True)
class Shown:
    """HTML for a notebook and text for a terminal."""

    html: str
    text: str

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:  # noqa: ARG002
        return {"text/html": f'<div class="jp-RenderedHTMLCommon">{self.html}</div>', "text/plain": showable(self.text)}

    def __repr__(self) -> str:
        return showable(self.text)


@dataclass(frozen=True)
class BadgeCell:
    """A table cell with framed words; those in `loud` are strong."""

    words: tuple[str, ...]
    loud: tuple[str, ...] = ()

    def __str__(self) -> str:
        return ", ".join(one_line(word, 60) for word in (*self.loud, *self.words))

    @property
    def html(self) -> str:
        """The words as keyboard keys, which hosts frame even where they strip styles."""
        loud = [f"<kbd><strong>{_unbroken(one_line(word, 60))}</strong></kbd>" for word in self.loud]
        return " ".join([*loud, *(f"<kbd>{_unbroken(one_line(word, 60))}</kbd>" for word in self.words)])


def notice(text: str) -> Shown:
    """Return one quiet line."""
    line = one_line(text, 2000)
    return Shown(f"<p><small>{marked(line)}</small></p>", line)


def card(title: str, rows: Iterable[tuple[object, object]]) -> Shown:
    """Return a title and rows of name and value."""
    cells = _cells(rows)
    body = "".join(f"<tr><th>{_left(name)}</th><td>{_left(value)}</td></tr>" for name, value in cells)
    head = one_line(title)
    text = "\n".join([head, *(f"  {line}" for line in _columns(cells))])
    return Shown(f"<p><strong>{marked(head)}</strong></p><table><tbody>{body}</tbody></table>", text)


def table(columns: Sequence[str], rows: Sequence[Sequence[object]], total: int | None = None) -> Shown:
    """Return rows with headings; of very many only the first, with the number of the others (of `total`)."""
    cells = _cells(rows[:MOST])
    head = "".join(f"<th>{_left(one_line(name))}</th>" for name in columns)
    body = "".join("<tr>" + "".join(f"<td>{_figure(cell)}</td>" for cell in row) + "</tr>" for row in cells)
    html = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    lines = _columns([tuple(map(one_line, columns)), *cells])
    rest = (total or len(rows)) - len(cells)
    more = notice(f"… {rest:,} more") if rest > 0 else Shown("", "")
    return Shown(html + more.html, "\n".join([*lines, *filter(None, [more.text])]))


def folded(title: str, text: str, *, unfolded: bool = False, lines: int | None = None) -> Shown:
    """Return a text folded under a title; a terminal shows its first `lines` that are not blank."""
    body, head = printable(text).strip("\n"), one_line(title)
    html = (
        f"<details{' open' * unfolded}><summary>{escape(head)}</summary>"
        f'<div class="{IGNORE_TEX}"><pre>{escape(body)}</pre></div></details>'
    )
    read = body.split("\n") if lines is None else [line for line in body.split("\n") if line.strip()]
    cut = [*read[:lines], "…"] if lines is not None and len(read) > lines else read
    return Shown(html, "\n".join([head, *(f"  {line}".rstrip() for line in cut)]))


def folded_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> Shown:
    """Return a table folded under its title."""
    inner, head = table(columns, rows), one_line(title)
    return Shown(f"<details><summary>{escape(head)}</summary>{inner.html}</details>", f"{head}\n{inner.text}")


def stacked(*parts: Shown) -> Shown:
    """Return several parts, one below the other."""
    return Shown("".join(part.html for part in parts), "\n\n".join(part.text for part in parts))


def width(text: str) -> int:
    """Return the terminal columns of a text: wide East Asian characters take two, combining ones none."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )


def _cells(rows: Iterable[Sequence[object]]) -> list[tuple[str | BadgeCell, ...]]:
    return [tuple(_cell(cell) for cell in row) for row in rows]


def _cell(cell: object) -> str | BadgeCell:
    if isinstance(cell, BadgeCell):
        return cell
    return "" if cell is None else one_line(str(cell), CELL)


def _columns(rows: Sequence[Sequence[str | BadgeCell]]) -> list[str]:
    texts = [[str(cell) for cell in row] for row in rows]
    widths = [max(map(width, column)) for column in zip(*texts, strict=True)]
    return ["  ".join(_padded(cell, w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in texts]


def _padded(text: str, columns: int) -> str:
    return text + " " * (columns - width(text))


def _left(cell: str | BadgeCell) -> str:
    """Return a left-aligned cell: hosts align cells to the right, and their styles override a cell's attribute."""
    return f'<div align="left">{cell.html if isinstance(cell, BadgeCell) else marked(cell)}</div>'


def _figure(cell: str | BadgeCell) -> str:
    """Return a cell like `_left`, but keep sizes and times on one line."""
    short = isinstance(cell, str) and len(cell) <= SHORT and cell[:1].isdigit()
    return f'<div align="left">{_unbroken(str(cell))}</div>' if short else _left(cell)


def _unbroken(text: str) -> str:
    """Escape a size or a time without breaks between its words."""
    return escape(text).replace(" ", "&nbsp;")


def marked(text: str) -> str:
    """Escape a line, with the text between backticks as code."""
    parts = escape(text).split("`")
    if len(parts) % 2 == 0:
        return escape(text)
    return "".join(f"<code>{part}</code>" if place % 2 else part for place, part in enumerate(parts))
