"""A pull or create on its way: bars in widgets, HTML that is updated, or lines. Its figures come from `transfer`."""

from __future__ import annotations

import secrets
import sys
from html import escape
from typing import TYPE_CHECKING, Any

from ollama_magic.conversation.reply import COMPLETE, RUNNING
from ollama_magic.display.guarded import Guarded, Shows
from ollama_magic.display.readable import bytes_text, time_left
from ollama_magic.display.tables import Shown, notice, table
from ollama_magic.display.transfer import Transfer
from ollama_magic.foreign import one_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from ollama_magic.display.transfer import Layer

SLOWEST_CLOCK_S = 2.0  # from here on a step that moves nothing shows a clock
REST_S = 0.5
ON_ITS_WAY = "A download is on its way; if this line stays, run the cell again: it goes on from what has come."


def percent(share: float) -> str:
    """`42%`; never 100% while a byte is missing."""
    return f"{int(share * 100 + 1e-9)}%"


def figures(transfer: Transfer) -> str:
    """The whole in words: `42% · 345 MB of 815 MB`."""
    there, total = transfer.completed, transfer.total
    return f"{percent(there / total)} · {amount(there, total)}" if total else ""


def pace(transfer: Transfer) -> str:
    """How fast it goes: `23 MB/s · 20s left`; nothing while that cannot be told."""
    if transfer.speed is None:
        return ""
    left = "" if transfer.left is None else f" · {time_left(transfer.left)} left"
    return f"{bytes_text(int(transfer.speed))}/s{left}"


def amount(there: int, total: int) -> str:
    """`345 MB of 815 MB`, or the size alone when all is there."""
    return bytes_text(total) if there >= total else f"{bytes_text(there)} of {bytes_text(total)}"


def doing(transfer: Transfer) -> str:
    """How fast it goes; else what the server says it does, with a clock when that takes long."""
    seconds = transfer.clock() - transfer.since
    clock = f" · {int(seconds)} s" if seconds >= SLOWEST_CLOCK_S else ""
    return pace(transfer) or (transfer.status or "asking the server…") + clock


def ending(transfer: Transfer) -> str:
    """How it ended, in one line; why is said by the error that the cell raises, and if nothing came, it says it all."""
    name, there, total = one_line(transfer.name, 80), transfer.completed, transfer.total
    if transfer.state == COMPLETE:
        count = len(transfer.layers)
        size = f": {bytes_text(total)} in {count} layer{'s' * (count != 1)}" if total else ""
        return f"`{name}` {transfer.done}{size}."
    return f"`{name}`: {transfer.state} at {percent(there / total)}, {amount(there, total)}." if total else ""


def settled(transfer: Transfer) -> Shown:
    """What stays in the file: how it ended, unfolding to the layers; no times, for they change with every run."""
    line = notice(ending(transfer)) if ending(transfer) else Shown("", "")
    if not transfer.layers:
        return line
    layers = transfer.layers.values()
    rows = [(layer.label.removeprefix("pulling "), amount(layer.completed, layer.total)) for layer in layers]
    summary = line.html.removeprefix("<p>").removesuffix("</p>")
    return Shown(f"<details><summary>{summary}</summary>{table(('layer', 'size'), rows).html}</details>", line.text)


class UpdatingProgress:
    """Where no widgets are shown: the HTML of one place is sent again, at most twice a second, then settled."""

    def __init__(self) -> None:
        self.display_id = secrets.token_hex(16)
        self._opened = False

    def begin(self, transfer: Transfer, stop: Callable[[], None]) -> None:  # noqa: ARG002 (a page without widgets has no button)
        """Open the place."""
        self.open(bundle(transfer))

    def open(self, first: dict[str, Any]) -> None:
        """Show the first bundle; from now on the place belongs to the running cell."""
        from IPython import display

        self._opened = True
        publish: Any = display.display
        publish(first, raw=True, display_id=self.display_id)

    def show(self, transfer: Transfer) -> float:
        """One update."""
        self._update(bundle(transfer))
        return REST_S

    def finish(self, transfer: Transfer) -> None:
        """Put the settled bundle in the place; a spare that takes over may have to open it first."""
        self._update(settled(transfer)._repr_mimebundle_())

    def _update(self, found: dict[str, str]) -> None:
        from IPython import display

        if self._opened:
            publish: Any = display.update_display
            publish(found, raw=True, display_id=self.display_id)


def bundle(transfer: Transfer) -> dict[str, str]:
    """A transfer on its way, without widgets."""
    if transfer.state != RUNNING:
        return settled(transfer)._repr_mimebundle_()
    rows = "".join(f"<tr>{_bar_cells(layer)}</tr>" for layer in transfer.layers.values())
    line = " · ".join(filter(None, (one_line(transfer.name, 80), figures(transfer), doing(transfer))))
    shown = Shown(f"<p><small>{escape(line)}</small></p><table><tbody>{rows}</tbody></table>", ON_ITS_WAY)
    return shown._repr_mimebundle_()


def _bar_cells(layer: Layer) -> str:
    bar = f'<progress max="1" value="{layer.share:.3f}"></progress>'
    cells = (escape(layer.label), bar, percent(layer.share), escape(amount(layer.completed, layer.total)))
    return "".join(f'<td><div align="left">{cell}</div></td>' for cell in cells)


class TextProgress:
    """Lines for a terminal or a script: each step of the server, and of a large layer every so many percent."""

    def __init__(self) -> None:
        self._status = ""
        self._told = 0

    def begin(self, transfer: Transfer, stop: Callable[[], None]) -> None:  # noqa: ARG002 (■ and Ctrl-C stop it)
        """Nothing is known yet."""
        watched = bool(getattr(sys.stdout, "isatty", bool)())
        self._step = 10 if watched else 25

    def show(self, transfer: Transfer) -> float:
        """Print what is new."""
        if transfer.status not in (self._status, "success"):
            self._status, self._told = transfer.status, 0
            layer = transfer.open_layer
            self._write(transfer.status + (f" ({bytes_text(layer.total)})" if layer else ""))
        layer = transfer.open_layer
        reached = int(layer.share * 100) // self._step * self._step if layer else 0
        if layer and self._told < reached < 100:
            self._told = reached
            self._write("  " + " · ".join(filter(None, (figures(transfer), pace(transfer)))))
        return REST_S

    def finish(self, transfer: Transfer) -> None:
        """Print how it ended."""
        self.show(transfer)
        if ending(transfer):
            self._write(settled(transfer).text)

    @staticmethod
    def _write(line: str) -> None:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


def open_progress(mode: str) -> Shows[Transfer]:
    """Return a view for a resolved display mode: "widget", "html" or "text"."""
    if mode == "text":
        return Guarded[Transfer](TextProgress())
    spare = UpdatingProgress()
    if mode == "html":
        return Guarded[Transfer](spare)
    from ollama_magic.display.bars import LiveProgress

    return Guarded[Transfer](LiveProgress(spare), spare)
