"""An answer that still counts though its cell has run again: shown under the error, and where an answer is reused."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from ollama_magic.display.answer import rendered
from ollama_magic.display.settled import IGNORE_TEX, answer_html
from ollama_magic.display.tables import Shown
from ollama_magic.foreign import one_line, printable

if TYPE_CHECKING:
    from ollama_magic.conversation.remembered import Turn


def kept_view(turn: Turn) -> Shown:
    """Show the turn that the cell made before, and that it still counts."""
    line = f"the answer from before still counts · {one_line(turn.model)} · to: {one_line(turn.prompt, 80)}"
    answer = answer_html(rendered(turn.text, turn.form))
    html = f'<div class="ollama-magic {IGNORE_TEX}">{answer}<p><small>{escape(line)}</small></p></div>'
    return Shown(html, f"{printable(turn.text)}\n\n[{line}]")
