"""A pull or create in words: how far it has come, how fast it goes, how it ended. Its figures come from `transfer`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ollama_magic.conversation.reply import COMPLETE
from ollama_magic.display.readable import bytes_text, time_left
from ollama_magic.display.tables import Shown, notice, table
from ollama_magic.foreign import one_line

if TYPE_CHECKING:
    from ollama_magic.display.transfer import Transfer

SLOWEST_CLOCK_S = 2.0  # from here on a step that moves nothing shows a clock
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
