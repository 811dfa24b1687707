"""The kinds of change that a journal is made of, and their JSON. What they add up to is told in `fold`."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any

from ollama_magic.conversation.reply import AS_MARKDOWN

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Began:
    """A turn began; `number` is its own in this notebook, `at` in Unix seconds, `asked` its request's fingerprint."""

    number: int
    prompt: str
    cell: str | None = None
    system: str = ""
    at: float = 0.0
    asked: str = ""
    form: str = AS_MARKDOWN


@dataclass(frozen=True)
class Placed:
    """A cell chats for the first time, whatever comes of it: its turns stand at this number."""

    cell: str
    number: int


@dataclass(frozen=True)
class Ordered:
    """The cells that chat stand in this order in the notebook; empty where the order of their runs counts."""

    cells: tuple[str, ...]


@dataclass(frozen=True)
class Grown:
    """Text and thinking came to a turn, behind what it had."""

    number: int
    text: str = ""
    thinking: str = ""


@dataclass(frozen=True)
class Ended:
    """A turn ended, in the state of its reply; `stats` are fields of `Stats`."""

    number: int
    state: str
    model: str = ""
    digest: str = ""
    error: str = ""
    seconds: float = 0.0
    stats: Mapping[str, int | None] = field(default_factory=dict)


@dataclass(frozen=True)
class SetAside:
    """Turns count no more: they were replaced, deleted, forgotten or cleared."""

    numbers: tuple[int, ...]
    why: str
    at: float = 0.0


@dataclass(frozen=True)
class Restored:
    """Turns that were set aside count again."""

    numbers: tuple[int, ...]


@dataclass(frozen=True)
class Told:
    """A setting of the conversation was told; None takes it back."""

    key: str
    value: object


@dataclass(frozen=True)
class Undone:
    """All that a step did is taken back."""

    taken: int


@dataclass(frozen=True)
class Redone:
    """A step that was taken back counts again."""

    given: int


Change = Began | Placed | Ordered | Grown | Ended | SetAside | Restored | Told | Undone | Redone

KINDS: dict[str, type[Any]] = {
    kind.__name__.lower(): kind
    for kind in (Began, Placed, Ordered, Grown, Ended, SetAside, Restored, Told, Undone, Redone)
}


@dataclass(frozen=True)
class Entry:
    """One change with its place in the journal; order is by counter and never by clock (design §4)."""

    counter: int
    step: int
    conversation: str
    change: Change


def kind_of(change: Change) -> str:
    """The name of a change's kind, as the store keeps it."""
    return type(change).__name__.lower()


def to_json(change: Change) -> str:
    """The body of a change, as the store keeps it."""
    return json.dumps(asdict(change), ensure_ascii=False, separators=(",", ":"))


def from_json(kind: str, body: str) -> Change | None:
    """Read a change back; None for one that a newer version wrote. Lists become tuples again."""
    made, given = KINDS.get(kind), json.loads(body)
    if made is None:
        return None
    known = {one.name for one in fields(made)}
    values = {
        key: tuple(value) if key in ("numbers", "cells") else value for key, value in given.items() if key in known
    }
    change: Change = made(**values)
    return change
