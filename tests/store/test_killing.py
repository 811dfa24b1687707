"""Kill -9 at random moments, in short; `make bench-kill` does it a thousand times."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from .killing import kill

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.skipif(sys.platform == "win32", reason="needs fork and SIGKILL")
@pytest.mark.parametrize("writers", [1, 3])
def test_killed_writers_lose_nothing(tmp_path: Path, writers: int) -> None:
    """What was acknowledged before a kill -9 is in the store, and the store can be read."""
    tally = kill(tmp_path / "store.sqlite", 5, writers, 10)
    assert tally.lost == []
    assert tally.unreadable == []
    assert tally.kills >= 10
    assert tally.acknowledged > 0
