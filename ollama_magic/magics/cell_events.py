"""Handles the beginning and the end of cells: what happens to the turns of their earlier runs."""

from __future__ import annotations

import re
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from IPython.display import display

from ollama_magic.display.host import request_of
from ollama_magic.errors import OllamaMagicError, TurnStopped
from ollama_magic.magics.executed_cells import DisplayedTexts
from ollama_magic.magics.page_comm import PageComm

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ollama_magic.conversation.session import Session
    from ollama_magic.line.cell import Cell
    from ollama_magic.turns.turn_value import Turn

_LOADS = re.compile(r"^\s*%load_ext\s+ollama_magic\b", re.MULTILINE)


class CellEvents:
    """Listens to the shell's cell events; a terminal's cells have no ids and are ignored."""

    def __init__(self, shell: Any, session: Session, cell: Cell, footer: Callable[[], str]) -> None:
        self._shell, self._session, self._cell = shell, session, cell
        self._named: frozenset[str] = frozenset()
        self._page_line = PageComm(shell, session, footer)
        self.displayed = DisplayedTexts(shell)

    def register(self) -> None:
        """Start listening."""
        self._shell.events.register("pre_run_cell", self.begins)
        self._shell.events.register("post_run_cell", self._ended)
        self._page_line.register()
        self.displayed.register()

    def unregister(self) -> None:
        """Stop listening."""
        self._page_line.unregister()
        self.displayed.unregister()
        for name, callback in (("pre_run_cell", self.begins), ("post_run_cell", self._ended)):
            with suppress(ValueError):
                self._shell.events.unregister(name, callback)

    def follow(self, order: str) -> None:
        """Order turns by the "notebook", or by the order of runs ("run")."""
        self._page_line.order.follow(order == "notebook")

    @contextmanager
    def refusals(self) -> Iterator[None]:
        """Mark the cell as refused if the block raises an error, so that its earlier turns still count."""
        try:
            yield
        except OllamaMagicError:
            self._session.run_of(self._cell.origin()).refused = True
            raise

    def begins(self, info: Any = None) -> None:
        """Restore the turns of existing cells, and set aside those of cells that the front end reports as deleted.

        Requests that were queued together have the same list, and a pasted cell is reported although it exists: an id
        counts only if the previous request did not have it, it is not the running cell (design.md §4), and no page
        shows it. A cell in a file that was saved since was pasted, or its deletion undone.
        """
        if _LOADS.search(getattr(info, "raw_cell", None) or ""):
            # Else IPython itself says that it is loaded, if the kernel has loaded it automatically.
            self._shell.extension_manager.loaded.discard("ollama_magic")
        self._cell.begun += 1
        request = request_of(self._shell)
        self._session.cell_runs(request.cell)
        run = self._session.run_of(self._cell.origin())
        run.come_back(self._session.cells_saved)
        run.deleted(sorted(request.deleted - self._named - {request.cell, *self._page_line.order.living}))
        self._named = request.deleted

    def _ended(self, result: Any = None) -> None:
        """Set aside the turns of a cell that no longer chats; after an error, show the turns that still count."""
        del result
        if not request_of(self._shell).attended:
            self._wait_for_answers()
        run = self._session.run_of(self._cell.origin())
        if not run.refused:
            self._session.stop_of_cell(run)
        run.no_turn()
        for turn in run.still_counting():
            display(_earlier_answer(turn))  # type: ignore[no-untyped-call]

    def _wait_for_answers(self) -> None:
        """Wait for background answers: an unattended notebook is saved after its last cell, which may be this one."""
        for handle in self._session.running():
            with suppress(OllamaMagicError, TurnStopped):
                handle.wait()
        if self._session.owned_resources:
            from ollama_magic.magics.map_cell import wait_for_maps

            wait_for_maps(self._session)


def _earlier_answer(turn: Turn) -> Any:
    from ollama_magic.display.earlier_answer import earlier_answer_view

    return earlier_answer_view(turn)
