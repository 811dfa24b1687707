"""A thousand kill -9 at random moments, with 1 to 4 writers on one store: nothing acknowledged is lost.

Run it with `make bench-kill`, or `python -m pytest tests/bench/kill.py -s`; `KILLS=100` makes fewer.
"""

from __future__ import annotations

import os
import random
import statistics
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

KILLS = int(os.environ.get("KILLS", "1000"))
STORES = 5  # for each number of writers: old stores and young ones
PROMISED_S = 0.25  # design §7.1


@pytest.mark.skipif(sys.platform == "win32", reason="needs fork and SIGKILL")
@pytest.mark.timeout(1800)
def test_kill(tmp_path: Path) -> None:
    """0 acknowledged rows lost, 0 unreadable stores, at most 250 ms of a running answer."""
    from tests.store.killing import Tally, kill_round

    late = []
    print(f"\n{'writers':>7} {'kills':>6} {'acknowledged':>12} {'lost':>5} {'unreadable':>10}   unsaved at the kill (ms: median, max)")
    for writers in (1, 2, 3, 4):
        total = Tally()
        for store in range(STORES):
            tally = Tally()
            kill_round(tmp_path / f"{writers}-{store}.sqlite", random.Random(f"{writers} {store}"), writers, KILLS // 4 // STORES, tally)
            total = _sum(total, tally)
        lags = sorted(total.lags_s)
        late += [lag for lag in lags if lag > PROMISED_S]
        print(
            f"{writers:7} {total.kills:6} {total.acknowledged:12} {len(total.lost):5} {len(total.unreadable):10}   "
            f"{statistics.median(lags) * 1000:5.1f}  {lags[-1] * 1000:5.1f}",
            flush=True,
        )
        assert total.lost == []
        assert total.unreadable == []
    assert late == []


def _sum(one: object, other: object) -> object:
    return type(one)(**{name: getattr(one, name) + getattr(other, name) for name in vars(one)})
