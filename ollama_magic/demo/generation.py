"""One answer on its way to the client: paced, streamed or whole, with its statistics and its fault."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice, repeat
from typing import TYPE_CHECKING, Literal

from ollama_magic.demo.deltas import Delta, due_times
from ollama_magic.demo.go import go_json, go_time

if TYPE_CHECKING:
    from ollama_magic.demo.faults import Fault
    from ollama_magic.demo.wire import Exchange

_BATCH = 64_000  # bytes that may be collected while nothing has to wait


class _Over(Exception):
    """A fault has ended the answer."""


@dataclass
class Answer:
    """What is said, by whom, in which shape and how fast; `first` is the pause before the first chunk in seconds."""

    exchange: Exchange
    name: str
    deltas: Iterable[Delta]
    shape: Literal["chat", "generate"]
    pace: float
    first: float
    prompt_tokens: int
    load_ns: int
    limit: int | None = None
    context: list[int] = field(default_factory=list)
    fault: Fault | None = None
    _head: bytes = b""
    _pending: list[bytes] = field(default_factory=list)
    _pending_bytes: int = 0
    _begun: int = 0
    _count: int = 0
    _cut: bool = False

    def __post_init__(self) -> None:
        self._name_json = go_json(self.name)

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
        for delta in self._paced():
            line = self._line(delta)
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
        self._cut = next(deltas, None) is not None

    def _flush(self, last: bool = False) -> None:
        if self._pending or last:
            lines, head = self._pending, self._head
            self._pending, self._pending_bytes, self._head = [], 0, b""
            self.exchange.send_lines(lines, head, last)

    def _whole(self) -> None:
        content, thinking = [], []
        for delta in self._paced():
            if self.fault and self._count == self.fault.after:
                self._strike_whole(self.fault)
            self._count += 1
            content.append(delta.content)
            thinking.append(delta.thinking)
        if self.fault and self._count < self.fault.after:
            self._strike_whole(self.fault)
        said = Delta("".join(content), "".join(thinking))
        self.exchange.json({**self._object(said), **self._ending()})

    def _line(self, delta: Delta) -> bytes:
        if delta.thinking or self.shape != "chat":
            return (go_json({**self._object(delta), "done": False}) + "\n").encode()
        name, now, said = self._name_json, go_time(time.time_ns()), go_json(delta.content)
        front = f'{{"model":{name},"created_at":"{now}","message":{{"role":"assistant","content":'
        return f'{front}{said}}},"done":false}}\n'.encode()

    def _last(self) -> bytes:
        return (go_json({**self._object(Delta()), **self._ending()}) + "\n").encode()

    def _object(self, delta: Delta) -> dict[str, object]:
        front: dict[str, object] = {"model": self.name, "created_at": go_time(time.time_ns())}
        thinking = {"thinking": delta.thinking} if delta.thinking else {}
        if self.shape == "chat":
            return {**front, "message": {"role": "assistant", "content": delta.content, **thinking}}
        return {**front, "response": delta.content, **thinking}

    def _ending(self) -> dict[str, object]:
        now = time.monotonic_ns()
        arrived = self.exchange.arrived
        metrics = {
            "context": self.context,
            "total_duration": now - arrived,
            "load_duration": self.load_ns,
            "prompt_eval_count": self.prompt_tokens,
            "prompt_eval_duration": _whole_us(self._begun - arrived - self.load_ns),
            "eval_count": self._count + (0 if self._cut else 1),
            "eval_duration": _whole_us(now - self._begun),
        }
        front = {"done": True, "done_reason": "length" if self._cut else "stop"}
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
            error = (go_json({"error": fault.error}) + "\n").encode()
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
            said = go_json({**self._object(Delta("so far")), "done": False}).encode()
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
