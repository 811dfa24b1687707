"""The journal: an append-only list of changes, the fold of them, and the one place where changes are made."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ollama_magic.conversation.changes import Began, Ended, Entry, Grown, Ordered
from ollama_magic.conversation.fold import Fold

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable
    from concurrent.futures import Future

    from ollama_magic.conversation.changes import Change
    from ollama_magic.conversation.remembered import Turn

    Keep = Callable[[Entry], "Future[None] | None"]


@dataclass(frozen=True)
class Origin:
    """What runs: the cell (None without one) and the front end's id of this execution of it."""

    cell: str | None = None
    execution: str = ""


TEXTS = (Began, Grown, Ended)  # the changes that hold what was said in a turn


class Journal:
    """The changes of one notebook; `keep` hands each to a store and returns when it is committed (None: no store)."""

    def __init__(self, keep: Keep | None = None) -> None:
        self.keep = keep
        self.kept: Future[None] | None = None
        self.listeners: list[Callable[[], None]] = []  # told, in any thread, when more than a text has changed
        self._lock = threading.RLock()
        self.order: tuple[str, ...] | None = None  # of all code cells, as a page tells it; None: no page does
        self.adopt(())

    def adopt(self, entries: Iterable[Entry]) -> None:
        """Go on from changes that are kept already, instead of those so far."""
        with self._lock:
            self.entries = list(entries)
            self.fold = Fold(self.entries)
            self.fold.order = self.order
            self._step = max((entry.step for entry in self.entries), default=0)
            self._counter = max((entry.counter for entry in self.entries), default=0)

    def standing(self, conversation: str) -> list[Turn]:
        """The turns of a conversation that count, in their order; from any thread, never in the middle of a change."""
        with self._lock:
            return self.fold.standing(conversation)

    def new_step(self) -> int:
        """A number for what one execution of a cell, or one command, is about to do."""
        with self._lock:
            self._step += 1
            return self._step

    def append(self, conversation: str, change: Change, step: int) -> None:
        """Make a change, from any thread; `kept` is then the promise that all up to it is committed."""
        with self._lock:
            self._counter += 1
            entry = Entry(self._counter, step, conversation, change)
            self.entries.append(entry)
            self.fold.apply(entry)
            if self.keep is not None:
                self.kept = self.keep(entry)
        if not isinstance(change, Grown):
            self.tell()

    def follow(self, order: tuple[str, ...] | None) -> None:
        """Have turns stand in this order of all code cells; what the journal keeps of it are the cells that chat.

        Cells that were told before stay in their order, behind; () is the order of the runs, None what the journal has.
        """
        with self._lock:
            if order:
                order = tuple(dict.fromkeys((*order, *self.fold.places.told)))
            self.order = self.fold.order = order
            chatting = tuple(cell for cell in order or () if cell in self.fold.places)
            if order is not None and chatting != self.fold.places.told:
                self.append("", Ordered(chatting), 0)
        self.tell()

    def erase(self, numbers: Collection[int]) -> list[int]:
        """Take the text of turns out of the journal itself; return the counters of the changes that are gone."""
        with self._lock:
            gone = [one for one in self.entries if isinstance(one.change, TEXTS) and one.change.number in numbers]
            counters = {entry.counter for entry in gone}
            step, counter = self._step, self._counter
            self.adopt([entry for entry in self.entries if entry.counter not in counters])
            self._step, self._counter = step, counter
        self.tell()
        return sorted(counters)

    def tell(self) -> None:
        """Tell those who listen that something has changed."""
        for listener in list(self.listeners):
            listener()
