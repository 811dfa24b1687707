"""Steps as JSON, for the store and saved files; reading ignores invalid values, as for turns."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, get_args

from ollama_magic.foreign import one_line, repaired
from ollama_magic.ollama.tool_calls import calls_from
from ollama_magic.turns.attachment_json import attachments_from, reference
from ollama_magic.turns.tool_steps import DONE, STEP_FAILED, StepState, ToolCall, ToolStep

STATES: tuple[StepState, ...] = get_args(StepState)
_TEXTS = ("result", "output", "thinking", "text")
_LINES = ("error", "note")
_LONGEST_LINE = 1000


def step_json(step: ToolStep) -> dict[str, Any]:
    """Return a step for JSON, without what is empty."""
    written = {
        "name": step.call.name,
        "arguments": dict(step.call.arguments),
        "id": step.call.id,
        "problem": step.call.problem,
        "round": step.round,
        "state": step.state,
        **{name: getattr(step, name) for name in (*_TEXTS, *_LINES)},
        "seconds": round(step.seconds, 6) if math.isfinite(step.seconds) else 0.0,
        "images": [reference(image) for image in step.images],
    }
    return {name: value for name, value in written.items() if value not in ("", 0.0, []) or name == "name"}


def steps_in_file(steps: Sequence[ToolStep]) -> list[dict[str, Any]]:
    """Return steps for a notebook's file, without what differs with every run: ids and times."""
    return [{k: v for k, v in step_json(step).items() if k not in ("id", "seconds")} for step in steps]


def steps_from_json(value: object) -> tuple[ToolStep, ...]:
    """Read the steps of a turn; rounds never go back, for messages are made of them."""
    found: list[ToolStep] = []
    for one in value if isinstance(value, list) else ():
        if isinstance(one, Mapping):
            found.append(step_from_json(one, found[-1].round if found else 1))
    return tuple(found)


def step_from_json(data: Mapping[str, Any], least: int = 1, contents: Mapping[str, bytes] | None = None) -> ToolStep:
    """Read a step; its round is at least `least`, `contents` are those of its images by their hash."""
    state, number, seconds = data.get("state"), data.get("round"), data.get("seconds")
    texts: dict[str, Any] = {name: _text(data.get(name)) for name in _TEXTS}
    lines: dict[str, Any] = {name: one_line(_text(data.get(name)), _LONGEST_LINE) for name in _LINES}
    known: StepState = next((one for one in STATES if one == state), DONE if texts["result"] else STEP_FAILED)
    return ToolStep(
        call=_call(data),
        round=max(least, number) if type(number) is int else least,
        state=known,
        seconds=float(seconds) if isinstance(seconds, int | float) and 0 < seconds < 1e9 else 0.0,
        images=attachments_from(data.get("images"), contents),
        **texts,
        **lines,
    )


def _call(data: Mapping[str, Any]) -> ToolCall:
    function = {"name": data.get("name"), "arguments": data.get("arguments")}
    call = calls_from([{"id": data.get("id"), "function": function}])[0]
    return ToolCall(call.name, call.arguments, call.id, one_line(_text(data.get("problem"))) or call.problem)


def _text(value: object) -> str:
    return repaired(value) if isinstance(value, str) else ""
