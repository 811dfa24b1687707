"""The turns of a conversation, numbered and folded, for `%ollama history`."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from ollama_magic.conversation.reply import COMPLETE
from ollama_magic.display.settled import IGNORE_TEX
from ollama_magic.display.tables import Shown
from ollama_magic.foreign import one_line, printable, visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ollama_magic.conversation.journal import Turn

BEGINNING = 80  # characters of a prompt in its folded line


def history_view(name: str, turns: Sequence[Turn]) -> Shown:
    """Show a conversation: each turn a line that unfolds to prompt and answer, as text."""
    from ollama_magic.markdown.renderer import MarkdownRenderer

    renderer = MarkdownRenderer()
    title = f"{one_line(name)}: {len(turns)} turn{'' if len(turns) == 1 else 's'}"
    folded = "".join(
        f"<details><summary>{escape(_line(number, turn))}</summary>"
        f"<blockquote><pre>{escape(visible(turn.prompt))}</pre></blockquote>"
        f"{renderer.render(turn.text).html}</details>"
        for number, turn in enumerate(turns, 1)
    )
    html = f'<p><strong>{escape(title)}</strong></p><div class="{IGNORE_TEX}">{folded}</div>'
    return Shown(html, "\n".join([title, *(_plain(number, turn) for number, turn in enumerate(turns, 1))]))


def _line(number: int, turn: Turn) -> str:
    parts = [f"{number}. {one_line(turn.prompt, BEGINNING)}", one_line(turn.model)]
    stats = turn.stats
    if stats and stats.answer_tokens:
        parts.append(f"{stats.answer_tokens} tokens")
        if stats.answer_ns:
            parts.append(f"{stats.answer_tokens * 1e9 / stats.answer_ns:.0f} tokens/s")
    if turn.seconds:
        parts.append(f"{turn.seconds:.1f} s")
    if turn.state != COMPLETE:
        parts.append(turn.state)
    return " · ".join(parts)


def _plain(number: int, turn: Turn) -> str:
    answer = "\n".join(f"     {line}" for line in printable(turn.text).splitlines())
    return f"{_line(number, turn)}\n{answer}"
