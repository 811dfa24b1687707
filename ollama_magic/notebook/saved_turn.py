"""One turn as a file keeps it, and the facts that stand beside its texts. How a file is laid out is not known here."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from ollama_magic.foreign import one_line, repaired

if TYPE_CHECKING:
    from collections.abc import Mapping

STATES = ("complete", "stopped", "cut", "failed")
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
MOST_STATS = 32


@dataclass(frozen=True)
class SavedTurn:
    """A prompt, the answer to it, and what is known of both.

    `at` is in Unix seconds and 0.0 where it is not known, `seconds` how long it took; `stats` are the fields of
    `Stats`; `cell` and `slot` are those of the notebook that it was read from, and are written to no file.
    """

    prompt: str
    text: str
    state: str = "complete"
    model: str = ""
    thinking: str = ""
    system: str = ""
    error: str = ""
    at: float = 0.0
    seconds: float = 0.0
    digest: str = ""
    stats: Mapping[str, int] = field(default_factory=dict)
    conversation: str = "main"
    cell: str = ""
    slot: str = ""


def facts_of(turn: SavedTurn) -> dict[str, Any]:
    """Return what stands beside the texts, as JSON takes it: times as ISO 8601 in UTC, to the microsecond."""
    facts: dict[str, Any] = {
        "conversation": turn.conversation,
        "model": turn.model,
        "digest": turn.digest,
        "state": turn.state,
        "error": turn.error,
        "at": _iso(turn.at),
        "seconds": round(_positive(turn.seconds), 6),
        "stats": _stats(dict(turn.stats)),
    }
    return {name: value for name, value in facts.items() if value or name == "state"}


def read_facts(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Read those facts back, as arguments of SavedTurn; what makes no sense in a file of unknown origin is left out."""
    read: dict[str, Any] = {name: _name(facts.get(name)) for name in ("conversation", "model", "digest")}
    read["error"] = one_line(error, 1000) if isinstance(error := facts.get("error"), str) else ""
    read["state"] = read_state(facts.get("state"))
    read["at"] = _seconds_since_epoch(facts.get("at"))
    read["seconds"] = _positive(facts.get("seconds"))
    read["stats"] = _stats(facts.get("stats"))
    return {name: value for name, value in read.items() if value}


def read_state(state: object) -> str:
    """A state that a file may give; an answer that was on its way when it was saved is cut."""
    if state == "running":
        return "cut"
    return state if isinstance(state, str) and state in STATES else "complete"


def said(value: object) -> str:
    """A text of unknown origin, made fit to be kept; empty for what is none."""
    return repaired(value) if isinstance(value, str) else ""


def counted(count: int, thing: str) -> str:
    """A number of things in words: `1 turn`, `3 turns`."""
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


def _name(value: object) -> str:
    return one_line(value, 500) if isinstance(value, str) else ""


def _iso(at: float) -> str:
    try:
        return (EPOCH + timedelta(seconds=at)).isoformat() if at else ""
    except (OverflowError, ValueError):
        return ""


def _seconds_since_epoch(value: object) -> float:
    if not isinstance(value, str):
        return _positive(value)
    try:
        when = datetime.fromisoformat(value.replace("Z", "+00:00"))
        return max(0.0, (when - EPOCH).total_seconds()) if when.tzinfo else 0.0
    except (ValueError, OverflowError):
        return 0.0


def _positive(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0.0
    return float(value) if math.isfinite(value) and 0 < value < 1e12 else 0.0


def _stats(value: object) -> dict[str, int]:
    if not isinstance(value, dict):
        return {}
    items = list(value.items())[:MOST_STATS]
    return {str(name)[:40]: count for name, count in items if type(count) is int and 0 <= count < 2**63}
