"""The kinds of change that a journal consists of, and their JSON; `fold` computes what they add up to."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from ollama_magic.ollama.protocol import count
from ollama_magic.turns.attachment_json import contents_of
from ollama_magic.turns.step_json import step_from_json, step_json
from ollama_magic.turns.turn_json import (
    VERSION,
    name_from,
    outcome_from_json,
    outcome_json,
    turn_from_json,
    turn_json,
)
from ollama_magic.turns.turn_value import RUNNING, Outcome, Turn

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ollama_magic.turns.tool_steps import ToolStep
    from ollama_magic.turns.turn_value import AsideReason


class Began(NamedTuple):
    """A turn began; its number is its own in this notebook, and its reply is still empty."""

    turn: Turn

    @property
    def number(self) -> int:
        """The number of the turn."""
        return self.turn.number


class Placed(NamedTuple):
    """A cell chats for the first time: its turns stand at this number."""

    cell: str
    number: int


class Ordered(NamedTuple):
    """The chat cells have this order in the notebook; empty if they are ordered by their first run."""

    cells: tuple[str, ...]


class Grown(NamedTuple):
    """Text and thinking were appended to a turn."""

    number: int
    text: str = ""
    thinking: str = ""


class Rewritten(NamedTuple):
    """What arrived as text turned out to be thinking: these texts replace those so far."""

    number: int
    text: str
    thinking: str


class Stepped(NamedTuple):
    """A step of a turn began or changed; `place` is its place among the turn's steps, from 0."""

    number: int
    place: int
    step: ToolStep


class Ended(NamedTuple):
    """A turn ended. Version 0.1.0 stored the model and its digest only here, not where the turn began."""

    number: int
    outcome: Outcome = Outcome()
    model: str = ""
    digest: str = ""


class SetAside(NamedTuple):
    """Turns no longer count: they were replaced, deleted, forgotten or cleared."""

    numbers: tuple[int, ...]
    why: AsideReason
    at: float = 0.0


class Restored(NamedTuple):
    """Turns that were set aside count again."""

    numbers: tuple[int, ...]


class Chosen(NamedTuple):
    """Of turns that were asked side by side this one counts, and the others are its alternatives."""

    number: int


class SettingChanged(NamedTuple):
    """A setting of the conversation has a new value; None removes it."""

    key: str
    value: object


class Undone(NamedTuple):
    """A step was undone."""

    taken: int


class Redone(NamedTuple):
    """An undone step was redone."""

    given: int


Change = (
    Began
    | Placed
    | Ordered
    | Grown
    | Rewritten
    | Stepped
    | Ended
    | SetAside
    | Restored
    | Chosen
    | SettingChanged
    | Undone
    | Redone
)

KINDS: dict[str, type[Any]] = {
    "began": Began,
    "placed": Placed,
    "ordered": Ordered,
    "grown": Grown,
    "rewritten": Rewritten,
    "stepped": Stepped,
    "ended": Ended,
    "setaside": SetAside,
    "restored": Restored,
    "chosen": Chosen,
    "told": SettingChanged,  # the name that version 0.1.0 gave it
    "undone": Undone,
    "redone": Redone,
}
_NAMES = {made: name for name, made in KINDS.items()}


class Entry(NamedTuple):
    """One change with its place in the journal; order is by counter and never by clock (design.md §4)."""

    counter: int
    step: int
    conversation: str
    change: Change


def kind_of(change: Change) -> str:
    """Return the name under which the store has this kind of change."""
    return _NAMES[type(change)]


def to_json(change: Change) -> str:
    """Return the JSON of a change for the store."""
    match change:
        case Began(turn):
            body = {"v": VERSION, "number": turn.number, "cell": turn.cell, "turn": turn_json(turn)}
            body |= {"group": turn.group} if turn.group else {}
        case Ended(number, outcome):
            body = {"v": VERSION, "number": number, "outcome": outcome_json(outcome)}
        case Stepped(number, place, step):
            body = {"v": VERSION, "number": number, "place": place, "step": step_json(step)}
        case _:
            body = change._asdict()
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def from_json(kind: str, body: str, contents: Mapping[str, bytes] | None = None) -> Change | None:
    """Read a change from the store, version 0.1.0 included; None for a kind that a newer version wrote.

    Args:
        kind: The name of the kind in the store.
        body: The JSON of the change.
        contents: The contents of attachments by their hash.
    """
    made = KINDS.get(kind)
    if made is None:
        return None
    if made is Began:
        return _read_began(json.loads(body), contents)
    if made is Stepped:
        return _read_stepped(json.loads(body), contents)
    return _READERS[made](json.loads(body))


def contents_in(change: Change) -> dict[str, bytes]:
    """Return the contents of the attachments that a change brings, by their hash; its JSON has only the hashes."""
    if isinstance(change, Stepped):
        return contents_of(change.step.images)
    return contents_of(change.turn.attachments) if isinstance(change, Began) else {}


def _read_began(body: Mapping[str, Any], contents: Mapping[str, bytes] | None) -> Began:
    cell = body.get("cell")
    placed = cell if isinstance(cell, str) else None
    turn = turn_from_json(body.get("turn", body), contents, _RUNNING, number=body["number"], cell=placed)
    group = count(body.get("group")) or 0
    return Began(turn.changed(group=group) if group else turn)


def _read_ended(body: Mapping[str, Any]) -> Ended:
    outcome = outcome_from_json(body.get("outcome", body))
    return Ended(body["number"], outcome, name_from(body.get("model")), name_from(body.get("digest")))


def _read_stepped(body: Mapping[str, Any], contents: Mapping[str, bytes] | None) -> Stepped:
    return Stepped(body["number"], max(0, body["place"]), step_from_json(body["step"], 1, contents))


def _read_grown(body: Mapping[str, Any]) -> Grown:
    return Grown(body["number"], body.get("text", ""), body.get("thinking", ""))


def _plain_reader(made: type[Any]) -> Callable[[Mapping[str, Any]], Change]:
    names = made._fields

    def read(body: Mapping[str, Any]) -> Change:
        known = {name: body[name] for name in names if name in body}
        change: Change = made(**{key: tuple(value) if key in _LISTS else value for key, value in known.items()})
        return change

    return read


def _read_set_aside(body: Mapping[str, Any]) -> SetAside:
    why = body["why"]
    return SetAside(tuple(body["numbers"]), "silent" if why == _SILENT else why, body.get("at", 0.0))


_SILENT = "the cell no longer chats"  # how version 0.1.0 wrote this reason
_LISTS = ("numbers", "cells")
_RUNNING = Outcome(RUNNING)
_READERS: dict[type[Any], Callable[[Mapping[str, Any]], Change]] = {
    **{made: _plain_reader(made) for made in KINDS.values()},
    Ended: _read_ended,
    Grown: _read_grown,
    SetAside: _read_set_aside,
}
