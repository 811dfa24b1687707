"""Replies that are lines of progress (pull and create), streamed or waited for."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from ollama_magic.demo.api.answer_lines import line_of
from ollama_magic.demo.transport.request_body import Refusal

if TYPE_CHECKING:
    from collections.abc import Generator

    from ollama_magic.demo.transport.exchange import Exchange
    from ollama_magic.demo.transport.request_body import Body

Line = dict[str, object]


def send_progress(exchange: Exchange, body: Body, lines: Generator[Line, None, None]) -> None:
    """Report the work while it is done; a Refusal in mid-work becomes a line, or status and text without a stream."""
    with closing(lines):
        if body.get("stream", True):
            _stream(exchange, lines)
        else:
            _whole(exchange, lines)


def _stream(exchange: Exchange, lines: Generator[Line, None, None]) -> None:
    exchange.streaming = True
    try:
        first = next(lines)
    except Refusal as refusal:
        raise Refusal(refusal.status, refusal.text, late=True) from None
    exchange.send_lines([line_of(first)], exchange.start_stream())
    try:
        for line in lines:
            exchange.send_lines([line_of(line)])
    except Refusal as refusal:
        exchange.send_lines([line_of({"error": refusal.text})])
    exchange.send_lines([], last=True)


def _whole(exchange: Exchange, lines: Generator[Line, None, None]) -> None:
    line: Line = {}
    try:
        for line in lines:  # noqa: B007 — only the last one is sent
            pass
    except Refusal as refusal:
        exchange.json({"error": refusal.text}, refusal.status, "application/json")
    else:
        exchange.json(line, 200, "application/json")
