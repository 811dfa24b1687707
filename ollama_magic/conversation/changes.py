"""The kinds of change that a journal consists of; `fold` computes what they add up to."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ollama_magic.turns.turn_value import Outcome, Turn

if TYPE_CHECKING:
    from ollama_magic.turns.tool_steps import ToolStep
    from ollama_magic.turns.turn_value import AsideReason


BEGAN_WITH = "began_with"  # the setting with the model of the first turn: it stays until another is set (design.md §1)


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


class Entry(NamedTuple):
    """One change with its place in the journal; order is by counter and never by clock (design.md §4)."""

    counter: int
    step: int
    conversation: str
    change: Change
