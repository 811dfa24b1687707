"""■ and Stop, 25 times in each phase of a turn, on the ipykernel of today and on 6: how often all held, and how fast.

Run it with `make bench`, or `python -m pytest tests/bench/stops.py -s`; `STOPS=5` makes fewer.
"""

from __future__ import annotations

import os
import statistics
from typing import TYPE_CHECKING

import pytest

from tests.kernel.old_kernel import old_kernel
from tests.kernel.stopping import PHASES, stop_once
from tests.kernel.stopping_kernel import BUTTON, INTERRUPT, StoppingKernel

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from tests.kernel.stopping import Stop

TIMES = int(os.environ.get("STOPS", "25"))
PROMISED_S = 1.0  # design.md §7.2
TITLE = f"{'ipykernel':10} {'press':5} {'phase':9} {'ok':>7}   prompt back     connection closed   (ms: median, max)"


@pytest.mark.timeout(1800)
def test_stops(bare_machine: Path) -> None:
    """Every stop holds every promise, and prompt and connection are free within a second."""
    print("\n" + TITLE)
    bad = [
        *_rows("7", {}, (INTERRUPT, BUTTON)),
        *_rows("6", old_kernel(), (INTERRUPT,)),
    ]
    assert bad == []


def _rows(version: str, environ: dict[str, str], presses: Iterable[str]) -> list[str]:
    kernel = StoppingKernel(environ)
    kernel.run("%load_ext ollama_magic")
    bad = []
    for press in presses:
        for phase in PHASES.values():
            stops = [stop_once(kernel, phase, press) for _ in range(TIMES)]
            bad += [f"{version} {press} {phase.name}: {problem}" for stop in stops for problem in _problems(stop)]
            held = sum(not _problems(stop) for stop in stops)
            replies, lefts = [stop.reply for stop in stops], [stop.left for stop in stops if stop.left is not None]
            print(
                f"{version:10} {press:5} {phase.name:9} {held:>3}/{TIMES}   {_ms(replies)}   {_ms(lefts)}", flush=True
            )
    kernel.stop()
    return bad


def _problems(stop: Stop) -> list[str]:
    late = [
        f"{what} after {seconds:.2f} s"
        for what, seconds in (("prompt", stop.reply), ("closed", stop.left or 0.0))
        if seconds > PROMISED_S
    ]
    return [*stop.problems, *late]


def _ms(seconds: list[float]) -> str:
    if not seconds:
        return f"{'–':>13}"
    return f"{statistics.median(seconds) * 1000:5.0f}  {max(seconds) * 1000:6.0f}"
