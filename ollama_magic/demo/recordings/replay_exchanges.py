"""Recorded exchanges with a real server, read as turns with the times of their pieces; no I/O.

An exchange may have a `label`, which is what the answer is then said to come from, instead of the model's name.
"""

from __future__ import annotations

import json
from datetime import datetime, timezone
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from ollama_magic.demo.recordings.replay_files import RecordedTurn, pace_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Piece = tuple[float, dict[str, Any]]  # ms since the request, one object of the reply
_LONGEST = 24 * 3_600_000  # ms that an answer may take


def recorded_turns(exchanges: Iterable[object]) -> list[RecordedTurn]:
    """A turn of every chat and generate that was answered; streamed ones first, for they have times."""
    turns = [turn for one in exchanges if isinstance(one, dict) and (turn := _turn(one))]
    return sorted(turns, key=lambda turn: not turn.chunks)


def _turn(exchange: Mapping[str, Any]) -> RecordedTurn | None:
    asked = _asked(exchange.get("request"))
    prompt, pieces = _prompt(asked), _pieces(exchange)
    if not prompt or not pieces or any("error" in one for _, one in pieces):
        return None
    texts = [(at, _content(one, "content", "response")) for at, one in pieces]
    first, last = pieces[0][1], pieces[-1][1]
    return RecordedTurn(
        prompt,
        "".join(text for _, text in texts),
        str(exchange.get("label") or first.get("model", "")),
        str(first.get("created_at", ""))[:10],
        "".join(_content(one, "thinking", "thinking") for _, one in pieces),
        pace_of(last),
        tuple((at, text) for at, text in texts if text) if len(pieces) > 1 else (),
    )


def _asked(request: object) -> dict[str, Any]:
    body = request.get("body") if isinstance(request, dict) else None
    value = _json(body) if isinstance(body, str) else body
    return value if isinstance(value, dict) else {}


def _prompt(asked: Mapping[str, Any]) -> str:
    messages = asked.get("messages")
    last = messages[-1] if isinstance(messages, list) and messages else None
    return str(last.get("content", "")) if isinstance(last, dict) else str(asked.get("prompt") or "")


def _pieces(exchange: Mapping[str, Any]) -> list[Piece]:
    """The reply's objects with their times: those of the chunks, else those that the objects carry themselves."""
    chunks = exchange.get("chunks")
    if isinstance(chunks, list):
        pairs = [one for one in chunks if isinstance(one, list) and len(one) == 2 and _timed(*one)]
        ends = list(accumulate(len(text) for _, text in pairs))
        text, place, found = "".join(text for _, text in pairs), 0, []
        for line in text.split("\n"):
            place += len(line)
            at = next((float(at) for (at, _), end in zip(pairs, ends, strict=True) if end >= place), 0.0)
            place += 1
            if isinstance(value := _json(line), dict):
                found.append((at, value))
        return found
    lines = [value for line in str(exchange.get("body", "")).split("\n") if isinstance(value := _json(line), dict)]
    times = [_milliseconds(line.get("created_at")) for line in lines]
    begun = (times[-1] - _total(lines[-1])) if lines else 0.0
    return [(max(0.0, at - begun), line) for at, line in zip(times, lines, strict=True)]


def _timed(at: object, text: object) -> bool:
    return isinstance(at, int | float) and 0 <= at <= _LONGEST and isinstance(text, str)


def _total(last: Mapping[str, Any]) -> float:
    total = last.get("total_duration", 0)
    return total / 1e6 if isinstance(total, int) else 0.0


def _milliseconds(moment: object) -> float:
    """A time such as `2025-04-22T01:40:06.123456789Z`; digits beyond microseconds are cut."""
    front, _, fraction = str(moment).rstrip("Z").partition(".")
    try:
        whole = datetime.fromisoformat(front).replace(tzinfo=timezone.utc).timestamp()
        return whole * 1000 + float(f"0.{fraction or '0'}") * 1000
    except ValueError:
        return 0.0


def _content(line: Mapping[str, Any], of_chat: str, of_generate: str) -> str:
    message = line.get("message")
    text = message.get(of_chat) if isinstance(message, dict) else line.get(of_generate)
    return text if isinstance(text, str) else ""


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
