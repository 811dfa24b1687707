"""Conversations as `%ollama save` writes them, read as data: messages and notebooks; no I/O."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_STATE = re.compile(r"(?:\A|\n\n)\[(?:stopped|cut|failed(?:: [^\n]*)?)\]\Z")
_MAGIC = re.compile(r"\A(?:%%chat\b[^\n]*|%chat\b)\n?")


@dataclass(frozen=True)
class RecordedRound:
    """The tool calls of one answer: names with arguments, what was said before them, and what the tools returned."""

    calls: tuple[tuple[str, Mapping[str, Any]], ...]
    text: str = ""
    thinking: str = ""
    results: tuple[str, ...] = ()


@dataclass(frozen=True)
class RecordedTurn:
    """A prompt and the answer to it; `pace` is in tokens/s, `chunks` are the pieces with their times in ms.

    `rounds` are the tool calls before the answer.
    """

    prompt: str
    text: str
    model: str = ""
    date: str = ""
    thinking: str = ""
    pace: float | None = None
    chunks: tuple[tuple[float, str], ...] = ()
    rounds: tuple[RecordedRound, ...] = ()


def message_turns(body: Any) -> list[RecordedTurn]:
    """Turns of a list of messages; what a file of ours says of them stands beside it."""
    messages = body.get("messages") if isinstance(body, dict) else body
    if not isinstance(messages, list):
        return []
    rows = body.get("turns") if isinstance(body, dict) else None
    known = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    facts = {row["answer"]: row for row in known if isinstance(row.get("answer"), int)}
    turns, prompt, rounds = [], "", list[RecordedRound]()
    for place, message in enumerate(messages):
        role, text = (message.get("role"), _text(message.get("content"))) if isinstance(message, dict) else ("", "")
        if role == "user":
            prompt, rounds = text, []
        elif role == "assistant" and prompt and (calls := _calls(message)):
            rounds.append(RecordedRound(calls, text, _text(message.get("thinking"))))
        elif role == "tool" and rounds:
            rounds[-1] = replace(rounds[-1], results=(*rounds[-1].results, text))
        elif role == "assistant" and prompt:
            row = facts.get(place, message if isinstance(message, dict) else {})
            turns.append(replace(_recorded(prompt, text, row, _text(message.get("thinking"))), rounds=tuple(rounds)))
            prompt = ""
    return turns


def _calls(message: Mapping[str, Any]) -> tuple[tuple[str, Mapping[str, Any]], ...]:
    """The names and arguments of a message's tool calls."""
    calls = message.get("tool_calls")
    functions = [one.get("function") for one in calls if isinstance(one, dict)] if isinstance(calls, list) else []
    named = [one for one in functions if isinstance(one, dict) and isinstance(one.get("name"), str)]
    return tuple((one["name"], one["arguments"]) for one in named if isinstance(one.get("arguments"), dict))


def _rounds_of_steps(steps: Any) -> tuple[RecordedRound, ...]:
    """The rounds in the label of a notebook's answer, where each call is a step with the number of its round."""
    found: dict[Any, list[Mapping[str, Any]]] = {}
    for step in steps if isinstance(steps, list) else ():
        if isinstance(step, dict):
            found.setdefault(step.get("round"), []).append(step)
    return tuple(
        RecordedRound(
            _calls({"tool_calls": [{"function": {"arguments": {}, **one}} for one in steps]}),
            _text(steps[0].get("text")),
            _text(steps[0].get("thinking")),
            tuple(_text(one.get("result")) or f"Error: {_text(one.get('error'))}" for one in steps),
        )
        for steps in found.values()
    )


def _recorded(prompt: str, text: str, facts: Mapping[str, Any], thinking: str = "") -> RecordedTurn:
    date = _text(facts.get("at") or facts.get("created_at"))[:10]
    return RecordedTurn(prompt, text, _text(facts.get("model")), date, thinking, pace_of(facts.get("stats")))


def pace_of(stats: Any) -> float | None:
    """Tokens per second by the server's own count, or None."""
    if not isinstance(stats, dict):
        return None
    tokens, nanoseconds = stats.get("answer_tokens", 0), stats.get("answer_ns", 0)
    numbers = isinstance(tokens, int) and isinstance(nanoseconds, int) and tokens > 0 and nanoseconds > 0
    return min(10_000.0, max(0.5, tokens / nanoseconds * 1e9)) if numbers else None


def _text(value: Any) -> str:
    """A text; of a list its texts, as notebooks and some clients have it."""
    if isinstance(value, list):
        return "".join(_text(part.get("text")) if isinstance(part, dict) else _text(part) for part in value)
    return value if isinstance(value, str) else ""


def notebook_turns(body: Mapping[str, Any]) -> list[RecordedTurn]:
    """The answers under the chat cells of a notebook, with what their labels say."""
    cells = [cell for cell in body["cells"] if isinstance(cell, dict) and cell.get("cell_type") == "code"]
    turns = [turn for cell in cells for turn in _cell_turns(cell)]
    saved = body.get("metadata", {}).get("ollama_magic") if isinstance(body.get("metadata"), dict) else None
    date = _text(saved.get("date"))[:10] if isinstance(saved, dict) else ""
    return [replace(turn, date=turn.date or date) for turn in turns]


def _cell_turns(cell: Mapping[str, Any]) -> list[RecordedTurn]:
    typed, turns = _MAGIC.sub("", _text(cell.get("source"))), []
    outputs = cell.get("outputs")
    for output in outputs if isinstance(outputs, list) else ():
        metadata = output.get("metadata") if isinstance(output, dict) else None
        labels = metadata.get("ollama_magic") if isinstance(metadata, dict) else None
        data = output.get("data") if isinstance(output, dict) else None
        if isinstance(labels, dict) and isinstance(data, dict):
            text = _text(data.get("text/markdown") or data.get("text/plain"))
            state = labels.get("state", "complete")
            text = text if state == "complete" else _STATE.sub("", text)
            rounds, prompt = _rounds_of_steps(labels.get("steps")), _text(labels.get("prompt")) or typed
            turns.append(RecordedTurn(prompt, text, _text(labels.get("model")), _ran(cell), rounds=rounds))
    return turns


def _ran(cell: Mapping[str, Any]) -> str:
    """The day when the cell ran, where JupyterLab recorded the times."""
    metadata = cell.get("metadata")
    times = metadata.get("execution") if isinstance(metadata, dict) else None
    return _text(times.get("iopub.execute_input"))[:10] if isinstance(times, dict) else ""
