"""Turns for the tests, written short."""

from __future__ import annotations

from typing import Any

from ollama_magic.conversation.changes import Began, Ended, Grown
from ollama_magic.ollama.stats import Stats
from ollama_magic.turns.turn_value import Outcome, RequestSettings, Turn

SETTINGS = ("digest", "system", "options", "think", "format", "keep_alive", "host", "turns")


def a_turn(prompt: str = "", text: str = "", state: Any = "complete", model: str = "", **more: Any) -> Turn:
    """A turn; what is no field of it is one of its settings or of its outcome."""
    settings = RequestSettings(model, **{name: more.pop(name) for name in SETTINGS if name in more})
    outcome = Outcome(state, more.pop("error", ""), "", more.pop("seconds", 0.0), Stats(**more.pop("stats", {})))
    return Turn(prompt, text, settings=settings, outcome=outcome, **more)


def changes_of(turn: Turn) -> tuple[Began, Grown, Ended]:
    """The changes of a journal that this turn leaves."""
    asked = Turn(turn.prompt, settings=turn.settings, number=turn.number, cell=turn.cell, at=turn.at)
    return Began(asked), Grown(turn.number, turn.text, turn.thinking), Ended(turn.number, turn.outcome)
