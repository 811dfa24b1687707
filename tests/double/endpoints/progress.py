"""Replies that are lines of progress (pull, push, create), streamed or waited for, with their faults."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from ollama_magic.demo.transport.go_format import go_json
from tests.double.wire.go_bodies import Refusal

if TYPE_CHECKING:
    from collections.abc import Generator

    from tests.double.faults import Fault
    from tests.double.wire.go_bodies import Body
    from tests.double.wire.http import Exchange

Line = dict[str, object]


def send_progress(exchange: Exchange, fault: Fault | None, body: Body, lines: Generator[Line, None, None]) -> None:
    """Tell of the work while it is done; a Refusal in mid-work becomes a line, or status and text without a stream."""
    streams = body.get("stream", True) is True
    struck = _struck(exchange, fault, lines) if fault else lines
    with closing(lines):
        if streams:
            _stream(exchange, struck)
        else:
            _whole(exchange, struck)


def _stream(exchange: Exchange, lines: Generator[Line, None, None]) -> None:
    exchange.prepared = True
    try:
        first = next(lines, None)
    except Refusal as refusal:
        exchange.error(refusal.text, refusal.status, late=True)
        return
    head = exchange.start_stream()
    if first is not None:
        exchange.send_lines([_written(first)], head)
        head = b""
        try:
            for line in lines:
                exchange.send_lines([_written(line)])
        except Refusal as refusal:
            exchange.send_lines([_written({"error": refusal.text})])
    exchange.send_lines([], head, last=True)


def _whole(exchange: Exchange, lines: Generator[Line, None, None]) -> None:
    said: Line = {}
    try:
        for said in lines:  # noqa: B007 — only the last one is told
            pass
    except Refusal as refusal:
        said = {"error": refusal.text}
        exchange.json(said, refusal.status, "application/json")
        return
    exchange.json(said, 200, "application/json")


def _written(line: Line) -> bytes:
    """A line as it is sent; a fault's own bytes as they stand."""
    raw = line.get("raw")
    return raw if isinstance(raw, bytes) else (go_json(line) + "\n").encode()


def _struck(exchange: Exchange, fault: Fault, lines: Generator[Line, None, None]) -> Generator[Line, None, None]:
    """The lines up to the fault; some faults let them go on, the others end them."""
    count = 0
    for count, line in enumerate(lines):
        if count == fault.after:
            if fault.kind in ("no_done", "half_line"):
                half = _written(line)
                if fault.kind == "half_line":
                    yield {"raw": half[: len(half) // 2]}
                return
            yield from _strike(exchange, fault)
        yield line
    if count < fault.after:
        yield from _strike(exchange, fault)


def _strike(exchange: Exchange, fault: Fault) -> Generator[Line, None, None]:
    if fault.kind == "error_line":
        raise Refusal(500, fault.error)
    if fault.kind == "silence":
        exchange.connection.pause(fault.seconds)
    elif fault.kind == "garbage_line":
        yield {"raw": fault.body or b"this is no JSON\n"}
    elif fault.kind == "drop":
        exchange.connection.reset()
    elif fault.kind == "close":
        exchange.connection.close()
