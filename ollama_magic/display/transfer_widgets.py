"""Progress in widgets: a bar for the whole, one for each layer of a download, and a button. A static bundle ends it."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from ollama_magic.conversation.reply import COMPLETE
from ollama_magic.display.host import answers_clicks_while_busy, current_shell, request_of
from ollama_magic.display.live import WIDGET_TYPE, view_of
from ollama_magic.display.live_region import LiveRegion
from ollama_magic.display.slot import open_widgets
from ollama_magic.display.styles import style_element
from ollama_magic.display.widget_factory import WidgetFactory

if TYPE_CHECKING:
    from collections.abc import Callable

    from ollama_magic.display.transfer_status import Bar, TransferStatus
    from ollama_magic.display.transfer_views import HtmlProgressView

GRACE_S = 0.3  # shorter transfers need no widgets, whose early removal makes pages log errors
ROWS = 30  # the newest layers that have a bar
ANNOUNCED = 25  # percent between two announcements to screen readers


class WidgetProgressView:
    """Shows one transfer or map; its state is in traits, so a page that is loaded meanwhile shows everything."""

    def __init__(self, display: HtmlProgressView) -> None:
        self._display, self._texts = display, display.texts
        self._rows: dict[str, Any] = {}
        self._announced = 0
        self._shown = False

    def begin(self, transfer: Any, stop: Callable[[], None]) -> None:
        """Make the widgets and open the display, in the main thread and in the cell."""
        shell, status = current_shell(), self._texts.status_of(transfer)
        self._request = request_of(shell)
        open_widgets(shell).close_earlier(self._request)
        self._factory = factory = WidgetFactory()
        self._whole, self._activity = factory.html(_title(status.whole)), factory.html(_small(status.activity))
        buttons = [self._stop_button(stop)] if answers_clicks_while_busy(shell) else []
        line = factory.box([self._activity, *buttons], "ollama-magic-status")
        self._layers, self._region = factory.box(), LiveRegion(factory)
        self._style = factory.html(style_element("display/live.css", "display/transfer.css"))
        self._running = [self._whole, line, self._activity, *buttons, self._layers, self._region.widget]
        above = [factory.html("".join(map(_small, status.before)))] if status.before else []
        rows = [self._style, *above, self._whole, line, self._layers, self._region.widget]
        self._running += above
        self.root: Any = factory.box(rows, "ollama-magic-live")
        self._display.begin(transfer, stop)

    def show(self, transfer: Any) -> float:
        """Paint once, sending only the bars that changed."""
        status = self._texts.status_of(transfer)
        self._factory.set(self._whole, "value", _title(status.whole))
        self._factory.set(self._activity, "value", _small(status.activity))
        self._show_layers(status)
        if transfer.state != COMPLETE:
            self._announce(status.whole)
        wait = transfer.started_at + GRACE_S - transfer.clock()
        if wait <= 0 and not self._shown:
            self._shown = True
            self._display.update({WIDGET_TYPE: view_of(self.root), "text/plain": self._texts.waiting})
        return float(max(self._texts.rest, wait))

    def finish(self, transfer: Any) -> None:
        """Put a static bundle in the display, and the same into the widgets, for pages that were reloaded."""
        last = self._factory.html(self._texts.settled(transfer)._repr_mimebundle_()["text/html"])
        self._factory.set(self.root, "children", (self._style, last))
        self._display.finish(transfer)
        self._factory.close(*self._running, *self._rows.values())
        open_widgets(current_shell()).add(self._request, self._factory.close_all)

    def _show_layers(self, status: TransferStatus) -> None:
        for digest, bar in list(status.layers.items())[-ROWS:]:
            if digest in self._rows:
                self._factory.set(self._rows[digest], "value", _row(bar))
            else:
                self._rows[digest] = self._factory.html(_row(bar))
        self._factory.set(self._layers, "children", tuple(self._rows.values())[-ROWS:])

    def _announce(self, whole: Bar) -> None:
        percent = int(100 * (whole.share or 0))
        if percent // ANNOUNCED > self._announced:
            self._announced = percent // ANNOUNCED
            self._region.announce([escape(f"{whole.label}: {whole.figures}")])

    def _stop_button(self, stop: Callable[[], None]) -> Any:
        button = self._factory.button("Stop", self._texts.stop_tip, "ollama-magic-stop")
        button.on_click(lambda _: stop())
        return button


def _title(bar: Bar) -> str:
    return _row(bar, "strong")


def _row(bar: Bar, tag: str = "span") -> str:
    value = "" if bar.share is None else f' value="{bar.share:.3f}"'
    progress = f'<progress max="1"{value} aria-label="{escape(bar.label)}"></progress>'
    cells = f"<{tag}>{escape(bar.label)}</{tag}>{progress}<span>{escape(bar.figures)}</span>"
    return f'<div class="jp-RenderedHTMLCommon ollama-magic-bar">{cells}</div>'


def _small(text: str) -> str:
    return f"<div class=jp-RenderedHTMLCommon><small>{escape(text)}</small></div>"
