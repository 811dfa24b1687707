"""One answer on its way to the client: paced, streamed or whole, with its statistics and its fault."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice, repeat
from typing import TYPE_CHECKING

from tests.double.answers.deltas import Delta, due_times

if TYPE_CHECKING:
    from tests.double.answers.lines import Lines
    from tests.double.faults import Fault
    from tests.double.wire.http import Exchange

_BATCH = 64_000  # bytes that may be collected while nothing has to wait


class _Over(Exception):
    """A fault has ended the answer."""


@dataclass
class Answer:
    """What is said, in which lines and how fast; `first` is the pause before the first chunk in seconds.

    `context` makes the numbers of prompt and answer, if they are to be told.
    """

    exchange: Exchange
    lines: Lines
    deltas: Iterable[Delta]
    pace: float
    first: float
    prompt_tokens: int
    load_ns: int
    limit: int | None = None
    context: Callable[[str], list[int]] | None = None
    fault: Fault | None = None
    cut: bool = False
    _head: bytes = b""
    _pending: list[bytes] = field(default_factory=list)
    _pending_bytes: int = 0
    _begun: int = 0
    _count: int = 0
    _left: Delta = field(default_factory=Delta)
    _said: list[str] = field(default_factory=list)

    def send(self, stream: bool) -> None:
        """Say it all; ClientLeft if the client does not stay."""
        if self.fault and self.fault.kind == "endless":
            self.deltas, self.pace = repeat(Delta("again ")), 0
        try:
            if stream:
                self._stream()
            else:
                self._whole()
        except _Over:
            pass

    def _stream(self) -> None:
        odd = self.fault is not None and self.fault.kind == "content_type"
        content_type = self.fault.error if self.fault and odd else "application/x-ndjson"
        self._head = self.exchange.start_stream(content_type)
        collects = isinstance(self.deltas, Sequence)
        for delta in self._held(self._paced()):
            line = self.lines.piece(delta)
            if self.fault and self._count == self.fault.after:
                self._strike(self.fault, line)
            self._count += 1
            self._pending.append(line)
            self._pending_bytes += len(line)
            if not collects or self._pending_bytes > _BATCH:
                self._flush()
        if self.fault and self._count < self.fault.after:
            self._strike(self.fault, self._last())
        self._pending.append(self._last())
        self._flush(last=True)

    def _held(self, deltas: Iterator[Delta]) -> Iterator[Delta]:
        """What goes into lines of its own; calls of the late style, and the last piece if told so, wait for the end."""
        waits = self.fault is not None and self.fault.kind == "late_content"
        if not (waits or self.context or self.lines.late_calls):
            return deltas
        return self._some_held(deltas, waits)

    def _some_held(self, deltas: Iterator[Delta], waits: bool) -> Iterator[Delta]:
        held: Delta | None = None
        for delta in deltas:
            if self.context:
                self._said.append(delta.content)
            if self.lines.late_calls and delta.calls:
                self._left = replace(delta, calls=(*self._left.calls, *delta.calls))
                self._count += 1
                continue
            if held:
                yield held
            held = delta if waits else None
            if not waits:
                yield delta
        if held:
            self._left = held
            self._count += 1

    def _paced(self) -> Iterator[Delta]:
        """The deltas, each at its time; what is pending goes out before every pause."""
        self.exchange.connection.pause(self.first)
        self._begun = time.monotonic_ns()
        for due, delta in due_times(self._limited(), self.pace):
            if due:
                rest = due - (time.monotonic_ns() - self._begun) / 1e9
                if rest > 0:
                    self._flush()
                    self.exchange.connection.pause(rest)
            yield delta

    def _limited(self) -> Iterator[Delta]:
        if self.limit is None:
            yield from self.deltas
            return
        deltas = iter(self.deltas)
        yield from islice(deltas, self.limit)
        self.cut = self.cut or next(deltas, None) is not None

    def _flush(self, last: bool = False) -> None:
        if self._pending or last:
            lines, head = self._pending, self._head
            self._pending, self._pending_bytes, self._head = [], 0, b""
            self.exchange.send_lines(lines, head, last)

    def _whole(self) -> None:
        said = []
        for delta in self._paced():
            if self.fault and self._count == self.fault.after:
                self._strike_whole(self.fault)
            self._count += 1
            said.append(delta)
            self._said.append(delta.content)
        if self.fault and self._count < self.fault.after:
            self._strike_whole(self.fault)
        self.exchange.json(self.lines.whole(said, self._ending()))

    def _last(self) -> bytes:
        return self.lines.last(self._left, self._ending())

    def _ending(self) -> dict[str, object]:
        now = time.monotonic_ns()
        arrived = self.exchange.arrived
        tells_no_time = self._count == 1 and self.cut and not self.lines.age.has("native")  # protocol.md §6.3
        metrics = {
            "context": self.context("".join(self._said)) if self.context else None,
            "total_duration": now - arrived,
            "load_duration": self.load_ns,
            "prompt_eval_count": self.prompt_tokens,
            "prompt_eval_duration": _whole_us(self._begun - arrived - self.load_ns),
            "eval_count": (self._count or self.limit or 0) if self.cut else self._count + 1,
            "eval_duration": 0 if tells_no_time else _whole_us(now - self._begun),
        }
        front: dict[str, object] = {"done": True}
        if self.lines.age.has("done_reason"):
            front["done_reason"] = "length" if self.cut else "stop"
        return {**front, **{key: value for key, value in metrics.items() if value}}

    def _strike(self, fault: Fault, next_line: bytes) -> None:
        """The fault strikes in mid-stream; some let the answer go on, the others end it."""
        if fault.kind in ("silence", "drop", "close"):
            self._flush()
        if fault.kind == "silence":
            self.exchange.connection.pause(fault.seconds)
        elif fault.kind == "garbage_line":
            self._pending.append(fault.body or b"this is no JSON\n")
        elif fault.kind in ("drop", "close"):
            self._hang_up(fault)
        elif fault.kind in ("error_line", "no_done", "half_line"):
            error = self.lines.written({"error": fault.error})
            lines = {"error_line": [error], "no_done": [], "half_line": [next_line[: len(next_line) // 2]]}
            self._pending += lines[fault.kind]
            self._flush(last=True)
            raise _Over

    def _strike_whole(self, fault: Fault) -> None:
        """The same for a reply in one piece."""
        if fault.kind == "silence":
            self.exchange.connection.pause(fault.seconds)
        elif fault.kind in ("drop", "close"):
            self._hang_up(fault)
        elif fault.kind == "error_line":
            self.exchange.json({"error": fault.error}, 500)
            raise _Over
        elif fault.kind in ("no_done", "half_line"):
            said = self.lines.piece(Delta("so far")).strip()
            half = len(said) // 2 if fault.kind == "half_line" else len(said)
            self.exchange.reply(200, "application/json; charset=utf-8", said[:half])
            raise _Over

    def _hang_up(self, fault: Fault) -> None:
        if fault.kind == "drop":
            self.exchange.connection.reset()
        else:
            self.exchange.connection.close()
        raise _Over


def _whole_us(nanoseconds: int) -> int:
    """The runner counts in whole µs, at least one."""
    return max(1000, nanoseconds // 1000 * 1000)
