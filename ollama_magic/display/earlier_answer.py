"""An earlier answer of a cell that still counts, shown below an error."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from ollama_magic.display.document import document_html
from ollama_magic.display.settled import IGNORE_TEX, answer_html
from ollama_magic.display.steps import steps_html
from ollama_magic.display.tables import Shown
from ollama_magic.display.vscode import html_for_host, style_for_host
from ollama_magic.foreign import one_line, printable

if TYPE_CHECKING:
    from ollama_magic.turns.turn_value import Turn


def earlier_answer_view(turn: Turn) -> Shown:
    """Show an earlier turn of the cell, and that it still counts."""
    line = f"the answer from before still counts · {one_line(turn.model)} · to: {one_line(turn.prompt, 80)}"
    document = document_html(turn.text, turn.form, tables=turn.settings.has_schema)
    answer = style_for_host() + steps_html(turn.steps) + answer_html(html_for_host(document))
    html = f'<div class="ollama-magic {IGNORE_TEX}">{answer}<p><small>{escape(line)}</small></p></div>'
    return Shown(html, f"{printable(turn.text)}\n\n[{line}]")
