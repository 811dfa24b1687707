"""A conversation as Markdown for people; only `.json` and `.ipynb` can be opened again.

Prompts and answers are quotes, so that nothing in them can look like a heading or another turn. They are inert when
rendered: code blocks get fences of ours, and outside code tags, images and unsafe links are escaped.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

from ollama_magic.foreign import one_line, repaired, without_controls
from ollama_magic.turns.tool_steps import call_text
from ollama_magic.turns.turn_json import EPOCH
from ollama_magic.turns.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ollama_magic.turns.turn_value import Turn

_PUNCTUATION = re.compile(r"([\\`*_\[\]<>&~|!#@$])")
_FENCE = re.compile(r"([ \t]*)(`{3,}(?=[^`]*\Z)|~{3,})[ \t]*([\w+#.-]*)")
_TICKS = re.compile(r"`{3,}")
_SAFE = r"(?:https?://|mailto:|#)"
_LINK = rf"\({_SAFE}[^\s`<>()\\]*(?:\([^\s`<>()\\]*\)[^\s`<>()\\]*)*\)"
_ACTIVE = re.compile(rf"<|!(?=\[)|\](?:(?=\()(?!{_LINK})|(?=:)(?!: *{_SAFE}))")  # tags; images; links, definitions


def markdown_of(turns: Sequence[Turn]) -> str:
    """Return the turns as Markdown."""
    models = list(dict.fromkeys(_plain(turn.model) for turn in turns if turn.model))
    parts = [
        f"# Conversation with {', '.join(models)}" if models else "# Conversation",
        f"*{counted(len(turns), 'turn')}; prompts and answers are quotes.*",
    ]
    for number, turn in enumerate(turns, 1):
        parts += _turn_parts(number, turn)
    return "\n\n".join(parts) + "\n"


def quoted(text: str) -> str:
    """Return a text as a quote that is inert when rendered."""
    return "\n".join(f"> {line}" if line else ">" for line in _inert(without_controls(repaired(text))))


def _turn_parts(number: int, turn: Turn) -> Iterator[str]:
    yield f"## {number}{_when(turn.at)}"
    if turn.settings.system:
        yield from ("### System", quoted(turn.settings.system))
    yield from ("### You", quoted(turn.prompt))
    if turn.attachments:
        yield f"*Attached: {', '.join(f'{_plain(one.name)} ({one.kind})' for one in turn.attachments)}*"
    if turn.thinking:
        yield from ("<details><summary>Thinking</summary>", quoted(turn.thinking), "</details>")
    for step in turn.steps:
        yield from (f"<details><summary>{_plain(call_text(step.call))}</summary>", quoted(step.content), "</details>")
    yield from _answer_parts(turn, "")
    for other in turn.alternatives:
        yield from _answer_parts(other, " · beside it")


def _answer_parts(turn: Turn, mark: str) -> Iterator[str]:
    ended = "" if turn.state == "complete" else f" · {turn.state}"
    yield f"### {_plain(turn.model) or 'Answer'}{mark}{ended}"
    yield quoted(turn.text)


def _when(at: float) -> str:
    try:
        return f" · {EPOCH + timedelta(seconds=at):%Y-%m-%d %H:%M} UTC" if at else ""
    except (OverflowError, ValueError):
        return ""


def _plain(name: str) -> str:
    return _PUNCTUATION.sub(r"\\\1", one_line(name))


def _inert(text: str) -> Iterator[str]:
    """Yield the lines: code blocks with fences of ours at the margin, everything else escaped."""
    fence, indent, language, code = "", "", "", list[str]()
    for line in text.split("\n"):
        found = _FENCE.match(line)
        if not fence and found is None:
            yield _ACTIVE.sub(lambda found: "&lt;" if found[0] == "<" else f"{found[0]}\\", line)
        elif not fence and found is not None:
            indent, fence, language = found.groups()
            code = []
        elif line.strip().startswith(fence) and not line.strip().strip(fence[0]):
            yield from _code(language, code)
            fence = ""
        else:
            code.append(line.removeprefix(indent))
    if fence:
        yield from _code(language, code)


def _code(language: str, lines: list[str]) -> Iterator[str]:
    longest = max((len(ticks) for line in lines for ticks in _TICKS.findall(line)), default=2)
    fence = "`" * (longest + 1)
    yield from (f"{fence}{language}", *lines, fence)
