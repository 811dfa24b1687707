"""The live view of a cell: a live answer in the cell's slot; a static bundle takes its place at its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ollama_magic.display.host import answers_clicks_while_busy, current_shell, request_of
from ollama_magic.display.live_answer import LiveAnswer
from ollama_magic.display.settled import ON_ITS_WAY, bundle
from ollama_magic.display.slot import kept_open

if TYPE_CHECKING:
    from collections.abc import Callable

    from ollama_magic.conversation.reply import Reply
    from ollama_magic.display.slot import Slot

WIDGET_TYPE = "application/vnd.jupyter.widget-view+json"


class LiveView(LiveAnswer):
    """Shows one reply in one slot."""

    def __init__(self, slot: Slot, footer: str = "brief", *, background: bool = False) -> None:
        super().__init__(footer, raised=not background)
        self.slot = slot
        self._background = background

    def begin(self, reply: Reply, stop: Callable[[], None]) -> None:
        """Make the widgets and open the slot, in the main thread and in the cell."""
        shell = current_shell()
        self._request = request_of(shell)
        kept_open(shell).run_again(self._request)
        stoppable = self._background or answers_clicks_while_busy(shell)
        self._build(reply, stop if stoppable else None)
        self.slot.open({WIDGET_TYPE: view_of(self.root), "text/plain": ON_ITS_WAY}, reply)

    def finish(self, reply: Reply) -> None:
        """Paint for the last time into the widgets too, settle the slot, and leave the rest open for reloaded pages."""
        self._last(reply)
        self.slot.settle(self._bundle(reply), reply)
        kept_open(current_shell()).keep(self._request, self._kit.close_all)

    def again(self, reply: Reply) -> None:
        """Settle the slot once more; reloaded pages keep what they have."""
        self.slot.update(self._bundle(reply), reply)

    def _bundle(self, reply: Reply) -> dict[str, str]:
        unfolded = self._thinking is not None and self._thinking.unfolded
        return bundle(reply, self._footer, thinking_open=unfolded, raised=self._raised)


def view_of(widget: object) -> dict[str, object]:
    """What an output says that a widget is to be shown in it."""
    return {"version_major": 2, "version_minor": 0, "model_id": getattr(widget, "model_id", "")}
