"""Holds back what a tool prints, in its own thread alone, so that it can be shown with the call."""

from __future__ import annotations

import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

LIMIT = 8_000  # characters


class _Captured:
    """Stands for stdout or stderr: text of the capturing thread is kept, that of others is passed on."""

    def __init__(self, stream: Any, pieces: list[str]) -> None:
        self._stream, self._pieces = stream, pieces
        self._thread = threading.get_ident()

    def write(self, text: str) -> int:
        if threading.get_ident() != self._thread:
            return int(self._stream.write(text) or 0)
        if sum(map(len, self._pieces)) <= LIMIT:
            self._pieces.append(text[: LIMIT + 1])
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class Printed:
    """What was printed so far."""

    def __init__(self) -> None:
        self.pieces: list[str] = []

    @property
    def text(self) -> str:
        """The text, cut at `LIMIT` characters."""
        whole = "".join(self.pieces)
        return whole if len(whole) <= LIMIT else whole[:LIMIT] + "…"


@contextmanager
def printed() -> Iterator[Printed]:
    """Capture what this thread prints in the block."""
    found = Printed()
    before = sys.stdout, sys.stderr
    ours: tuple[Any, Any] = _Captured(before[0], found.pieces), _Captured(before[1], found.pieces)
    sys.stdout, sys.stderr = ours
    try:
        yield found
    finally:
        if sys.stdout is ours[0]:
            sys.stdout = before[0]
        if sys.stderr is ours[1]:
            sys.stderr = before[1]
