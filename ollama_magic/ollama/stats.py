"""What an answer has cost, and how a count from a server or a file is read."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Stats:
    """The statistics of an answer in tokens and nanoseconds (protocol.md §6.3); every field may be missing."""

    total_ns: int | None = None
    load_ns: int | None = None
    prompt_tokens: int | None = None
    prompt_ns: int | None = None
    answer_tokens: int | None = None
    answer_ns: int | None = None


def count(value: object) -> int | None:
    """Return a valid count or time, None for anything else."""
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return value if 0 <= value < 2**63 else None
