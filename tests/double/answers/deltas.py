"""Answers as a model gives them: small pieces of content or thinking, and when each is due; no I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


@dataclass(frozen=True)
class Call:
    """One call of a tool."""

    name: str
    arguments: Mapping[str, object]


@dataclass(frozen=True)
class Delta:
    """One chunk; `wait` is the pause before it in seconds, None for what the pace says."""

    content: str = ""
    thinking: str = ""
    wait: float | None = None
    calls: tuple[Call, ...] = ()


def as_deltas(answer: Iterable[str | Delta]) -> Iterator[Delta]:
    """Plain strings are content."""
    for piece in answer:
        yield Delta(piece) if isinstance(piece, str) else piece


def due_times(deltas: Iterable[Delta], pace: float) -> Iterator[tuple[float, Delta]]:
    """Each delta with its due time in seconds after the first; a pace of 0 makes all due at once."""
    due, rest = 0.0, 1 / pace if pace else 0.0
    for number, delta in enumerate(deltas):
        due += delta.wait if delta.wait is not None else (rest if number else 0.0)
        yield due, delta
