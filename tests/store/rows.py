"""Rows whose content follows from their place, so that any reader can tell whether they are what was written."""

from __future__ import annotations

import random
import threading
from typing import TYPE_CHECKING

from ollama_magic.store.store import Row

if TYPE_CHECKING:
    from collections.abc import Callable

WAIT_S = 30.0  # a guard against hangs, never a promise


def row(notebook: str, counter: int) -> Row:
    """The row that a notebook holds in that place."""
    dice = random.Random(f"{notebook} {counter}")
    body = "".join(dice.choices('abc é文😀\n"\\', k=dice.choice((3, 40, 400, 6000))))
    return Row(counter, dice.randrange(99), dice.choice(("main", "side")), dice.choice(("turn", "grown")), body)


def rows(notebook: str, count: int, first: int = 1) -> list[Row]:
    """So many rows, from that place on."""
    return [row(notebook, counter) for counter in range(first, first + count)]


def until(condition: Callable[[], object]) -> None:
    """Wait for what another thread does."""
    for _ in range(int(WAIT_S * 1000)):
        if condition():
            return
        threading.Event().wait(0.001)
    raise AssertionError("nothing happened")
