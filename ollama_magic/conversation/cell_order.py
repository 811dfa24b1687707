"""The order of the notebook's cells as its pages tell it, and what that means for the turns of cells that went."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ollama_magic.conversation.cell_run import DELETED
from ollama_magic.conversation.changes import Restored, SetAside

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ollama_magic.conversation.changes import Change
    from ollama_magic.conversation.journal import Journal
    from ollama_magic.conversation.remembered import Turn

PAGES = 20  # that are remembered; a page that was loaded anew is another one


class CellOrder:
    """Follows the notebook, from above down; pages that show different notebooks of one kernel stand side by side."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._pages: dict[str, tuple[str, ...]] = {}
        self._followed = True

    def tell(self, page: str, cells: tuple[str, ...]) -> None:
        """A page tells all code cells; it takes the place of every page that shows one of them."""
        shown = set(cells)
        mine = {name for name, others in self._pages.items() if name == page or shown.intersection(others)}
        before = self._before(shown) | {cell for name in mine for cell in self._pages[name]}
        kept = [(name, others) for name, others in self._pages.items() if name not in mine]
        at = next((at for at, name in enumerate(self._pages) if name in mine), len(kept))
        self._pages = dict([*kept[:at], (page, cells), *kept[at:]][-PAGES:])
        if self._followed:
            self._follow(before - shown)

    def follow(self, followed: bool) -> None:
        """Follow the notebook, or the order in which the cells ran."""
        self._followed = followed
        if not followed:
            self._journal.follow(())
        elif self._pages:
            self._follow(set())
        else:
            self._journal.follow(None)

    @property
    def cells(self) -> tuple[str, ...]:
        """All code cells that pages have told."""
        return tuple(dict.fromkeys(cell for cells in self._pages.values() for cell in cells))

    @property
    def living(self) -> frozenset[str]:
        """The cells that are in the notebook for sure; none where it is not followed."""
        return frozenset(self.cells) if self._followed else frozenset()

    def _before(self, shown: set[str]) -> set[str]:
        """The cells that chatted when another kernel was told of this notebook."""
        known = set(self._journal.fold.places.told) if not self._pages else set[str]()
        return known if known & shown else set()

    def _follow(self, gone: set[str]) -> None:
        """Set the turns of deleted cells aside, and take back those of cells that are there again: no step of undo."""
        cells, fold = self.cells, self._journal.fold
        self._journal.follow(cells)
        living = set(cells)
        went = [turn for cell in sorted(gone - living) for turn in fold.of_cell(cell)]
        came = [turn for turn in fold.set_aside if turn.aside == DELETED and turn.cell in living]
        for name, numbers in _by_conversation(went):
            self._append(name, SetAside(numbers, DELETED, time.time()))
        for name, numbers in _by_conversation(came):
            self._append(name, Restored(numbers))

    def _append(self, conversation: str, change: Change) -> None:
        self._journal.append(conversation, change, 0)


def _by_conversation(turns: list[Turn]) -> Iterable[tuple[str, tuple[int, ...]]]:
    names = dict.fromkeys(turn.conversation for turn in turns)
    return [(name, tuple(turn.number for turn in turns if turn.conversation == name)) for name in names]
