"""One execution of a cell, or one retry: its step in the journal, and the turns that it replaces or restores."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ollama_magic.conversation.changes import Placed
from ollama_magic.turns.turn_value import RUNNING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from ollama_magic.conversation.journal import Journal
    from ollama_magic.turns.turn_value import AsideReason, Turn


class Origin(NamedTuple):
    """What started a turn: the cell, if any, and the front end's id of its execution."""

    cell: str | None = None
    execution: str = ""


class CellRun:
    """One execution of a cell, and what it does to the cell's turns in any conversation (design.md §4)."""

    def __init__(self, journal: Journal, origin: Origin) -> None:
        self.origin = origin
        self.refused = False
        self._journal = journal
        self._step = 0
        self._replaced: list[Turn] | None = None
        self._reused: set[int] = set()

    @property
    def step(self) -> int:
        """The journal's step for everything that this execution does, created when it first changes something."""
        with self._journal.transaction() as fold:
            if not self._step or fold.undone(self._step):
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
        """Prepare for the next turn: place the cell, and set its earlier turns aside, once per run."""
        cell = self.origin.cell
        with self._journal.transaction() as fold:
            if cell is not None and cell not in fold.places:
                self._journal.append("", Placed(cell, fold.next_number), 0)
                self._journal.follow(self._journal.order)
            if self._replaced is None:
                self._replaced = self._set_aside(self._old(), "replaced")

    def no_turn(self) -> None:
        """Note that the run had no turn: the cell's earlier turns are set aside, unless the run was refused."""
        if self._replaced is None and not self.refused:
            self._set_aside(self._old(), "silent")

    def came_to_nothing(self) -> bool:
        """Restore the earlier turns if nothing of this run is stored; return whether there were any."""
        with self._journal.transaction():
            if self._mine() or not self.replaced:
                return False
            self._journal.restore(self.replaced, self.step)
            return True

    def still_counting(self) -> list[Turn]:
        """The turns of the previous run that still count, because this one was refused or came to nothing."""
        if not (self.refused or self.begun) or self._mine():
            return []
        return [turn for turn in self._old() if turn.state != RUNNING and turn.number not in self._reused]

    def take_back(self, turn: Turn) -> None:
        """Restore a turn of the previous run, because this run shows it."""
        self._reused.add(turn.number)
        self._replaced = [old for old in self.replaced if old.number != turn.number]
        self._journal.restore([turn], self.step)

    def come_back(self, saved: Callable[[float], Collection[str]]) -> None:
        """Restore turns of cells that the front end reported as deleted although they exist.

        Such a cell runs, or was saved since: `saved(time)` returns the cells of the file if it was written after that.
        """
        gone = [turn for turn in self._journal.all_turns() if turn.aside == "deleted"]
        if gone:
            living = {self.origin.cell, *saved(max(turn.aside_at for turn in gone))}
            self._restore([turn for turn in gone if turn.cell in living])

    def deleted(self, cells: list[str]) -> None:
        """Set aside the turns of cells that are no longer in the notebook."""
        with self._journal.transaction() as fold:
            self._set_aside([turn for cell in cells for turn in fold.of_cell(cell)], "deleted")

    def _mine(self) -> list[Turn]:
        return [turn for turn in self._of_cell() if turn.step == self._step]

    def _old(self) -> list[Turn]:
        return [turn for turn in self._of_cell() if turn.step != self._step]

    def _of_cell(self) -> list[Turn]:
        with self._journal.transaction() as fold:
            return fold.of_cell(self.origin.cell) if self.origin.cell else []

    def _set_aside(self, turns: list[Turn], why: AsideReason) -> list[Turn]:
        if turns:
            self._journal.set_aside(turns, why, self.step)
        return turns

    def _restore(self, turns: list[Turn]) -> None:
        if turns:
            self._journal.restore(turns, self.step)


class RetryRun(CellRun):
    """A turn that is retried or edited without a cell: it replaces these turns, which return if it comes to nothing."""

    def __init__(self, journal: Journal, origin: Origin, replaces: Sequence[Turn]) -> None:
        super().__init__(journal, origin)
        self._replaces = replaces

    def _old(self) -> list[Turn]:
        numbers = {turn.number for turn in self._replaces}
        return [turn for turn in self._journal.all_turns() if turn.number in numbers and turn.counts]
