"""kill -9 in the middle of a map: what was acknowledged is saved, and the rest is asked for when it runs again."""

from __future__ import annotations

from tests.mapping.killing import kill_and_go_on


def test_nothing_acknowledged_is_lost_or_asked_twice(quick, cache) -> None:
    """Killed twice at random moments, a map of 120 rows ends with every row, and asks for none twice that it had."""
    server = quick(latency=0.005)
    assert kill_and_go_on(server, cache, 120, 2) == (set(), [])
