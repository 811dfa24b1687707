"""The progress of a pull or a create, computed from the server's lines."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from ollama_magic.conversation.reply import COMPLETE, RUNNING
from ollama_magic.foreign import one_line

if TYPE_CHECKING:
    from collections.abc import Callable

LAYERS = 200  # a model has about five; more are not followed
WINDOW_S = 10.0  # the speed is that of the last seconds, as the command-line tool's
SAMPLE_S = 0.5


class Line(Protocol):
    """One line of the server's report (protocol.md §17.1); sizes in bytes."""

    @property
    def status(self) -> str: ...  # noqa: D102
    @property
    def digest(self) -> str: ...  # noqa: D102
    @property
    def total(self) -> int | None: ...  # noqa: D102
    @property
    def completed(self) -> int | None: ...  # noqa: D102


@dataclass
class Layer:
    """One file of the model; `had` bytes were there before, from an earlier pull."""

    label: str
    total: int = 0
    completed: int = 0
    had: int = 0

    @property
    def whole(self) -> bool:
        """Whether all of it is there."""
        return self.completed >= self.total

    @property
    def share(self) -> float:
        """How much of it is there, from 0 to 1."""
        return min(self.completed / self.total, 1.0) if self.total else 1.0


@dataclass
class Transfer:
    """One pull or create, from its first line to its end; times are those of `clock`, in seconds."""

    name: str
    done: str = "is here"  # what is said of the name when all went well
    status: str = ""
    state: str = RUNNING
    error: Exception | None = None
    layers: dict[str, Layer] = field(default_factory=dict)
    clock: Callable[[], float] = time.monotonic
    _open: Layer | None = None
    _samples: deque[tuple[float, int]] = field(default_factory=deque)

    def __post_init__(self) -> None:
        self.started_at = self.since = self.clock()

    def take(self, line: Line) -> None:
        """Take one line. The next status or digest completes a layer, because its last line may be missing."""
        status = one_line(line.status, 80)
        if status != self.status:
            self.status, self.since = status, self.clock()
        layer = self._layer(line, status) if line.digest and line.total else None
        if self._open is not None and layer is not self._open:
            self._open.completed = self._open.total
        self._open = layer
        if layer is not None:
            layer.total = max(line.total or 0, 1)
            layer.completed = min(line.completed or 0, layer.total)
        self._sample()

    def end(self, state: str, error: Exception | None = None) -> None:
        """Note how it ended; only the first end counts."""
        if self.state == RUNNING:
            self.state, self.error = state, error
            if state == COMPLETE:
                for layer in self.layers.values():
                    layer.completed = layer.total

    @property
    def open_layer(self) -> Layer | None:
        """The layer being downloaded."""
        return self._open

    @property
    def total(self) -> int:
        """The bytes of all layers named so far; the server names them one after the other."""
        return sum(layer.total for layer in self.layers.values())

    @property
    def completed(self) -> int:
        """The bytes that are there."""
        return sum(layer.completed for layer in self.layers.values())

    @property
    def speed(self) -> float | None:
        """Bytes per second in the last seconds; None while unknown, or if nothing is downloaded."""
        if self._open is None or self._open.whole or len(self._samples) < 2:
            return None
        (first, before), (_, after) = self._samples[0], self._samples[-1]
        seconds = self.clock() - first
        gained = max(0, after - before)  # a part that failed is downloaded again, and counts backwards
        return gained / seconds if seconds >= 2 * SAMPLE_S else None

    @property
    def left(self) -> float | None:
        """Seconds until all known layers are complete; None while unknown."""
        return (self.total - self.completed) / self.speed if self.speed else None

    def _layer(self, line: Line, status: str) -> Layer | None:
        if line.digest not in self.layers:
            if len(self.layers) >= LAYERS:
                return None
            had = line.completed or 0
            self.layers[line.digest] = Layer(status, had=min(had, line.total or 0))
        return self.layers[line.digest]

    def _sample(self) -> None:
        now = self.clock()
        if not self._samples or now - self._samples[-1][0] >= SAMPLE_S:
            self._samples.append((now, sum(layer.completed - layer.had for layer in self.layers.values())))
        while now - self._samples[0][0] > WINDOW_S and len(self._samples) > 2:
            self._samples.popleft()
