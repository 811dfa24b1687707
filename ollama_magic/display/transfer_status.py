"""The status of a pull or create for all its views, and its settled form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from ollama_magic.conversation.reply import COMPLETE
from ollama_magic.display.readable import bytes_text, time_left
from ollama_magic.display.tables import Shown, notice, table
from ollama_magic.foreign import one_line
from ollama_magic.turns.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable

    from ollama_magic.display.transfer import Transfer

T_contra = TypeVar("T_contra", contravariant=True)

CLOCK_FROM_S = 2.0  # a step without progress shows a clock from here on
NAME = 80  # characters of a model's name


@dataclass(frozen=True)
class Bar:
    """One line with a bar; `share` is from 0 to 1, and None while nothing is known."""

    label: str
    share: float | None = None
    percent: str = ""
    amount: str = ""

    @property
    def figures(self) -> str:
        """`42% · 345 MB of 815 MB`."""
        return " · ".join(filter(None, (self.percent, self.amount)))


@dataclass(frozen=True)
class ProgressTexts(Generic[T_contra]):
    """What views say of something that makes progress, such as a download.

    Attributes:
        status_of: What is to be shown of it now.
        settled: What stays of it.
        waiting: What stands in its place in a page that never saw it end.
        stop_tip: What the Stop button says.
        rest: Least seconds between two paints of its widgets, each of which may be three messages.
    """

    status_of: Callable[[T_contra], TransferStatus]
    settled: Callable[[T_contra], Shown]
    waiting: str
    stop_tip: str
    rest: float = 0.1


@dataclass(frozen=True)
class TransferStatus:
    """A transfer as its views show it: the whole, each layer by its digest, and what is being done.

    `pace` is how fast it goes (`23 MB/s · 20s left`), empty while that is unknown; `activity` is that, or else what
    the server says it does, with a clock when that takes long. `before` are the lines above.
    """

    whole: Bar
    layers: dict[str, Bar]
    pace: str
    activity: str
    before: tuple[str, ...] = ()


def status_of(transfer: Transfer) -> TransferStatus:
    """Return what is to be shown of a transfer now."""
    pace, layers = _pace(transfer), transfer.layers.items()
    whole = _bar(one_line(transfer.name, NAME), transfer.completed, transfer.total)
    bars = {digest: _bar(layer.label, layer.completed, layer.total) for digest, layer in layers}
    return TransferStatus(whole, bars, pace, pace or _step(transfer))


def ending(transfer: Transfer) -> str:
    """Return how it ended, in one line; empty if nothing was transferred, because the cell raises the error."""
    name, total, whole = one_line(transfer.name, NAME), transfer.total, status_of(transfer).whole
    if transfer.state == COMPLETE:
        size = f": {bytes_text(total)} in {counted(len(transfer.layers), 'layer')}" if total else ""
        return f"`{name}` {transfer.done}{size}."
    return f"`{name}`: {transfer.state} at {whole.percent}, {whole.amount}." if total else ""


def settled(transfer: Transfer) -> Shown:
    """Return the settled form: how it ended, unfolding to the layers, without times."""
    line = notice(ending(transfer)) if ending(transfer) else Shown("", "")
    if not transfer.layers:
        return line
    layers = transfer.layers.values()
    rows = [(layer.label.removeprefix("pulling "), _amount(layer.completed, layer.total)) for layer in layers]
    summary = line.html.removeprefix("<p>").removesuffix("</p>")
    return Shown(f"<details><summary>{summary}</summary>{table(('layer', 'size'), rows).html}</details>", line.text)


def _bar(label: str, there: int, total: int) -> Bar:
    """A bar that says 100% only when no byte is missing."""
    if not total:
        return Bar(label)
    return Bar(label, there / total, f"{int(there / total * 100 + 1e-9)}%", _amount(there, total))


def _amount(there: int, total: int) -> str:
    """`345 MB of 815 MB`, or the size alone when all is there."""
    return bytes_text(total) if there >= total else f"{bytes_text(there)} of {bytes_text(total)}"


def _pace(transfer: Transfer) -> str:
    if transfer.speed is None:
        return ""
    left = "" if transfer.left is None else f" · {time_left(transfer.left)} left"
    return f"{bytes_text(int(transfer.speed))}/s{left}"


def _step(transfer: Transfer) -> str:
    seconds = transfer.clock() - transfer.since
    clock = f" · {int(seconds)} s" if seconds >= CLOCK_FROM_S else ""
    return (transfer.status or "asking the server…") + clock
