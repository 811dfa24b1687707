"""One execution of a cell: the step it is in the journal, the turns it replaces, and whether they come back."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ollama_magic.conversation.changes import Placed, Restored, SetAside
from ollama_magic.conversation.fold import REPLACED
from ollama_magic.conversation.reply import RUNNING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from ollama_magic.conversation.journal import Journal, Origin
    from ollama_magic.conversation.remembered import Turn

DELETED, SILENT = "deleted", "the cell no longer chats"


class CellRun:
    """What one execution does to the turns of its cell, in whichever conversation (design §4)."""

    def __init__(self, journal: Journal, origin: Origin) -> None:
        self.origin = origin
        self.refused = False
        self._journal = journal
        self._step = 0
        self._replaced: list[Turn] | None = None

    @property
    def step(self) -> int:
        """The journal's number for all that this execution does, taken when it first does something."""
        if not self._step or self._journal.fold.undone(self._step):
            self._step = self._journal.new_step()
        return self._step

    @property
    def begun(self) -> bool:
        """Whether a turn of this run has begun."""
        return self._replaced is not None

    @property
    def replaced(self) -> list[Turn]:
        """The turns of the cell's previous run that this run has set aside."""
        return self._replaced or []

    def first_turn(self) -> None:
        """A turn is about to begin: the cell has its place, and what it had is set aside, once."""
        cell, fold = self.origin.cell, self._journal.fold
        if cell is not None and cell not in fold.places:
            self._journal.append("", Placed(cell, fold.next_number), 0)
            self._journal.follow(self._journal.order)
        if self._replaced is None:
            self._replaced = self._set_aside(self._old(), REPLACED)

    def no_turn(self) -> None:
        """The run ended without a turn: a cell that no longer chats has nothing that counts; a refused one keeps it."""
        if self._replaced is None and not self.refused:
            self._set_aside(self._old(), SILENT)

    def came_to_nothing(self) -> bool:
        """Have the old turns count again if nothing of this run is remembered; return whether there were any."""
        if self._mine() or not self.replaced:
            return False
        for name, numbers in _by_conversation(self.replaced).items():
            self._journal.append(name, Restored(numbers), self.step)
        return True

    def still_counting(self) -> list[Turn]:
        """The turns of the run before that still count, because this one was refused or came to nothing."""
        tried = self.refused or self.begun
        return [turn for turn in self._old() if turn.state != RUNNING] if tried and not self._mine() else []

    def take_back(self, turn: Turn) -> None:
        """Have a turn of the previous run count again: this run shows it once more."""
        self._replaced = [old for old in self.replaced if old is not turn]
        self._journal.append(turn.conversation, Restored((turn.number,)), self.step)

    def come_back(self, saved: Callable[[float], Collection[str]]) -> None:
        """Restore what was set aside when the front end named a cell as deleted that lives.

        It runs, or was saved since: `saved` tells the cells of the file, if that was written after a time.
        """
        gone = [turn for turn in self._journal.fold.set_aside if turn.aside == DELETED]
        living = {self.origin.cell, *saved(max(turn.aside_at for turn in gone))} if gone else set()
        for name, numbers in _by_conversation([turn for turn in gone if turn.cell in living]).items():
            self._journal.append(name, Restored(numbers), self.step)

    def deleted(self, cells: list[str]) -> None:
        """Set aside the turns of cells that are no longer in the notebook."""
        self._set_aside([turn for cell in cells for turn in self._journal.fold.of_cell(cell)], DELETED)

    def _mine(self) -> list[Turn]:
        return [turn for turn in self._of_cell() if turn.step == self._step]

    def _old(self) -> list[Turn]:
        return [turn for turn in self._of_cell() if turn.step != self._step]

    def _of_cell(self) -> list[Turn]:
        return self._journal.fold.of_cell(self.origin.cell) if self.origin.cell else []

    def _set_aside(self, turns: list[Turn], why: str) -> list[Turn]:
        for name, numbers in _by_conversation(turns).items():
            self._journal.append(name, SetAside(numbers, why, time.time()), self.step)
        return turns


def _by_conversation(turns: list[Turn]) -> dict[str, tuple[int, ...]]:
    found: dict[str, tuple[int, ...]] = {}
    for turn in turns:
        found[turn.conversation] = (*found.get(turn.conversation, ()), turn.number)
    return found
