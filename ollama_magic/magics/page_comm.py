"""The comm with the page, on which the JupyterLab extension sends the order of the cells, files and choices.

The kernel never opens it: a page without the extension would log an error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ollama_magic.conversation.cell_order import CellOrder
from ollama_magic.magics.page_files import PageFiles

if TYPE_CHECKING:
    from collections.abc import Callable

    from ollama_magic.conversation.session import Session

TARGET = "ollama_magic.cells"
MOST_CELLS, LONGEST_ID = 20_000, 256  # longer messages are ignored


class PageComm:
    """Listens to the pages of this kernel, if there is a kernel.

    `footer` returns the current footer setting.
    """

    def __init__(self, shell: Any, session: Session, footer: Callable[[], str]) -> None:
        self._shell, self._session, self._footer = shell, session, footer
        self.order = CellOrder(session.journal)
        self._files = PageFiles()
        self._listening = False

    def register(self) -> None:
        """Start listening, and announce it by updating an unknown display, which pages without the extension ignore."""
        comms = self._comms()
        if comms is None:
            return
        self._listening = True
        comms.register_target(TARGET, self._opened)
        self._shell.display_pub.publish({}, {}, transient={"display_id": TARGET}, update=True)

    def unregister(self) -> None:
        """Stop listening; the target stays registered for pages that still use it."""
        self._listening = False

    def _comms(self) -> Any:
        return getattr(getattr(self._shell, "kernel", None), "comm_manager", None)

    def _opened(self, comm: Any, message: Any) -> None:
        comm.on_msg(lambda message: self._receive(comm.comm_id, message, comm))
        self._receive(comm.comm_id, message)
        self._settle(comm, message)

    def _receive(self, page: str, message: Any, comm: Any = None) -> None:
        if self._listening:
            buffers = message.get("buffers") if isinstance(message, dict) else None
            self._files.receive(_data(message).get("file"), buffers or (), self._session.owned_resources.values())
            self._choose(comm, _data(message).get("keep"))
        cells = cells_in_order(_data(message).get("order"))
        if self._listening and cells is not None:
            self.order.set_page(page, cells)

    def _choose(self, comm: Any, asked: object) -> None:
        """Remember the column that the page asks for, and send its output."""
        if asked is None:
            return
        from ollama_magic.magics.output_repair import choose_for_page

        chosen = choose_for_page(self._session, asked, self._footer())
        if chosen is not None and comm is not None:
            comm.send({"kept": chosen})

    def _settle(self, comm: Any, message: Any) -> None:
        """Send the outputs that the page has missed, if it asks for them."""
        asked = _data(message).get("unsettled")
        if asked is None or not self._listening:
            return
        from ollama_magic.magics.output_repair import answers

        settled = answers(self._shell, self._session, asked, self._footer())
        if settled:
            comm.send({"settled": settled})


def cells_in_order(order: object) -> tuple[str, ...] | None:
    """Return the cells in a page's message, each once; None for anything but a list of ids."""
    if not isinstance(order, list) or len(order) > MOST_CELLS:
        return None
    if not all(isinstance(cell, str) and 0 < len(cell) <= LONGEST_ID for cell in order):
        return None
    return tuple(dict.fromkeys(order))


def _data(message: Any) -> dict[str, Any]:
    content = message.get("content") if isinstance(message, dict) else None
    data = content.get("data") if isinstance(content, dict) else None
    return data if isinstance(data, dict) else {}
