"""The line to the page: the JupyterLab extension tells the order of the cells. The kernel only listens.

It never opens the comm: a page without the extension would log an error (issue 7).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ollama_magic.conversation.cell_order import CellOrder
from ollama_magic.magics.mending import answers

if TYPE_CHECKING:
    from collections.abc import Callable

    from ollama_magic.conversation.session import Session

TARGET = "ollama_magic.cells"
MOST_CELLS, LONGEST_ID = 20_000, 256  # what is told beyond that is no notebook


class PageLine:
    """Listens to the pages of this kernel; where there is no kernel, nothing is done.

    `footer` says what stands under an answer now.
    """

    def __init__(self, shell: Any, session: Session, footer: Callable[[], str]) -> None:
        self._shell, self._session, self._footer = shell, session, footer
        self.order = CellOrder(session.journal)
        self._listening = False

    def register(self) -> None:
        """Listen from now on, and say so by an update of a display that nobody has: others drop it silently."""
        comms = self._comms()
        if comms is None:
            return
        self._listening = True
        comms.register_target(TARGET, self._opened)
        self._shell.display_pub.publish({}, {}, transient={"display_id": TARGET}, update=True)

    def unregister(self) -> None:
        """Listen no more; the target stays, deaf, for pages that do not know it yet."""
        self._listening = False

    def _comms(self) -> Any:
        return getattr(getattr(self._shell, "kernel", None), "comm_manager", None)

    def _opened(self, comm: Any, message: Any) -> None:
        comm.on_msg(lambda told: self._hear(comm.comm_id, told))
        self._hear(comm.comm_id, message)
        self._settle(comm, message)

    def _hear(self, page: str, message: Any) -> None:
        cells = told_cells(_data(message).get("order"))
        if self._listening and cells is not None:
            self.order.tell(page, cells)

    def _settle(self, comm: Any, message: Any) -> None:
        """Answer with what the page has missed, if it asks."""
        settled = answers(self._shell, self._session, _data(message).get("unsettled"), self._footer())
        if self._listening and settled:
            comm.send({"settled": settled})


def told_cells(order: object) -> tuple[str, ...] | None:
    """The cells that a page tells, each once; None for what is no list of ids."""
    if not isinstance(order, list) or len(order) > MOST_CELLS:
        return None
    if not all(isinstance(cell, str) and 0 < len(cell) <= LONGEST_ID for cell in order):
        return None
    return tuple(dict.fromkeys(order))


def _data(message: Any) -> dict[str, Any]:
    content = message.get("content") if isinstance(message, dict) else None
    data = content.get("data") if isinstance(content, dict) else None
    return data if isinstance(data, dict) else {}
