"""A conversation: the turns and settings under one name in a notebook's journal. It does no I/O."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ollama_magic.conversation.changes import BEGAN_WITH
from ollama_magic.conversation.fold import set_aside_by
from ollama_magic.conversation.journal import STILL_RUNNING, Journal
from ollama_magic.errors import InputError
from ollama_magic.turns.turn_value import RUNNING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ollama_magic.ollama.message_list import MessageList
    from ollama_magic.turns.turn_value import AsideReason, Turn


class Conversation:
    """The turns and settings under one name; with a journal of its own it exists only in memory."""

    def __init__(self, name: str, journal: Journal) -> None:
        self.name = name
        self.running = asyncio.Lock()  # one turn at a time; the next one waits for it
        self.journal = journal

    @property
    def turns(self) -> tuple[Turn, ...]:
        """The turns that count, in their order."""
        return tuple(self.journal.turns(self.name))

    def setting(self, key: str) -> Any:
        """The value of a setting (`model`, `system`, `options`), or None."""
        return self.journal.setting(self.name, key)

    def set_setting(self, key: str, value: object, step: int | None = None) -> None:
        """Change a setting of this conversation, as a step of its own by default; None removes it."""
        self.journal.set_setting(self.name, key, value, step)

    def end(self, turn: Turn, reply: Turn) -> None:
        """Note how a turn ended; the model of the first turn stays until another is set."""
        with self.journal.transaction():
            self.begin_with(reply, turn.step)
            self.journal.end(turn, reply.outcome)

    def begin_with(self, turn: Turn, step: int) -> None:
        """Note the model that the conversation begins with, if it has begun with none."""
        if not self.setting(BEGAN_WITH) and not turn.empty and turn.model:
            self.set_setting(BEGAN_WITH, turn.model, step)

    def add(self, turns: Iterable[Turn]) -> None:
        """Append finished turns as one step; they belong to no cell."""
        self.journal.add(replace(turn, conversation=self.name, cell=None) for turn in turns)

    def set_aside(self, turns: Sequence[Turn], why: AsideReason, step: int | None = None) -> int:
        """Set these turns aside; return how many there were."""
        return self.journal.set_aside(turns, why, step)

    def take_back_newest(self) -> Turn:
        """Set the newest turn aside as a step; raise InputError if there is none, or if it is running."""
        with self.journal.transaction():
            newest = max(self.turns, key=lambda turn: turn.number, default=None)
            if newest is None:
                raise InputError("There is no turn to take back.")
            if newest.state == RUNNING:
                raise InputError(STILL_RUNNING)
            self.set_aside([newest], "taken back")
        return newest

    def ordered(self) -> list[Turn]:
        """All turns in order, including those that were set aside."""
        with self.journal.transaction() as fold:
            return fold.ordered(self.name)

    def above(self, cell: str | None) -> list[Turn]:
        """The turns that the next turn of this cell is sent after."""
        with self.journal.transaction() as fold:
            return fold.above(self.name, cell)

    def messages(self, turns: Sequence[Turn], system: str, lacking: frozenset[str] = frozenset()) -> MessageList:
        """The system text and these turns as messages, without the media that need the `lacking` capabilities."""
        from ollama_magic.conversation.media import without_media
        from ollama_magic.turns.history import History

        with self.journal.transaction():
            history = self.journal.histories.setdefault((self.name, lacking), History())
            return history.messages(without_media(turns, lacking) if lacking else turns, system)

    def replaced_by(self, turn: Turn) -> Turn | None:
        """The turn that this one replaced when its cell ran again; of several in one cell the one in its place."""
        with self.journal.transaction() as fold:
            mine = [one.number for one in fold.ordered(self.name) if one.step == turn.step]
            gone = [one for one in map(fold.turn, set_aside_by(fold, turn.step)) if one is not None]
        old = sorted((one for one in gone if one.conversation == self.name), key=lambda one: one.number)
        place = sorted(mine).index(turn.number) if turn.number in mine else len(old)
        return old[place] if place < len(old) else None

    def behind(self, turn: Turn) -> list[Turn]:
        """The turns that stand below this one."""
        turns = self.turns  # it is mostly the last one of a long list
        below = next((place for place, one in enumerate(reversed(turns)) if one.number == turn.number), 0)
        return list(turns[len(turns) - below :])
