"""What changed between an answer and the one it replaced, as HTML and as text; both are readable without colours."""

from __future__ import annotations

from html import escape
from itertools import groupby
from typing import TYPE_CHECKING

from ollama_magic.display.settled import IGNORE_TEX
from ollama_magic.display.tables import Shown
from ollama_magic.display.word_diff import changed_words, compare
from ollama_magic.foreign import one_line, printable
from ollama_magic.turns.wording import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ollama_magic.display.word_diff import Paragraph, Piece
    from ollama_magic.turns.turn_value import Turn

SAME = 2  # unchanged paragraphs in a row that are shown; more are folded
_TAGS = {"same": "", "deleted": "del", "inserted": "ins"}
_MARKS = {"same": ("", ""), "deleted": ("[-", "-]"), "inserted": ("{+", "+}")}


def diff_view(number: int, turn: Turn, replaced: Turn) -> Shown:
    """Show the answer of a turn with what was deleted from the one it replaced, and what was inserted.

    Args:
        number: The turn's number in the history.
        turn: The turn that counts.
        replaced: The one that it replaced.
    """
    paragraphs = compare(printable(replaced.text), printable(turn.text))
    title = _title(number, turn, replaced, paragraphs)
    html, lines = [f"<p><strong>{escape(title)}</strong></p>"], [title]
    for changed, group in groupby(paragraphs, lambda paragraph: paragraph.changed):
        run = list(group)
        body = "".join(_html(paragraph) for paragraph in run)
        if changed or len(run) <= SAME:
            html.append(body)
            lines += [_text(paragraph) for paragraph in run]
        else:
            head = f"{len(run)} paragraphs unchanged"
            html.append(f"<details><summary><small>{head}</small></summary>{body}</details>")
            lines.append(f"… {head}")
    return Shown(f'<div class="ollama-magic {IGNORE_TEX}">{"".join(html)}</div>', "\n\n".join(lines))


def _title(number: int, turn: Turn, replaced: Turn, paragraphs: Sequence[Paragraph]) -> str:
    deleted, inserted = (changed_words(paragraphs, kind) for kind in ("deleted", "inserted"))
    parts = [f"Turn {number} and the answer it replaced", f"{counted(deleted, 'word')} deleted, {inserted:,} inserted"]
    if turn.model != replaced.model:
        parts.append(f"{one_line(replaced.model)} → {one_line(turn.model)}")
    if turn.prompt != replaced.prompt:
        parts.append("another prompt")
    return " · ".join(parts)


def _html(paragraph: Paragraph) -> str:
    body = "".join(_tagged(piece, code=paragraph.code) for piece in paragraph.pieces)
    return f"<pre>{body}</pre><p></p>" if paragraph.code else f"<p>{body}</p>"  # hosts give code no margin


def _tagged(piece: Piece, *, code: bool) -> str:
    text = escape(piece.text)
    if not code:
        text = text.replace("\n", "<br>").replace("  ", "&nbsp; ")
    tag = _TAGS[piece.kind]
    return f"<{tag}>{text}</{tag}>" if tag else text


def _text(paragraph: Paragraph) -> str:
    return "".join(f"{_MARKS[piece.kind][0]}{piece.text}{_MARKS[piece.kind][1]}" for piece in paragraph.pieces)
