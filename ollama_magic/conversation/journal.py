"""The journal of a notebook: its changes, what they add up to, and the one lock that guards both."""

from __future__ import annotations

import os
import threading
import time
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from ollama_magic.conversation.changes import (
    Began,
    Chosen,
    Ended,
    Entry,
    Grown,
    Ordered,
    Redone,
    Restored,
    Rewritten,
    SetAside,
    SettingChanged,
    Stepped,
    Undone,
)
from ollama_magic.conversation.fold import Fold, after_a_crash
from ollama_magic.conversation.step_summary import TEXTS, StepSummary, summary_of
from ollama_magic.errors import InputError
from ollama_magic.turns.turn_value import MAIN

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
    from concurrent.futures import Future

    from ollama_magic.conversation.changes import Change
    from ollama_magic.turns.history import History
    from ollama_magic.turns.tool_steps import ToolStep
    from ollama_magic.turns.turn_value import AsideReason, Outcome, Turn

    Write = Callable[[Entry], "Future[None] | None"]

STILL_RUNNING = "That turn is still running; `%ollama stop` ends it, then it can be taken back."


class Journal:
    """The changes of one notebook, from any thread; order is by counter.

    Readers never see half a change, and a `transaction` block is atomic for other threads. Listeners are notified
    outside the lock, in the thread that made a change.

    Args:
        write: Hands an entry to a store; the future that it returns is done when the entry is on disk.
    """

    def __init__(self, write: Write | None = None) -> None:
        self.write = write
        self.committed: Future[None] | None = None  # all changes so far are on disk when it is done
        self.listeners: list[Callable[[], None]] = []  # notified when more than a text has changed
        self.order: tuple[str, ...] | None = None  # of all code cells, as a page has them; None: no page says
        self._lock = threading.RLock()
        self._depth = 0
        self._changed = False
        _journals.add(self)
        self.adopt(())

    @contextmanager
    def transaction(self) -> Iterator[Fold]:
        """Lock the journal: reads and changes within the block are atomic for other threads."""
        with self._lock:
            self._depth += 1
            try:
                yield self._fold
            finally:
                self._depth -= 1
                changed = self._changed and not self._depth
                self._changed = self._changed and not changed
        if changed:
            self.notify()

    def adopt(self, entries: Iterable[Entry]) -> None:
        """Continue from changes that are stored already, instead of those so far."""
        with self._lock:
            self.entries = list(entries)
            self.histories: dict[tuple[str, frozenset[str]], History] = {}  # anew, for a text may have been erased
            self._fold = Fold(self.entries)
            self._fold.order = self.order
            self._step = max((entry.step for entry in self.entries), default=0)
            self._counter = max((entry.counter for entry in self.entries), default=0)

    def turns(self, conversation: str) -> list[Turn]:
        """The turns of a conversation that count, in their order."""
        with self.transaction() as fold:
            return fold.standing(conversation)

    def turn(self, number: int) -> Turn | None:
        """The turn of that number, if it is known."""
        with self.transaction() as fold:
            return fold.turn(number)

    @property
    def newest_number(self) -> int:
        """The highest number that a turn ever had, 0 before the first."""
        with self.transaction() as fold:
            return fold.next_number - 1

    def all_turns(self) -> list[Turn]:
        """Every turn of the notebook, whether it counts or not."""
        with self.transaction() as fold:
            return fold.all_turns

    def running(self) -> list[Turn]:
        """The turns that began and have not ended."""
        with self.transaction() as fold:
            return fold.running

    def conversations(self) -> list[str]:
        """The names that have turns, oldest first."""
        with self.transaction() as fold:
            return fold.conversations

    def setting(self, conversation: str, key: str) -> Any:
        """The value of a setting of a conversation, or None."""
        with self.transaction() as fold:
            return fold.setting(conversation, key)

    def new_step(self) -> int:
        """Return a step number for one execution of a cell, or for one command."""
        with self._lock:
            self._step += 1
            return self._step

    def append(self, conversation: str, change: Change, step: int) -> None:
        """Append a change; undo skips step 0."""
        with self.transaction():
            self._counter += 1
            entry = Entry(self._counter, step, conversation, change)
            self.entries.append(entry)
            self._fold.apply(entry)
            if self.write is not None:
                self.committed = self.write(entry)
            self._changed = self._changed or not isinstance(change, Grown)

    def begin(self, turn: Turn, step: int) -> Turn:
        """Begin a turn under a number of its own; return it as the journal has it."""
        with self.transaction() as fold:
            number, at = fold.next_number, turn.at or time.time()
            group = turn.group or (number if turn.column else 0)
            begun = replace(turn, number=number, at=at, group=group, text="", thinking="", steps=(), alternatives=())
            self.append(turn.conversation, Began(begun), step)
            return replace(begun, step=step)

    def grow(self, turn: Turn, text: str, thinking: str) -> None:
        """Add to the reply of a turn."""
        if text or thinking:
            self.append(turn.conversation, Grown(turn.number, text, thinking), turn.step)

    def rewrite(self, turn: Turn, text: str, thinking: str) -> None:
        """Replace the texts that a reply had so far."""
        self.append(turn.conversation, Rewritten(turn.number, text, thinking), turn.step)

    def note_step(self, turn: Turn, place: int, step: ToolStep) -> None:
        """Note a step of a turn, or how it changed; `place` is its place among the turn's steps."""
        self.append(turn.conversation, Stepped(turn.number, place, step), turn.step)

    def end(self, turn: Turn, outcome: Outcome) -> None:
        """Note how a turn ended."""
        self.append(turn.conversation, Ended(turn.number, outcome), turn.step)

    def add(self, turns: Iterable[Turn], step: int | None = None) -> None:
        """Append finished turns, such as those of a file, as one step."""
        with self.transaction():
            step = step or self.new_step()
            for turn in turns:
                group, chosen = 0, 0
                for column in turn.columns:
                    begun = self.begin(
                        replace(column, conversation=turn.conversation, cell=turn.cell, group=group), step
                    )
                    self.grow(begun, column.text, column.thinking)
                    for place, one in enumerate(column.steps):
                        self.note_step(begun, place, one)
                    self.end(begun, column.outcome)
                    group, chosen = begun.group, begun.number if column is turn else chosen
                if group:
                    self.append(turn.conversation, Chosen(chosen), step)

    def set_aside(self, turns: Sequence[Turn], why: AsideReason, step: int | None = None) -> int:
        """Set these turns aside; return how many there were."""
        with self.transaction():
            step = self.new_step() if step is None and turns else step or 0
            for name, numbers in _by_conversation(turns).items():
                self.append(name, SetAside(numbers, why, time.time()), step)
        return len(turns)

    def restore(self, turns: Sequence[Turn], step: int) -> None:
        """Restore turns that were set aside."""
        with self.transaction():
            for name, numbers in _by_conversation(turns).items():
                self.append(name, Restored(numbers), step)

    def choose(self, turn: Turn, step: int) -> None:
        """Let this turn count instead of the one that it was asked beside."""
        self.append(turn.conversation, Chosen(turn.number), step)

    def set_setting(self, conversation: str, key: str, value: object, step: int | None = None) -> None:
        """Change a setting of a conversation, as a step of its own by default; None removes it."""
        with self.transaction():
            self.append(conversation, SettingChanged(key, value), step or self.new_step())

    def undo(self) -> StepSummary | None:
        """Undo the newest step; return what it had done, None if there is none.

        Raises:
            InputError: A turn of that step is still running.
        """
        with self.transaction() as fold:
            step = fold.undoable
            if step is None:
                return None
            if any(turn.step == step for turn in fold.running):
                raise InputError(STILL_RUNNING)
            summary = summary_of(fold, step)
            self.append(summary.conversation, Undone(step), 0)
            return summary

    def redo(self) -> StepSummary | None:
        """Redo the step that was undone last; None if there is none."""
        with self.transaction() as fold:
            step = fold.redoable
            if step is None:
                return None
            self.append("", Redone(step), 0)
            return summary_of(fold, step)

    def follow(self, order: tuple[str, ...] | None) -> None:
        """Order the turns by these code cells; the journal stores only the order of the chat cells.

        Cells known before keep their order, at the end; () orders by first runs, None restores the stored order.
        """
        with self.transaction() as fold:
            if order:
                order = tuple(dict.fromkeys((*order, *fold.places.cell_order)))
            self.order = fold.order = order
            chatting = tuple(cell for cell in order or () if cell in fold.places)
            if order is not None and chatting != fold.places.cell_order:
                self.append("", Ordered(chatting), 0)
            self._changed = True

    def erase(self, numbers: Collection[int]) -> list[int]:
        """Remove the text of turns from the journal itself; return the counters of the removed changes."""
        with self.transaction():
            gone = [one for one in self.entries if isinstance(one.change, TEXTS) and one.change.number in numbers]
            counters = {entry.counter for entry in gone}
            step, counter = self._step, self._counter
            self.adopt([entry for entry in self.entries if entry.counter not in counters])
            self._step, self._counter = step, counter
            for one in (one for one in gone if isinstance(one.change, Began)):  # else its run seems to have died before
                self.append(one.conversation, Restored(()), one.step)
            self._changed = True
        return sorted(counters)

    def cut_running_turns(self) -> None:
        """Mark the running turns of a dead kernel as cut; one without text restores the turns it had replaced."""
        with self.transaction() as fold:
            for change in after_a_crash(fold):
                number = change.number if isinstance(change, Ended) else change.numbers[0]
                turn = fold.turn(number)
                self.append(turn.conversation if turn else MAIN, change, 0)

    def notify(self) -> None:
        """Notify the listeners of a change."""
        for listener in list(self.listeners):
            listener()


def _by_conversation(turns: Sequence[Turn]) -> dict[str, tuple[int, ...]]:
    found: dict[str, tuple[int, ...]] = {}
    for turn in turns:
        found[turn.conversation] = (*found.get(turn.conversation, ()), turn.number)
    return found


_journals: WeakSet[Journal] = WeakSet()


def _after_fork() -> None:
    """Replace the locks: a child process could wait forever for one that a thread of the parent held."""
    for journal in list(_journals):
        journal._lock, journal._depth = threading.RLock(), 0  # noqa: SLF001 (its own class)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
