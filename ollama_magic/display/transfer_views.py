"""Shows a pull or create as HTML that is updated, or as lines for a terminal; `transfer_widgets` shows it as bars."""

from __future__ import annotations

import secrets
import sys
from html import escape
from typing import TYPE_CHECKING, Any

from ollama_magic.conversation.reply import RUNNING
from ollama_magic.display.readable import bytes_text
from ollama_magic.display.stdout import write
from ollama_magic.display.tables import Shown
from ollama_magic.display.transfer_status import ProgressTexts, ending, settled, status_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from ollama_magic.display.transfer import Transfer
    from ollama_magic.display.transfer_status import Bar

REST_S = 0.5  # at most two updates a second
TRANSFER: ProgressTexts[Any] = ProgressTexts(
    status_of,
    settled,
    "A download is running; if this line stays, run the cell again to resume it.",
    "Stop; running the cell again resumes the download",
)


class TextTransferView:
    """Lines for a terminal or a script: each step of the server, and of a large layer every so many percent."""

    def __init__(self) -> None:
        self._step = ""
        self._reported = 0

    def begin(self, transfer: Transfer, stop: Callable[[], None]) -> None:  # noqa: ARG002 (■ and Ctrl-C stop it)
        """Nothing is known yet."""
        watched = bool(getattr(sys.stdout, "isatty", bool)())
        self._percent = 10 if watched else 25

    def show(self, transfer: Transfer) -> float:
        """Print what is new."""
        layer = transfer.open_layer
        if transfer.status not in (self._step, "success"):
            self._step, self._reported = transfer.status, 0
            write(transfer.status + (f" ({bytes_text(layer.total)})" if layer else "") + "\n")
        reached = int(layer.share * 100) // self._percent * self._percent if layer else 0
        if self._reported < reached < 100:
            self._reported, status = reached, status_of(transfer)
            write("  " + " · ".join(filter(None, (status.whole.figures, status.pace))) + "\n")
        return REST_S

    def finish(self, transfer: Transfer) -> None:
        """Print how it ended."""
        self.show(transfer)
        if ending(transfer):
            write(settled(transfer).text + "\n")


class HtmlProgressView:
    """One display of the page whose HTML is sent again."""

    def __init__(self, texts: ProgressTexts[Any]) -> None:
        self.texts = texts
        self._display_id = secrets.token_hex(16)
        self._opened = False

    def begin(self, shown: Any, stop: Callable[[], None]) -> None:  # noqa: ARG002 (a page without widgets has no button)
        """Open the display; from now on it belongs to the running cell."""
        from IPython import display

        self._opened = True
        publish: Any = display.display
        publish(self._bundle(shown), raw=True, display_id=self._display_id)

    def show(self, shown: Any) -> float:
        """One update."""
        self.update(self._bundle(shown))
        return REST_S

    def finish(self, shown: Any) -> None:
        """Put the settled bundle in the display."""
        self.update(self.texts.settled(shown)._repr_mimebundle_())

    def update(self, bundle: dict[str, Any]) -> None:
        """Put another bundle in the display, if it was opened."""
        from IPython import display

        if self._opened:
            publish: Any = display.update_display
            publish(bundle, raw=True, display_id=self._display_id)

    def _bundle(self, shown: Any) -> dict[str, str]:
        if shown.state != RUNNING:
            return self.texts.settled(shown)._repr_mimebundle_()
        status = self.texts.status_of(shown)
        bars = list(status.layers.values()) or [status.whole]
        rows = "".join(f"<tr>{_cells(bar)}</tr>" for bar in bars)
        above = "".join(f"<p><small>{escape(line)}</small></p>" for line in status.before)
        line = " · ".join(filter(None, (status.whole.label, status.whole.figures, status.activity)))
        html = f"{above}<p><small>{escape(line)}</small></p><table><tbody>{rows}</tbody></table>"
        return Shown(html, self.texts.waiting)._repr_mimebundle_()


def _cells(bar: Bar) -> str:
    value = "" if bar.share is None else f' value="{bar.share:.3f}"'
    progress = f'<progress max="1"{value}></progress>'
    cells = (escape(bar.label), progress, bar.percent, escape(bar.amount))
    return "".join(f'<td><div align="left">{cell}</div></td>' for cell in cells)
