"""Who may generate: so many at a time for each weights file, the others wait in line (protocol.md §21)."""

from __future__ import annotations

import threading
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.double.wire.go_bodies import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.double.wire.http import Connection

_BUSY = "server busy, please try again.  maximum pending requests exceeded"
_LOOK = 0.005  # seconds between two looks at the line; a client that leaves is noticed at once


@dataclass
class Slots:
    """`parallel` requests run for one weights file, `queue` may wait in all; None is no limit."""

    parallel: int | None = None
    queue: int | None = None
    _waiting: int = 0
    _running: dict[str, int] = field(default_factory=dict)
    _lines: dict[str, deque[object]] = field(default_factory=dict)
    _blocked: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def held(self, weights: str, connection: Connection) -> Iterator[None]:
        """A slot while the block runs; Refusal (503) if the queue is full, ClientLeft if the client does not wait."""
        self._take(weights, connection)
        try:
            yield
        finally:
            with self._lock:
                self._running[weights] -= 1

    def block(self, weights: str) -> None:
        """Let nobody in until the weights are unloaded: what a cancel at a bad moment does to a real server."""
        with self._lock:
            self._blocked.add(weights)

    def free(self, weights: str) -> None:
        """The weights have been unloaded."""
        with self._lock:
            self._blocked.discard(weights)

    def _take(self, weights: str, connection: Connection) -> None:
        ticket = object()
        with self._lock:
            line = self._lines.setdefault(weights, deque())
            if not line and self._room(weights):
                self._running[weights] = self._running.get(weights, 0) + 1
                return
            if self.queue is not None and self._waiting >= self.queue:
                raise Refusal(503, _BUSY, late=True)
            line.append(ticket)
            self._waiting += 1
        try:
            while not self._turn_of(ticket, weights):
                connection.pause(_LOOK)
        finally:
            with self._lock:
                line.remove(ticket)
                self._waiting -= 1

    def _turn_of(self, ticket: object, weights: str) -> bool:
        with self._lock:
            if self._lines[weights][0] is not ticket or not self._room(weights):
                return False
            self._running[weights] = self._running.get(weights, 0) + 1
            return True

    def _room(self, weights: str) -> bool:
        if weights in self._blocked:
            return False
        return self.parallel is None or self._running.get(weights, 0) < self.parallel
