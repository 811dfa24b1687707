"""The order of the notebook's cells as its pages report it, and the turns of cells that were deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ollama_magic.conversation.journal import Journal

PAGES = 20  # most pages to remember; a reloaded page counts as a new one


class CellOrder:
    """Follows the order of the notebook's cells; one kernel may have pages of several notebooks."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._pages: dict[str, tuple[str, ...]] = {}
        self._followed = True

    def set_page(self, page: str, cells: tuple[str, ...]) -> None:
        """Store the code cells of a page; it replaces every page that shows one of them."""
        shown = set(cells)
        mine = {name for name, others in self._pages.items() if name == page or shown.intersection(others)}
        before = self._before(shown) | {cell for name in mine for cell in self._pages[name]}
        unaffected = [(name, others) for name, others in self._pages.items() if name not in mine]
        at = next((at for at, name in enumerate(self._pages) if name in mine), len(unaffected))
        self._pages = dict([*unaffected[:at], (page, cells), *unaffected[at:]][-PAGES:])
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
        """All code cells of all pages."""
        return tuple(dict.fromkeys(cell for cells in self._pages.values() for cell in cells))

    @property
    def living(self) -> frozenset[str]:
        """The cells that are certainly in the notebook; none if it is not followed."""
        return frozenset(self.cells) if self._followed else frozenset()

    def _before(self, shown: set[str]) -> set[str]:
        """The cells that chatted when another kernel knew of this notebook."""
        with self._journal.transaction() as fold:
            known = set(fold.places.cell_order) if not self._pages else set[str]()
        return known if known & shown else set()

    def _follow(self, gone: set[str]) -> None:
        """Set aside the turns of deleted cells, and restore those of cells that are back; undo skips this."""
        living = set(self.cells)
        with self._journal.transaction() as fold:
            self._journal.follow(self.cells)
            went = [turn for cell in sorted(gone - living) for turn in fold.of_cell(cell)]
            came = [turn for turn in fold.set_aside if turn.aside == "deleted" and turn.cell in living]
            self._journal.set_aside(went, "deleted", 0)
            self._journal.restore(came, 0)
