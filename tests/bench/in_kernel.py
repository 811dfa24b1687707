"""What runs in a kernel: the messages of a turn, and of a view that is fed by hand."""

from __future__ import annotations

import gc
import json
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from IPython import get_ipython

from tests.bench.answers import answer, marks, pieces

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Message = tuple[float, str, int]  # when, its type, its bytes


@contextmanager
def sent() -> Iterator[list[Message]]:
    """Every message that the kernel sends."""
    session, found = get_ipython().kernel.session, list[Message]()
    real = session.serialize

    def counting(message: dict[str, Any], ident: Any = None) -> list[bytes]:
        parts = real(message, ident)
        found.append((time.monotonic(), message["header"]["msg_type"], sum(map(len, parts))))
        return list(parts)

    session.serialize = counting
    try:
        yield found
    finally:
        session.serialize = real


def cpu(do: Callable[[], object]) -> float:
    """Seconds of CPU of the whole process."""
    from ollama_magic.markdown import code

    code._coloured.cache_clear()
    gc.collect()
    before = time.process_time()
    do()
    return time.process_time() - before


def turn(tokens: int) -> dict[str, float]:
    """A whole turn as fast as possible: live and settled bytes per byte, bytes before the first word."""
    size = len(answer(tokens).encode())
    with sent() as messages:
        get_ipython().run_cell_magic("chat", "--once", f"{tokens}")
    opened = next(at for at, message in enumerate(messages) if message[1] == "display_data")
    settled = sum(count for _, kind, count in messages if kind == "update_display_data")
    live = sum(count for _, kind, count in messages[opened + 1 :] if kind.startswith("comm"))
    opening = sum(count for _, kind, count in messages[: opened + 1] if kind in ("comm_open", "display_data"))
    return {"live": live / size, "settled": settled / size, "opening": opening}


class Floor:
    """What any display must do: one widget of constant size, 30 times a second."""

    def __init__(self) -> None:
        import ipywidgets

        self.widget: Any = ipywidgets.HTML()
        self.end, self.last = "", 0.0

    def open(self) -> None:
        from IPython.display import display

        display(self.widget)

    def feed(self, delta: str) -> None:
        self.end = (self.end + delta)[-80:]
        if time.perf_counter() - self.last >= 1 / 30:
            self.last = time.perf_counter()
            self.widget.value = self.end.replace("<", "&lt;")

    def close(self) -> None:
        self.widget.value = self.end.replace("<", "&lt;")


def fed(design: str, tokens: int, window: int, rate: float = 150) -> dict[str, Any]:
    """Feed a view all but the last tokens at once, those at the rate: what was sent for them, when marks were due."""
    from tests.bench.ours import Ours

    text = answer(tokens)
    found = pieces(text)
    view: Any = Ours() if design == "ours" else Floor()
    view.open()
    first = len(found) - window
    for at in range(0, first, max(first // 8, 1)):
        view.feed("".join(found[at : min(at + max(first // 8, 1), first)]))
        time.sleep(0.05)
    time.sleep(5 if first else 0)
    with sent() as messages:
        due = _paced(view, found[first:], rate, text)
        view.close()
    size = len("".join(found[first:]).encode())
    live = [message for message in messages if message[1].startswith("comm")]
    return {"live": sum(one[2] for one in live) / size, "most": _most_in_a_second(live), "due": due}


def watched(design: str, tokens: int, window: int, told: str) -> None:
    """The same, written into a file."""
    found = json.dumps(fed(design, tokens, window))
    Path(told).with_suffix(".part").write_text(found)
    Path(told).with_suffix(".part").rename(told)


def _paced(view: Any, tokens: list[str], rate: float, text: str) -> list[tuple[int, float]]:
    at = len(text) - len("".join(tokens))
    ahead = [mark for mark in marks(text) if mark[0] > at]
    due, began = [], time.time()
    for number, token in enumerate(tokens):
        time.sleep(max(began + number / rate - time.time(), 0))
        at += len(token)
        while ahead and ahead[0][0] <= at:
            due.append((ahead.pop(0)[1], began + number / rate))
        view.feed(token)
    return due


def _most_in_a_second(messages: list[Message]) -> int:
    times = [when for when, _, _ in messages]
    return max((sum(begin <= when < begin + 1 for when in times) for begin in times), default=0)
