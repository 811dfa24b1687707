"""The progress of a map: counts, speeds, and what its views say of it."""

from __future__ import annotations

import time
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ollama_magic.conversation.reply import RUNNING

if TYPE_CHECKING:
    from collections.abc import Callable

    from ollama_magic.display.tables import Shown

WINDOW_S, SAMPLE_S = 10.0, 0.5
REASONS = 1000  # different reasons of failures that are counted


@dataclass
class MapProgress:
    """The counts of one map, from its first row to its end; times are those of `clock`, in seconds.

    Attributes:
        total: How many answers there will be.
        label: What is mapped, in a word or two.
        before: The lines that stand above it: what is filled in, what is left out.
        cached: Complete rows whose answer was saved before.
        cut: Rows in which a value was cut before it was sent.
        unsaved: Complete rows that are not on the disk.
        problems: For each host what is wrong with it, "" for nothing.
        lines: What happened to hosts for good.
        first_rows: The first rows as a table, when it has ended.
    """

    total: int
    label: str = "rows"
    before: tuple[str, ...] = ()
    state: str = RUNNING
    error: Exception | None = None
    complete: int = 0
    failed: int = 0
    cached: int = 0
    tokens: int = 0
    cut: int = 0
    unsaved: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    problems: dict[str, str] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    first_rows: Callable[[], Shown] | None = None
    clock: Callable[[], float] = time.monotonic
    _samples: deque[tuple[float, int, int]] = field(default_factory=deque)

    def __post_init__(self) -> None:
        self.started_at = self.clock()

    def finished(self, *, complete: bool, cached: bool, tokens: int, error: str) -> None:
        """Count a row that has ended."""
        self.complete += complete
        self.failed += not complete
        self.cached += cached
        self.tokens += tokens
        if error and (error in self.reasons or len(self.reasons) < REASONS):
            self.reasons[error] += 1

    def note_cut(self, size: int) -> None:
        """Note that a value of this size, in characters, was cut in a row; 0 is none."""
        self.cut += size > 0

    def begin_anew(self) -> None:
        """Count from the start: what had failed is asked for once more."""
        self.state, self.error, self.failed, self.started_at = RUNNING, None, 0, self.clock()
        self.reasons.clear()
        self.lines.clear()
        self.problems.clear()
        self._samples.clear()

    def end(self, state: str, error: Exception | None = None) -> None:
        """Note how it ended; only the first end counts."""
        if self.state == RUNNING:
            self.state, self.error = state, error

    @property
    def done(self) -> int:
        """Rows that have ended."""
        return self.complete + self.failed

    @property
    def counts(self) -> str:
        """`197 of 200 done, 3 failed, 40 kept`."""
        parts = [f"{self.done:,} of {self.total:,} done"]
        parts += [f"{self.failed:,} failed"] if self.failed else []
        parts += [f"{self.cached:,} kept"] if self.cached else []
        parts += [f"{self.unsaved:,} not saved yet"] if self.unsaved else []
        return ", ".join(parts)

    def speeds(self) -> tuple[float, float] | None:
        """Return rows and tokens per second of the last seconds, of rows that were asked for; None while unknown."""
        now, asked = self.clock(), self.done - self.cached
        if not self._samples or now - self._samples[-1][0] >= SAMPLE_S:
            self._samples.append((now, asked, self.tokens))
        while now - self._samples[0][0] > WINDOW_S and len(self._samples) > 2:
            self._samples.popleft()
        began, rows, tokens = self._samples[0]
        seconds = now - began
        return ((asked - rows) / seconds, (self.tokens - tokens) / seconds) if seconds >= SAMPLE_S else None
