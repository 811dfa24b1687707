"""Turns that are asked side by side: with which models, and which of a group counts. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ollama_magic.errors import InputError
from ollama_magic.foreign import one_line
from ollama_magic.ollama.model_names import normal_name
from ollama_magic.turns.column_text import MOST
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


def paired(models: Sequence[str], hosts: Sequence[str]) -> list[tuple[str | None, str | None]]:
    """Return the model and the host of each answer that is asked for; with at most one of each it is a plain turn.

    Raises:
        InputError: A model stands there twice, there are too many, or models and hosts do not pair.
    """
    if len(hosts) > 1 and len(models) > 1 and len(hosts) != len(models):
        raise InputError(
            f"{len(models)} -m and {len(hosts)} --host do not pair; write one --host for each -m, in their order, or "
            "one for all."
        )
    count = max(len(models), len(hosts), 1)
    columns = [(_of_all(models, place), _of_all(hosts, place)) for place in range(count)]
    names = [(normal_name(model or ""), host) for model, host in columns]
    for (model, host), name in zip(columns, names, strict=True):
        if names.count(name) > 1:
            raise InputError(f"{one_line(model or host or '', 80)} stands there twice; name it once.")
    if count > MOST:
        raise InputError(f"{count} answers side by side are too many; at most {MOST} have room.")
    return columns


def _of_all(names: Sequence[str], place: int) -> str | None:
    """Return the name at a place; one name is for all places."""
    return names[place if len(names) > 1 else 0] if names else None
