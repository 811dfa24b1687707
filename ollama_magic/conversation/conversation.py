"""A conversation: the fold of its changes in the journal, and the messages that the next turn sends. Pure."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from ollama_magic.conversation.journal import Change, Cleared, Origin, Told, Turn, TurnAdded
from ollama_magic.ollama.protocol import Message

if TYPE_CHECKING:
    from ollama_magic.conversation.journal import Entry, Journal

BEGAN_WITH = "began_with"  # the model of the first turn: kept until told otherwise (design §1)


class Conversation:
    """What was said under one name, and what was told about it."""

    def __init__(self, name: str, journal: Journal) -> None:
        self.name = name
        self.running = asyncio.Lock()  # one turn at a time; the next one waits for it
        self._journal = journal
        self._turns: list[Turn] = []
        self._told: dict[str, Any] = {}
        for entry in journal.of(name):
            self._apply(entry)

    @property
    def turns(self) -> tuple[Turn, ...]:
        """The turns that count, oldest first."""
        return tuple(self._turns)

    def told(self, key: str) -> Any:
        """What was told for a setting (`model`, `system`, `options`), or None."""
        return self._told.get(key)

    def tell(self, key: str, value: object, origin: Origin = Origin()) -> None:  # noqa: B008 (frozen)
        """Set a setting of this conversation; None takes it back."""
        self._change(Told(key, value), origin)

    def clear(self, origin: Origin) -> int:
        """Begin anew, with the same settings; return how many turns were put away."""
        count = len(self._turns)
        self._change(Cleared(), origin)
        return count

    def commit(self, turn: Turn, origin: Origin) -> None:
        """Remember a turn, and the model if it is the first."""
        if not self.told(BEGAN_WITH):
            self.tell(BEGAN_WITH, turn.model, origin)
        self._change(TurnAdded(turn), origin)

    def messages_for(self, prompt: str, system: str) -> tuple[Message, ...]:
        """The system text, the turns so far (without what was thought in them), and the prompt."""
        return (*system_message(system), *self._history(), Message("user", prompt))

    def _history(self) -> list[Message]:
        pairs = ((Message("user", turn.prompt), Message("assistant", turn.text)) for turn in self._turns)
        return [message for pair in pairs for message in pair]

    def _change(self, change: Change, origin: Origin) -> None:
        self._apply(self._journal.append(self.name, change, origin))

    def _apply(self, entry: Entry) -> None:
        match entry.change:
            case TurnAdded(turn):
                self._turns.append(turn)
            case Cleared():
                self._turns.clear()
            case Told(key, value):
                self._told[key] = value


def system_message(system: str) -> tuple[Message, ...]:
    """The system text as a message, if there is one."""
    return (Message("system", system),) if system else ()
