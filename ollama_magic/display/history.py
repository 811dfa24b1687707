"""The turns of a conversation, numbered and folded, for `%ollama history`."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from ollama_magic.conversation.reply import COMPLETE
from ollama_magic.display.settled import IGNORE_TEX
from ollama_magic.display.steps import step_line, steps_html
from ollama_magic.display.tables import Shown
from ollama_magic.display.vscode import html_for_host, style_for_host
from ollama_magic.foreign import one_line, printable, repaired, visible
from ollama_magic.turns.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ollama_magic.turns.turn_value import Turn

BEGINNING = 80  # characters of a prompt in its folded line


def history_view(name: str, turns: Sequence[Turn], aside: Sequence[Turn] = ()) -> Shown:
    """Show a conversation: each turn is a line that unfolds; `aside` are the turns that no longer count."""
    title = f"{one_line(name)}: {counted(len(turns), 'turn')}"
    newest = 0
    html, lines = [f"<p><strong>{escape(title)}</strong></p>"], [title]
    for number, turn in enumerate(turns, 1):
        mark = "older than a turn above" if turn.number < newest else ""
        newest = max(newest, turn.newest)
        line = _line(f"{number}.", turn, mark)
        html.append(_folded(line, turn))
        lines += [line, _answer(turn), *_alternatives(turn)]
    for turn in aside:
        line = _line("–", turn, turn.aside)
        html.append(_folded(line, turn))
        lines.append(line)
    return Shown(f'{style_for_host()}<div class="ollama-magic {IGNORE_TEX}">{"".join(html)}</div>', "\n".join(lines))


def _folded(line: str, turn: Turn) -> str:
    from ollama_magic.markdown.renderer import MarkdownRenderer

    prompt = f"<blockquote><pre>{escape(visible(repaired(turn.prompt)))}</pre></blockquote>"
    answer = html_for_host(MarkdownRenderer().render(turn.text).html)
    attached = f"<p><small>{escape(_attached(turn))}</small></p>" if turn.attachments else ""
    own = f"{prompt}{attached}{steps_html(turn.steps)}{answer}"
    others = "".join(
        f"<details><summary>{escape(_beside(other))}</summary>"
        f"{html_for_host(MarkdownRenderer().render(other.text).html)}</details>"
        for other in turn.alternatives
    )
    return f"<details><summary>{escape(line)}</summary>{own}{others}</details>"


def _attached(turn: Turn) -> str:
    """Return the names of what went along."""
    return f"attached {', '.join(one_line(one.name) for one in turn.attachments)}" if turn.attachments else ""


def _answer(turn: Turn) -> str:
    lines = [*map(step_line, turn.steps), *printable(turn.text).splitlines()]
    return "\n".join(f"     {line}" for line in lines)


def _alternatives(turn: Turn) -> Iterator[str]:
    """Yield the answers of other models that stand beside a turn."""
    for other in turn.alternatives:
        yield f"     {_beside(other)}"
        yield from (f"       {line}" for line in printable(other.text).splitlines())


def _beside(turn: Turn) -> str:
    return " · ".join([f"beside it: {one_line(turn.model)}", *_figures(turn)])


def _line(lead: str, turn: Turn, mark: str) -> str:
    beside = ", ".join(one_line(other.model) for other in turn.alternatives)
    parts = [f"{lead} {one_line(turn.prompt, BEGINNING)}", _attached(turn), one_line(turn.model)]
    parts += [f"beside {beside}" if beside else "", *_figures(turn), mark]
    return " · ".join(filter(None, parts))


def _figures(turn: Turn) -> list[str]:
    """Return tokens, speed and time of an answer, and its state if it is not complete."""
    parts: list[str] = []
    tokens, spent = turn.outcome.stats.answer_tokens, turn.outcome.stats.answer_ns
    if tokens:
        parts.append(f"{tokens} tokens")
        if spent:
            parts.append(f"{tokens * 1e9 / spent:.0f} tokens/s")
    if turn.outcome.seconds:
        parts.append(f"{turn.outcome.seconds:.1f} s")
    return parts if turn.state == COMPLETE else [*parts, turn.state]
