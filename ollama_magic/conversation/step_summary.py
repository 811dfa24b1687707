"""What a step of the journal did, for undo and redo."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ollama_magic.conversation.changes import (
    BEGAN_WITH,
    Began,
    Chosen,
    Ended,
    Grown,
    Rewritten,
    SetAside,
    SettingChanged,
    Stepped,
)

if TYPE_CHECKING:
    from ollama_magic.conversation.fold import Fold
    from ollama_magic.turns.turn_value import AsideReason, Turn

TEXTS = (Began, Grown, Rewritten, Stepped, Ended)  # the changes that hold what was said in a turn


class StepSummary(NamedTuple):
    """What a step did: the turns it began, why it set others aside, what it chose, the settings that it changed."""

    number: int
    conversation: str
    turns: tuple[Turn, ...] = ()
    aside: AsideReason | None = None
    chosen: Turn | None = None
    settings: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether nothing of it is left to see, because its turns were erased."""
        return not (self.turns or self.aside or self.chosen or set(self.settings) - {BEGAN_WITH})


def summary_of(fold: Fold, step: int) -> StepSummary:
    """Return what a step did."""
    entries = fold.entries_of(step)
    numbers = [entry.change.number for entry in entries if isinstance(entry.change, TEXTS)]
    turns = [turn for number in dict.fromkeys(numbers) if (turn := fold.turn(number)) is not None]
    aside = [entry.change.why for entry in entries if isinstance(entry.change, SetAside)]
    settings = dict.fromkeys(entry.change.key for entry in entries if isinstance(entry.change, SettingChanged))
    choices = [fold.turn(entry.change.number) for entry in entries if isinstance(entry.change, Chosen)]
    why, chosen = aside[0] if aside else None, choices[0] if choices else None
    return StepSummary(step, entries[0].conversation, tuple(turns), why, chosen, tuple(settings))
