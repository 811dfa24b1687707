"""The changes of a journal as JSON, for the store, and the names under which it has their kinds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ollama_magic.conversation.changes import (
    Began,
    Chosen,
    Ended,
    Grown,
    Ordered,
    Placed,
    Redone,
    Restored,
    Rewritten,
    SetAside,
    SettingChanged,
    Stepped,
    Undone,
)
from ollama_magic.ollama.stats import count
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
from ollama_magic.turns.turn_value import RUNNING, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ollama_magic.conversation.changes import Change

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
