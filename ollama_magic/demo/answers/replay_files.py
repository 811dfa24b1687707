"""Conversations as `%ollama save` writes them, read as data: messages, Markdown, notebooks; no I/O."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_TURN = re.compile(r"^<!-- turn (\{.*\}) -->[ \t]*$", re.MULTILINE)
_FENCE = re.compile(r"^ *(```|~~~)")
_MASK = re.compile(r"&lt;|&amp;|!\\(?=\\*\[)|\]\\(?=\\*[(:])")
_STATE = re.compile(r"(?:\A|\n\n)\[(?:stopped|cut|failed(?:: [^\n]*)?)\]\Z")
_MAGIC = re.compile(r"\A(?:%%chat\b[^\n]*|%chat\b)\n?")


@dataclass(frozen=True)
class Said:
    """A prompt and the answer to it; `pace` is in tokens/s, `chunks` are the pieces with their times in ms."""

    prompt: str
    text: str
    model: str = ""
    date: str = ""
    thinking: str = ""
    pace: float | None = None
    chunks: tuple[tuple[float, str], ...] = ()


def message_turns(body: Any) -> list[Said]:
    """Turns of a list of messages; what a file of ours says of them stands beside it."""
    messages = body.get("messages") if isinstance(body, dict) else body
    if not isinstance(messages, list):
        return []
    rows = body.get("turns") if isinstance(body, dict) else None
    facts = {row["answer"]: row for row in rows or () if isinstance(row, dict) and isinstance(row.get("answer"), int)}
    turns, prompt = [], ""
    for place, message in enumerate(messages):
        role, text = (message.get("role"), _text(message.get("content"))) if isinstance(message, dict) else ("", "")
        if role == "user":
            prompt = text
        elif role == "assistant" and prompt:
            row = facts.get(place, message if isinstance(message, dict) else {})
            turns.append(_said(prompt, text, row, _text(message.get("thinking"))))
            prompt = ""
    return turns


def _said(prompt: str, text: str, facts: Mapping[str, Any], thinking: str = "") -> Said:
    date = _text(facts.get("at") or facts.get("created_at"))[:10]
    return Said(prompt, text, _text(facts.get("model")), date, thinking, pace_of(facts.get("stats")))


def pace_of(stats: Any) -> float | None:
    """Tokens per second by the server's own count, or None."""
    if not isinstance(stats, dict):
        return None
    tokens, nanoseconds = stats.get("eval_count", 0), stats.get("eval_duration", 0)
    numbers = isinstance(tokens, int) and isinstance(nanoseconds, int) and tokens > 0 and nanoseconds > 0
    return min(10_000.0, max(0.5, tokens / nanoseconds * 1e9)) if numbers else None


def _text(value: Any) -> str:
    """A text; of a list its texts, as notebooks and some clients have it."""
    if isinstance(value, list):
        return "".join(_text(part.get("text")) if isinstance(part, dict) else _text(part) for part in value)
    return value if isinstance(value, str) else ""


def notebook_turns(body: Mapping[str, Any]) -> list[Said]:
    """The answers under the chat cells of a notebook, with what their labels say."""
    cells = [cell for cell in body["cells"] if isinstance(cell, dict) and cell.get("cell_type") == "code"]
    turns = [turn for cell in cells for turn in _cell_turns(cell)]
    saved = body.get("metadata", {}).get("ollama_magic") if isinstance(body.get("metadata"), dict) else None
    date = _text(saved.get("date"))[:10] if isinstance(saved, dict) else ""
    return [Said(turn.prompt, turn.text, turn.model, turn.date or date) for turn in turns]


def _cell_turns(cell: Mapping[str, Any]) -> list[Said]:
    typed, turns = _MAGIC.sub("", _text(cell.get("source"))), []
    for output in cell.get("outputs") or ():
        labels = output.get("metadata", {}).get("ollama_magic") if isinstance(output, dict) else None
        data = output.get("data") if isinstance(output, dict) else None
        if isinstance(labels, dict) and isinstance(data, dict):
            text = _text(data.get("text/markdown") or data.get("text/plain"))
            state = labels.get("state", "complete")
            text = text if state == "complete" else _STATE.sub("", text)
            turns.append(Said(_text(labels.get("prompt")) or typed, text, _text(labels.get("model")), _ran(cell)))
    return turns


def _ran(cell: Mapping[str, Any]) -> str:
    """The day when the cell ran, where JupyterLab was told to keep the times."""
    metadata = cell.get("metadata")
    times = metadata.get("execution") if isinstance(metadata, dict) else None
    return _text(times.get("iopub.execute_input"))[:10] if isinstance(times, dict) else ""


def markdown_turns(text: str) -> list[Said]:
    """Turns of Markdown of ours: facts in a comment, then quotes under headings, the last of them the answer."""
    _, *parts = _TURN.split(text.replace("\r\n", "\n"))
    turns = []
    for facts, quoted in zip(parts[::2], parts[1::2], strict=True):
        quotes = _quotes(quoted)
        if quotes:
            prompt = next((words for label, words in quotes if label == "### You"), "")
            thinking = next((words for label, words in quotes if label.startswith("<details>")), "")
            turns.append(_said(prompt, quotes[-1][1], _facts(facts), thinking))
    return turns


def _facts(text: str) -> dict[str, Any]:
    try:
        facts = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return facts if isinstance(facts, dict) else {}


def _quotes(text: str) -> list[tuple[str, str]]:
    """Each quote with the line above it."""
    quotes: list[tuple[str, list[str]]] = []
    label = ""
    for line in text.split("\n"):
        if line.startswith(">"):
            if not quotes or quotes[-1][0] != label:
                quotes.append((label, []))
            quotes[-1][1].append(line[1:].removeprefix(" "))
        elif line.strip():
            label = line.strip()
    return [(label, _unmasked(lines)) for label, lines in quotes]


def _unmasked(lines: Sequence[str]) -> str:
    """What was made inert acts again, outside fences."""
    fenced, shown = False, []
    for line in lines:
        if _FENCE.match(line):
            fenced = not fenced
        shown.append(line if fenced else _MASK.sub(_with_power, line))
    return "\n".join(shown)


def _with_power(found: re.Match[str]) -> str:
    return {"&lt;": "<", "&amp;": "&"}.get(found[0], found[0][0])
