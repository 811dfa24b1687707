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

    from ollama_magic.conversation.remembered import Turn

BEGINNING = 80  # characters of a prompt in its folded line


def history_view(name: str, turns: Sequence[Turn], aside: Sequence[Turn] = ()) -> Shown:
    """Show a conversation: each turn a line that unfolds to prompt and answer; `aside` are those that count no more."""
    title = f"{one_line(name)}: {len(turns)} turn{'' if len(turns) == 1 else 's'}"
    newest = 0
    html, lines = [f"<p><strong>{escape(title)}</strong></p>"], [title]
    for number, turn in enumerate(turns, 1):
        mark = "older than a turn above" if turn.number < newest else ""
        newest = max(newest, turn.number)
        line = _line(f"{number}.", turn, mark)
        html.append(_folded(line, turn))
        lines += [line, _answer(turn)]
    for turn in aside:
        line = _line("–", turn, turn.aside)
        html.append(_folded(line, turn))
        lines.append(line)
    return Shown(f'<div class="{IGNORE_TEX}">{"".join(html)}</div>', "\n".join(lines))


def _folded(line: str, turn: Turn) -> str:
    from ollama_magic.markdown.renderer import MarkdownRenderer

    prompt = f"<blockquote><pre>{escape(visible(turn.prompt))}</pre></blockquote>"
    return f"<details><summary>{escape(line)}</summary>{prompt}{MarkdownRenderer().render(turn.text).html}</details>"


def _answer(turn: Turn) -> str:
    return "\n".join(f"     {line}" for line in printable(turn.text).splitlines())


def _line(lead: str, turn: Turn, mark: str) -> str:
    parts = [f"{lead} {one_line(turn.prompt, BEGINNING)}", one_line(turn.model)]
    tokens, spent = turn.stats.get("answer_tokens"), turn.stats.get("answer_ns")
    if tokens:
        parts.append(f"{tokens} tokens")
        if spent:
            parts.append(f"{tokens * 1e9 / spent:.0f} tokens/s")
    if turn.seconds:
        parts.append(f"{turn.seconds:.1f} s")
    parts += ["" if turn.state == COMPLETE else turn.state, mark]
    return " · ".join(filter(None, parts))
