"""How far a layer has come that somebody downloads. What the lines of a pull say of it is not here."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.double.library.scripted_models import Layer

STEPS = 8  # reports of a download that takes no time
_LARGE = 100_000  # bytes; a smaller layer comes at once


@dataclass
class Download:
    """How much of one layer is there; several clients share it, and nothing moves while nobody waits for it."""

    layer: Layer
    seconds: float
    done: float = 0.0
    _at: float = 0.0
    _waiting: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def join(self) -> None:
        """Another client waits for it."""
        with self._lock:
            if not self._waiting:
                self._at = time.monotonic()
            self._waiting += 1

    def leave(self) -> None:
        """A client has what it wanted, or has gone."""
        with self._lock:
            self._waiting -= 1

    def advance(self) -> int:
        """The bytes that are there by now."""
        with self._lock:
            now = time.monotonic()
            steps = STEPS if self.layer.size > _LARGE else 1
            part = (now - self._at) / self.seconds if self.seconds else 1 / steps
            self.done = min(self.layer.size, self.done + part * self.layer.size)
            self._at = now
            return int(self.done)
