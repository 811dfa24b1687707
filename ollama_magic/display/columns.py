"""The views of answers side by side: one slot, in which each answer has a column, its own status and its own end."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from ollama_magic.conversation.reply import RUNNING
from ollama_magic.display.host import answers_clicks_while_busy, current_shell, request_of, when_a_cell_ends
from ollama_magic.display.live import WIDGET_TYPE, view_of
from ollama_magic.display.live_answer import LiveAnswer, part_html
from ollama_magic.display.safe_view import REST_S
from ollama_magic.display.settled import ON_ITS_WAY, settled_html
from ollama_magic.display.settled_columns import (
    columns_bundle,
    columns_html,
    columns_labels,
    heading_html,
    lines_html,
    titles,
)
from ollama_magic.display.slot import Slot, open_widgets
from ollama_magic.display.styles import style_element
from ollama_magic.display.updating import UpdatingView
from ollama_magic.display.vscode import style_for_host
from ollama_magic.display.widget_factory import WidgetFactory

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ollama_magic.conversation.reply import Reply


class ColumnsOutput:
    """The slot that the columns share: it opens when all have begun, and settles when all have ended.

    Args:
        labels: The metadata of the output, without what is known at its end.
        count: How many columns there are.
        before: The lines above all of them.
        footer: What stands below an answer: "brief", "full" or "none".
        background: Whether the cell does not wait for the answers.
    """

    def __init__(
        self, labels: Mapping[str, object], count: int, before: Sequence[str], footer: str, *, background: bool
    ) -> None:
        self.slot = Slot(labels)
        self.count, self.before, self.footer, self.background = count, before, footer, background
        self.replies: list[Reply] = []
        self.unfolded = [False] * count
        self.parts = [""] * count  # the columns as HTML, while they grow
        self._ended: set[int] = set()

    def begin(self, reply: Reply) -> bool:
        """Add the next column, once; return whether it was the last."""
        if reply not in self.replies:
            self.replies.append(reply)
        return len(self.replies) == self.count

    def end(self, place: int) -> bool:
        """Note that a column has ended, and settle after the last one; return whether it was the last."""
        self._ended.add(place)
        ended = len(self._ended) == self.count
        if ended:
            self.slot.settle(self.settled(), self.main)
        return ended

    def refresh(self) -> None:
        """Show the settled answers once more: the saved state has changed, or another one is remembered."""
        if self.slot.settled:
            self.slot.update(self.settled(), self.main)

    def settled(self) -> dict[str, str]:
        """Return the last bundle."""
        self.slot.result = columns_labels(self.replies)
        return columns_bundle(self.replies, self.footer, self.before, self.unfolded)

    def growing(self) -> dict[str, str]:
        """Return the bundle of a page without widgets, so far."""
        html = columns_html(self.replies, self.parts[: len(self.replies)], self.before)
        return {"text/html": html, "text/plain": ON_ITS_WAY}

    @property
    def main(self) -> Reply:
        """The reply whose model and state the output has: one that runs, else the remembered one, else the first."""
        running = (reply for reply in self.replies if reply.state == RUNNING)
        remembered = (reply for reply in self.replies if reply.status.remembered)
        return next(running, None) or next(remembered, self.replies[0])


class LiveColumns:
    """The widgets around live columns."""

    def __init__(self, output: ColumnsOutput) -> None:
        self.output = output
        self._columns: list[Any] = []
        self._factories: list[WidgetFactory] = []

    def begin(self, reply: Reply, column: Any, factory: WidgetFactory) -> None:
        """Add a column; with the last one open the slot, in the main thread and in the cell."""
        shell = current_shell()
        if not self._columns:
            self._request = request_of(shell)
            open_widgets(shell).close_earlier(self._request)
        self._columns.append(column)
        self._factories.append(factory)
        if self.output.begin(reply):
            self._open()

    def end(self, place: int, *, unfolded: bool) -> None:
        """Note that a column has ended; the widgets stay open for reloaded pages."""
        self.output.unfolded[place] = unfolded
        if self.output.end(place):
            open_widgets(current_shell()).add(self._request, self._close)

    def _open(self) -> None:
        factory = WidgetFactory()
        self._factories.append(factory)
        style = style_element("display/live.css", "display/columns.css") + style_for_host(widgets=True)
        lines = part_html(lines_html(self.output.before))
        columns = factory.box(self._columns, "ollama-magic-columns")
        root = factory.box([factory.html(style), factory.html(lines), columns], "ollama-magic-live")
        self.output.slot.open({WIDGET_TYPE: view_of(root), "text/plain": ON_ITS_WAY}, self.output.main)

    def _close(self) -> None:
        for factory in self._factories:
            factory.close_all()


class LiveColumn(LiveAnswer):
    """Shows one reply in its column."""

    def __init__(self, columns: LiveColumns, place: int) -> None:
        super().__init__(columns.output.footer, raised=False)
        self.asks = False
        self._columns, self._place = columns, place

    def begin(self, reply: Reply, stop: Callable[[], None]) -> None:
        """Make the widgets, and open the slot if it is the last column."""
        self.asks = self._columns.output.background or answers_clicks_while_busy(current_shell())
        self._build(reply, stop if self.asks else None, styled=False)
        self._heading: Any = self._factory.html()
        column = self._factory.box([self._heading, self.root], "ollama-magic-column")
        self._columns.begin(reply, column, self._factory)
        self._name(reply)

    def show(self, reply: Reply) -> float:
        """Paint once; all columns together take as many messages as one answer."""
        self._name(reply)
        return super().show(reply) * self._columns.output.count

    def finish(self, reply: Reply) -> None:
        """Paint for the last time; the bundle replaces all columns when the last one has ended."""
        self._name(reply)
        self._last(reply)
        self._columns.end(self._place, unfolded=self._thinking is not None and self._thinking.unfolded)

    def refresh_settled(self, reply: Reply) -> None:
        """Update the settled slot, and the lines below this column if others still grow."""
        self._say_end(reply)
        self._columns.output.refresh()

    def _name(self, reply: Reply) -> None:
        title = titles(self._columns.output.replies)[self._place]
        self._factory.set(self._heading, "value", part_html(heading_html(title, reply)))


class UpdatingColumn(UpdatingView):
    """Shows one reply in its column of a page without widgets."""

    def __init__(self, output: ColumnsOutput, place: int) -> None:
        super().__init__(output.slot, output.footer, background=output.background)
        self._output, self._place = output, place
        self._begun = False

    def begin(self, reply: Reply, stop: Callable[[], None]) -> None:  # noqa: ARG002 (a page without widgets has no button)
        """Open the slot if it is the last column."""
        self._begun = True
        self._grow_part(reply)
        if self._output.begin(reply) and not self.slot.opened:
            self.slot.open(self._output.growing(), self._output.main)

    def show(self, reply: Reply) -> float:
        """Update the slot; the pause grows with the texts, and with the number of columns."""
        if not self._begun:  # the slot shows widgets, though not of this column
            return REST_S
        began = time.perf_counter()
        self._grow(reply)
        self._grow_part(reply)
        found = self._output.growing()
        if self._output.main.state == RUNNING:  # else what is still missing is the settled bundle
            self.slot.update(found, self._output.main)
        return self._rest(time.perf_counter() - began, found) * self._output.count

    def finish(self, reply: Reply) -> None:
        """Show the end of this answer, and put the settled bundle in the slot when all have ended."""
        self._grow_part(reply)
        if self._output.end(self._place) and self._background and self.slot.reachable:
            when_a_cell_ends(self._output.refresh)

    def refresh_settled(self, reply: Reply) -> None:
        """Put the settled bundle in the slot once more."""
        del reply
        self._output.refresh()

    def _grow_part(self, reply: Reply) -> None:
        ended = reply.state != RUNNING
        self._output.parts[self._place] = settled_html(reply, self._footer) if ended else self._growing_html(reply)
