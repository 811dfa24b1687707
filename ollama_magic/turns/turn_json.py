"""Turns as JSON, for the store and saved files. Reading ignores invalid values: the JSON may come from anywhere.

Defaults are not written. This writes version 2, and reads what version 0.1.0 wrote as well.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from typing import TYPE_CHECKING, Any, get_args

from ollama_magic.foreign import one_line, repaired
from ollama_magic.ollama.stats import Stats, count
from ollama_magic.turns.attachment_json import attachments_from, reference
from ollama_magic.turns.column_text import MOST
from ollama_magic.turns.step_json import step_json, steps_from_json
from ollama_magic.turns.turn_value import AS_JSON, CUT, RUNNING, Outcome, RequestSettings, State, Turn

if TYPE_CHECKING:
    from collections.abc import Iterable

VERSION = 2
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
STATES: tuple[State, ...] = get_args(State)
_DEFAULT_SETTINGS, _DEFAULT_OUTCOME = RequestSettings(), Outcome()
_STATS = tuple(one.name for one in fields(Stats))
_NAME, _ERROR = 500, 1000  # most characters to read
_DEEPEST = 100  # levels of a format or an option


def turn_json(turn: Turn) -> dict[str, Any]:
    """Return a turn for JSON: the time as ISO 8601 in UTC, without its place in a journal."""
    written: dict[str, Any] = {
        "prompt": turn.prompt,
        "text": turn.text,
        "thinking": turn.thinking,
        **_differing(turn.settings, _DEFAULT_SETTINGS),
        "fingerprint": turn.fingerprint,
        "at": _iso(turn.at),
        "steps": [step_json(step) for step in turn.steps] or None,
        "attachments": [reference(one) for one in turn.attachments] or None,
        "column": turn.column or None,
        "alternatives": [_alternative_json(one) for one in turn.alternatives] or None,
        **outcome_json(turn.outcome),
    }
    return {name: value for name, value in written.items() if value not in ("", None) or name == "prompt"}


def turn_from_json(
    data: Mapping[str, Any],
    contents: Mapping[str, bytes] | None = None,
    outcome: Outcome | None = None,
    *,
    number: int = 0,
    cell: str | None = None,
) -> Turn:
    """Read a turn that `turn_json` or version 0.1.0 wrote; an answer that was running is cut.

    Args:
        data: The JSON object.
        contents: The contents of attachments by their hash.
        outcome: How it ended, if that is not to be read.
        number: Its number in its notebook.
        cell: The cell that asked.
    """
    if outcome is None:
        outcome = outcome_from_json(data)
        outcome = replace(outcome, state=CUT) if outcome.state == RUNNING else outcome
    turn = Turn(
        number=number,
        cell=cell,
        prompt=text_from(data.get("prompt")),
        text=text_from(data.get("text")),
        thinking=text_from(data.get("thinking")),
        settings=_settings(data),
        outcome=outcome,
        conversation=name_from(data.get("conversation")) or "main",
        at=_time(data.get("at")),
        fingerprint=name_from(data.get("fingerprint", data.get("asked"))),
        steps=steps_from_json(data.get("steps")),
        attachments=attachments_from(data.get("attachments"), contents),
        column=count(data.get("column")) or 0,
    )
    others = data.get("alternatives")
    return with_alternatives(turn, [turn_from_json(one) for one in _alternatives_in(others)]) if others else turn


def with_alternatives(turn: Turn, others: Iterable[Turn]) -> Turn:
    """Return a turn with the answers of other models to the same prompt; without any it stands in no column."""
    alternatives = tuple(
        replace(
            one,
            prompt=turn.prompt,
            attachments=turn.attachments,
            conversation=turn.conversation,
            cell=turn.cell,
            alternatives=(),
        )
        for one in others
    )
    return replace(turn, alternatives=alternatives, column=turn.column if alternatives else 0)


def _alternative_json(turn: Turn) -> dict[str, Any]:
    """Return an alternative without what it has in common with its turn."""
    return {name: value for name, value in turn_json(turn).items() if name not in ("prompt", "attachments")}


def _alternatives_in(value: object) -> list[Mapping[str, Any]]:
    rows = [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []
    return [{**row, "alternatives": None} for row in rows[: MOST - 1]]


def _settings(data: Mapping[str, Any]) -> RequestSettings:
    names = {name: name_from(data.get(name)) for name in ("model", "digest", "host")}
    think, keep_alive, options = data.get("think"), data.get("keep_alive"), data.get("options")
    return RequestSettings(
        **names,
        system=text_from(data.get("system")),
        options=_options(options),
        think=text_from(think) if isinstance(think, str) else think if isinstance(think, bool) else None,
        format=format_from(data.get("format", AS_JSON if data.get("form") == AS_JSON else None)),
        keep_alive=_storable(keep_alive) if isinstance(keep_alive, int | float | str) else None,
        turns=count(data.get("turns")),
        tools=_tools(data.get("tools")),
    )


def _options(value: object) -> dict[str, object]:
    found = value.items() if isinstance(value, dict) else ()
    return {text_from(name): kept for name, one in found if (kept := _storable(one)) is not None}


def _tools(value: object) -> tuple[Mapping[str, object], ...]:
    found = [_storable(one) for one in value if _describes(one)] if isinstance(value, list) else []
    return tuple(one for one in found if one is not None)


def _describes(tool: object) -> bool:
    """Whether this describes a function that has a name."""
    function = tool.get("function") if isinstance(tool, dict) else None
    return isinstance(function, dict) and isinstance(function.get("name"), str)


def format_from(value: object) -> object:
    """Return a format of unknown origin: "json" or a schema; anything else was never sent."""
    return value if value == AS_JSON else _storable(value) if isinstance(value, dict) else None


def _storable(value: object) -> Any:
    """Return JSON of unknown origin as it can be written again; None for what cannot."""
    return json.loads(repaired(json.dumps(value, ensure_ascii=False))) if _can_be_sent(value) else None


def _can_be_sent(value: object, levels: int = _DEEPEST) -> bool:
    """Whether a value can be written as JSON: files of others may hold NaN, and nest without end."""
    if isinstance(value, float):
        return math.isfinite(value)
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return (levels > 0 or not items) and all(_can_be_sent(one, levels - 1) for one in items)


def outcome_json(outcome: Outcome) -> dict[str, Any]:
    """Return an outcome for JSON; its state is always written."""
    written = _differing(outcome, _DEFAULT_OUTCOME)
    if "stats" in written:
        written["stats"] = {name: value for name, value in asdict(outcome.stats).items() if value is not None}
    if "seconds" in written:
        written["seconds"] = round(positive(outcome.seconds), 6)
    return {**written, "state": outcome.state}


def outcome_from_json(data: Mapping[str, Any]) -> Outcome:
    """Read an outcome; a state that is not known is complete."""
    state, error = data.get("state"), data.get("error")
    return Outcome(
        state=next((known for known in STATES if known == state), "complete"),
        error=one_line(error, _ERROR) if isinstance(error, str) else "",
        done_reason=name_from(data.get("done_reason")),
        seconds=positive(data.get("seconds")),
        stats=_stats(data.get("stats")),
    )


def text_from(value: object) -> str:
    """Return a text that can be stored; empty for anything that is not a text."""
    return repaired(value) if isinstance(value, str) else ""


def name_from(value: object) -> str:
    """Return a name on one line; empty for anything that is not a text."""
    return _name(value) if isinstance(value, str) and value else ""


@lru_cache(maxsize=256)
def _name(text: str) -> str:
    return one_line(text, _NAME)


def positive(value: object) -> float:
    """Return a number of seconds, 0.0 for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0.0
    return float(value) if math.isfinite(value) and 0 < value < 1e12 else 0.0


def _differing(value: Any, default: Any) -> dict[str, Any]:
    pairs = ((one.name, getattr(value, one.name), getattr(default, one.name)) for one in fields(value))
    return {name: found for name, found, standard in pairs if found != standard}


def _stats(data: object) -> Stats:
    if not isinstance(data, Mapping):
        return Stats()
    return Stats(**{name: count(data.get(name)) for name in _STATS})


def _iso(at: float) -> str:
    try:
        return (EPOCH + timedelta(seconds=at)).isoformat() if at else ""
    except (OverflowError, ValueError):
        return ""


def _time(value: object) -> float:
    if not isinstance(value, str):
        return positive(value)
    try:
        when = datetime.fromisoformat(value.replace("Z", "+00:00"))
        return max(0.0, (when - EPOCH).total_seconds()) if when.tzinfo else 0.0
    except (ValueError, OverflowError):
        return 0.0
