"""A pull or create in widgets: a bar for the whole, one for each layer, and a button. A static bundle ends it."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from ollama_magic.conversation.reply import COMPLETE
from ollama_magic.display.host import answers_clicks_while_busy, current_shell, request_of
from ollama_magic.display.kit import WidgetKit
from ollama_magic.display.live import WIDGET_TYPE, view_of
from ollama_magic.display.live_region import LiveRegion
from ollama_magic.display.progress_words import ON_ITS_WAY, amount, doing, figures, percent, settled
from ollama_magic.display.slot import kept_open
from ollama_magic.display.style import LIVE_STYLE
from ollama_magic.foreign import one_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from ollama_magic.display.progress_html import UpdatingProgress
    from ollama_magic.display.transfer import Layer, Transfer

FASTEST_S = 0.1  # issue 6: at most ten updates a second
GRACE_S = 0.3  # what is done sooner needs no widgets; a page logs errors where boxes go while it builds them
ROWS = 30  # the newest layers that have a bar
ANNOUNCED = 25  # percent between two announcements for those who listen

BAR_STYLE = """<style>
.ollama-magic-live .ollama-magic-bar {
  display: grid; grid-template-columns: minmax(6em, 14em) minmax(4em, 1fr) 13em; align-items: center; column-gap: 1em;
  max-width: 54em;
}
.ollama-magic-live .ollama-magic-bar > * {
  min-width: 0; margin: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap;
}
.ollama-magic-live .ollama-magic-bar progress {
  width: 100%; height: 1em; accent-color: var(--jp-brand-color1, #1976d2);
}
.ollama-magic-live .ollama-magic-bar span:last-child { font-variant-numeric: tabular-nums; }
.ollama-magic-live .ollama-magic-status > .widget-html { flex: 0 1 auto; }
</style>"""


class LiveProgress:
    """Shows one transfer; state lives in traits, so a page that is loaded meanwhile shows everything."""

    def __init__(self, place: UpdatingProgress) -> None:
        self._place = place
        self._rows: dict[str, Any] = {}
        self._announced = 0
        self._shown = False

    def begin(self, transfer: Transfer, stop: Callable[[], None]) -> None:
        """Make the widgets and open the place, in the main thread and in the cell."""
        shell = current_shell()
        self._request = request_of(shell)
        kept_open(shell).run_again(self._request)
        self._kit = kit = WidgetKit()
        self._whole, self._doing = kit.html(_whole(transfer)), kit.html(_words(doing(transfer)))
        self._button = [self._stop_button(stop)] if answers_clicks_while_busy(shell) else []
        self._status = kit.box([self._doing, *self._button], "ollama-magic-status")
        self._layers, self._region = kit.box(), LiveRegion(kit)
        self._style = kit.html(LIVE_STYLE + BAR_STYLE)
        rows = [self._style, self._whole, self._status, self._layers, self._region.widget]
        self.root: Any = kit.box(rows, "ollama-magic-live")
        self._place.begin(transfer, stop)

    def show(self, transfer: Transfer) -> float:
        """One paint: of the bars only those that moved are sent."""
        self._set(self._whole, _whole(transfer))
        self._set(self._doing, _words(doing(transfer)))
        for digest, layer in list(transfer.layers.items())[-ROWS:]:
            self._row(digest, layer)
        self._announce(transfer)
        wait = transfer.started_at + GRACE_S - transfer.clock()
        if wait <= 0 and not self._shown:
            self._shown = True
            self._place.update({WIDGET_TYPE: view_of(self.root), "text/plain": ON_ITS_WAY})
        return max(FASTEST_S, wait)

    def finish(self, transfer: Transfer) -> None:
        """Put a static bundle in the place, and the same into the widgets, for pages that were reloaded."""
        last = self._kit.html(settled(transfer)._repr_mimebundle_()["text/html"])
        self._kit.set(self.root, "children", (self._style, last))
        self._place.finish(transfer)
        self._kit.close(self._whole, self._doing, self._status, *self._button, *self._rows.values(), self._layers)
        self._kit.close(self._region.widget)
        kept_open(current_shell()).keep(self._request, self._kit.close_all)

    def _row(self, digest: str, layer: Layer) -> None:
        if digest not in self._rows:
            self._rows[digest] = self._kit.html(_bar(layer))
            shown = list(self._rows.values())[-ROWS:]
            self._kit.set(self._layers, "children", tuple(shown))
        self._set(self._rows[digest], _bar(layer))

    def _set(self, widget: Any, value: str) -> None:
        if widget.value != value:
            self._kit.set(widget, "value", value)

    def _announce(self, transfer: Transfer) -> None:
        from ollama_magic.markdown.renderer import Block

        whole = transfer.completed * 100 // transfer.total if transfer.total else 0
        if whole // ANNOUNCED > self._announced and transfer.state != COMPLETE:
            self._announced = whole // ANNOUNCED
            self._region.tell([Block(escape(f"{transfer.name}: {figures(transfer)}"), math=False)])

    def _stop_button(self, stop: Callable[[], None]) -> Any:
        tip = "Stop; what has come is kept, and running the cell again goes on from there"
        button = self._kit.button("Stop", tip, "ollama-magic-stop")
        button.on_click(lambda _: stop())
        return button


def _whole(transfer: Transfer) -> str:
    name = one_line(transfer.name, 80)
    value = f' value="{transfer.completed / transfer.total:.3f}"' if transfer.total else ""
    return _grid(f"<strong>{escape(name)}</strong>", escape(name, quote=True), value, figures(transfer))


def _bar(layer: Layer) -> str:
    words = f"{percent(layer.share)} · {amount(layer.completed, layer.total)}"
    return _grid(escape(layer.label), escape(layer.label, quote=True), f' value="{layer.share:.3f}"', words)


def _grid(label: str, name: str, value: str, words: str) -> str:
    bar = f'<progress max="1"{value} aria-label="{name}"></progress>'
    cells = f"<span>{label}</span>{bar}<span>{escape(words)}</span>"
    return f'<div class="jp-RenderedHTMLCommon ollama-magic-bar">{cells}</div>'


def _words(text: str) -> str:
    return f"<div class=jp-RenderedHTMLCommon><small>{escape(text)}</small></div>"
