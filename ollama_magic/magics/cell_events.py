"""What the beginning and the end of a cell mean for the turns that it made before."""

from __future__ import annotations

import re
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from IPython.display import display

from ollama_magic.display.host import request_of
from ollama_magic.errors import OllamaMagicError
from ollama_magic.magics.cell_order import PageLine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ollama_magic.conversation.remembered import Turn
    from ollama_magic.conversation.session import Session
    from ollama_magic.line.cell import Cell

_LOADS = re.compile(r"^\s*%load_ext\s+ollama_magic\b", re.MULTILINE)


class CellEvents:
    """Listens to the shell; a terminal's cells have no ids, and then nothing is done."""

    def __init__(self, shell: Any, session: Session, cell: Cell, footer: Callable[[], str]) -> None:
        self._shell, self._session, self._cell = shell, session, cell
        self._named: frozenset[str] = frozenset()
        self._page_line = PageLine(shell, session, footer)

    def register(self) -> None:
        """Be told of every cell from now on."""
        self._shell.events.register("pre_run_cell", self.begins)
        self._shell.events.register("post_run_cell", self._ended)
        self._page_line.register()

    def unregister(self) -> None:
        """Be told no more."""
        self._page_line.unregister()
        for name, callback in (("pre_run_cell", self.begins), ("post_run_cell", self._ended)):
            with suppress(ValueError):
                self._shell.events.unregister(name, callback)

    def follow(self, order: str) -> None:
        """Follow the "notebook", or the order of the runs: "run"."""
        self._page_line.order.follow(order == "notebook")

    @contextmanager
    def refusals(self) -> Iterator[None]:
        """A cell that is refused in here keeps the turns that it had."""
        try:
            yield
        except OllamaMagicError:
            self._session.run_of(self._cell.origin()).refused = True
            raise

    def begins(self, info: Any = None) -> None:
        """A cell that runs lives; cells that the front end calls deleted are set aside.

        Requests that were queued together carry the same list, and a pasted cell is named though it lives: an id
        counts only if the request before did not name it, it is not the one that runs (design §4), and no page shows
        it. One that the file holds that was saved since was pasted, or its deletion undone.
        """
        if _LOADS.search(getattr(info, "raw_cell", None) or ""):
            # Else IPython answers instead of us that it is loaded, where a kernel has loaded it by itself.
            self._shell.extension_manager.loaded.discard("ollama_magic")
        self._cell.begun += 1
        request = request_of(self._shell)
        self._session.cell_runs(request.cell)
        run = self._session.run_of(self._cell.origin())
        run.come_back(self._session.cells_saved)
        run.deleted(sorted(request.deleted - self._named - {request.cell, *self._page_line.order.living}))
        self._named = request.deleted

    def _ended(self, result: Any = None) -> None:
        """A cell that no longer chats has no turns; under an error stands what it had before, for it still counts."""
        del result
        run = self._session.run_of(self._cell.origin())
        run.no_turn()
        for turn in run.still_counting():
            display(_kept(turn))  # type: ignore[no-untyped-call]


def _kept(turn: Turn) -> Any:
    from ollama_magic.display.kept import kept_view

    return kept_view(turn)
