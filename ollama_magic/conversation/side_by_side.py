"""Turns that are asked side by side: which of a group counts. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ollama_magic.turns.turn_value import ALTERNATIVE, RUNNING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ollama_magic.turns.turn_value import Turn


def main_of(group: Sequence[Turn]) -> Turn | None:
    """Return the turn of a group that counts, or that would count if the group were not set aside."""
    return next((turn for turn in group if turn.aside != ALTERNATIVE), None)


def first_with_text(group: Sequence[Turn]) -> list[Turn]:
    """Return the turns as they change so that the first one with text counts, else the first that came to something."""
    main = main_of(group)
    if main is None or any(turn.since for turn in group):
        return []
    ordered = sorted((turn for turn in group if not turn.empty), key=lambda turn: turn.column)
    wanted = next((turn for turn in ordered if turn.text or turn.steps or turn.state == RUNNING), None)
    return _moved(main, wanted or next(iter(ordered), main))


def chosen(group: Sequence[Turn], number: int, next_number: int) -> list[Turn]:
    """Return the turns as they change when one of them is chosen; later turns are older than another answer."""
    main, wanted = main_of(group), next((turn for turn in group if turn.number == number), None)
    if main is None or wanted is None:
        return []
    since = next_number if wanted.text != main.text else main.since
    return _moved(main, replace(wanted, since=since))


def with_alternatives(turn: Turn, group: Sequence[Turn]) -> Turn:
    """Return the turn that counts with the others of its group, as far as something came of them."""
    if turn.aside == ALTERNATIVE:
        return turn
    others = (one for one in group if one.number != turn.number and not one.empty)
    return replace(turn, alternatives=tuple(sorted(others, key=lambda one: one.column)))


def _moved(main: Turn, wanted: Turn) -> list[Turn]:
    if wanted.number == main.number:
        return []
    return [
        replace(main, aside=ALTERNATIVE, aside_at=0.0, since=0),
        replace(wanted, aside=main.aside, aside_at=main.aside_at),
    ]
