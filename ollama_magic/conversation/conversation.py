"""A conversation: its part of the notebook's journal, and the messages that the next turn sends. No I/O lives here."""

from __future__ import annotations

import asyncio
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ollama_magic.conversation.changes import Began, Ended, Grown, SetAside, Told
from ollama_magic.conversation.reply import COMPLETE
from ollama_magic.ollama.protocol import Message

if TYPE_CHECKING:
    from ollama_magic.conversation.journal import Journal
    from ollama_magic.conversation.remembered import Turn
    from ollama_magic.conversation.reply import Reply

BEGAN_WITH = "began_with"  # the model of the first turn: kept until told otherwise (design §1)


class Conversation:
    """What was said under one name, and what was told about it."""

    def __init__(self, name: str, journal: Journal) -> None:
        self.name = name
        self.running = asyncio.Lock()  # one turn at a time; the next one waits for it
        self.journal = journal

    @property
    def turns(self) -> tuple[Turn, ...]:
        """The turns that count, in their order."""
        return tuple(self.journal.standing(self.name))

    def told(self, key: str) -> Any:
        """What was told for a setting (`model`, `system`, `options`), or None."""
        return self.journal.fold.told(self.name, key)

    def tell(self, key: str, value: object, step: int | None = None) -> None:
        """Set a setting of this conversation, a step of its own by default; None takes it back."""
        self.journal.append(self.name, Told(key, value), step or self.journal.new_step())

    def set_aside(self, turns: list[Turn], why: str, step: int | None = None) -> int:
        """Have these turns count no more; return how many there were."""
        if turns:
            numbers = tuple(turn.number for turn in turns)
            self.journal.append(self.name, SetAside(numbers, why, time.time()), step or self.journal.new_step())
        return len(turns)

    def begin(self, prompt: str, cell: str | None, system: str, asked: str, form: str, step: int) -> Turn:
        """Begin a turn in its cell's place, or behind all others."""
        fold = self.journal.fold
        number = fold.next_number
        self.journal.append(self.name, Began(number, prompt, cell, system, time.time(), asked, form), step)
        turn = fold.turn(number)
        assert turn is not None, "a turn that began is known"
        return turn

    def grow(self, turn: Turn, text: str, thinking: str) -> None:
        """Remember more of an answer."""
        if text or thinking:
            self.journal.append(self.name, Grown(turn.number, text, thinking), turn.step)

    def end(self, turn: Turn, reply: Reply) -> None:
        """Remember how a turn ended, and the model if it is the first."""
        if not self.told(BEGAN_WITH) and (reply.text_parts or reply.state == COMPLETE):
            self.tell(BEGAN_WITH, reply.model, turn.step)
        stats = asdict(reply.stats) if reply.stats else {}
        seconds = (reply.ended_at or time.monotonic()) - reply.started_at
        error = str(reply.error or "")
        ended = Ended(turn.number, reply.state, reply.model, reply.digest, error, seconds, stats)
        self.journal.append(self.name, ended, turn.step)

    def above(self, cell: str | None) -> list[Turn]:
        """The turns that the next turn of this cell is sent after."""
        return self.journal.fold.above(self.name, cell)

    def behind(self, turn: Turn) -> list[Turn]:
        """The turns that stand below this one."""
        turns = self.journal.fold.standing(self.name)
        return turns[turns.index(turn) + 1 :] if turn in turns else []


def messages_of(turns: list[Turn], prompt: str, system: str) -> tuple[Message, ...]:
    """The system text, these turns (without what was thought in them), and the prompt."""
    pairs = ((Message("user", turn.prompt), Message("assistant", turn.text)) for turn in turns)
    history = (message for pair in pairs for message in pair)
    lead = (Message("system", system),) if system else ()
    return (*lead, *history, Message("user", prompt))
