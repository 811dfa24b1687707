"""The live view of a cell: a live answer in the cell's slot, which a static bundle replaces at the end."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from ollama_magic.conversation.reply import AS_MARKDOWN
from ollama_magic.display.host import answers_clicks_while_busy, current_shell, request_of
from ollama_magic.display.live_answer import LiveAnswer
from ollama_magic.display.settled import ON_ITS_WAY, bundle
from ollama_magic.display.slot import open_widgets

if TYPE_CHECKING:
    from collections.abc import Callable

    from ollama_magic.conversation.reply import Reply
    from ollama_magic.display.slot import Slot

logger = logging.getLogger("ollama_magic.display")
WIDGET_TYPE = "application/vnd.jupyter.widget-view+json"


class LiveView(LiveAnswer):
    """Shows one reply in one slot."""

    def __init__(self, slot: Slot, footer: str = "brief", *, background: bool = False) -> None:
        super().__init__(footer, raised=not background)
        self.slot = slot
        self.asks = False
        self._background = background
        self._document = ""

    def begin(self, reply: Reply, stop: Callable[[], None]) -> None:
        """Make the widgets and open the slot, in the main thread and in the cell."""
        shell = current_shell()
        self._request = request_of(shell)
        open_widgets(shell).close_earlier(self._request)
        stoppable = self._background or answers_clicks_while_busy(shell)
        self.asks = stoppable
        self._build(reply, stop if stoppable else None)
        logger.debug("a live view opens, %s a Stop button", "with" if stoppable else "without")
        self.slot.open({WIDGET_TYPE: view_of(self.root), "text/plain": ON_ITS_WAY}, reply)

    def finish(self, reply: Reply) -> None:
        """Paint for the last time, settle the slot, and leave the widgets open for reloaded pages."""
        self._last(reply)
        self._document = self._answer.html if reply.form == AS_MARKDOWN else ""
        self.slot.settle(self._bundle(reply), reply)
        logger.debug("a live view has settled: %s", reply.state)
        open_widgets(current_shell()).add(self._request, self._factory.close_all)

    def refresh_settled(self, reply: Reply) -> None:
        """Update the settled slot, but not the widgets of reloaded pages."""
        self.slot.update(self._bundle(reply), reply)

    def _bundle(self, reply: Reply) -> dict[str, str]:
        unfolded = self._thinking is not None and self._thinking.unfolded
        return bundle(reply, self._footer, thinking_open=unfolded, raised=self._raised, document=self._document)


def view_of(widget: object) -> dict[str, object]:
    """Return the output that shows a widget."""
    return {"version_major": 2, "version_minor": 0, "model_id": getattr(widget, "model_id", "")}
