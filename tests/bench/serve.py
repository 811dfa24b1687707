"""A demo server as a process: prints its address, and lives as long as its standard input is open.

The prompt says what to answer: «2000» is so many tokens in large writes, «2000 at 150» so many in a second, one by one,
«2000 at 0» one by one as fast as possible. The file that BENCH_TIMES names has the times at which the last ones were
sent.
"""

from __future__ import annotations

import json
import os
import sys
import time
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.bench.answers import answer, pieces
from tests.double import Delta, ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def answers(body: dict[str, Any]) -> Iterable[str | Delta]:
    """The tokens that the prompt asks for."""
    tokens, _, rate = body["messages"][-1]["content"].strip().partition(" at ")
    found = _pieces(int(tokens))
    return _paced(found, float(rate)) if rate else found


@lru_cache
def _pieces(tokens: int) -> list[str]:
    return pieces(answer(tokens))


def _paced(found: list[str], rate: float) -> Iterator[Delta]:
    """Yield tokens at a rate, 0 for no pauses; the next one is asked for when one has been sent."""
    times = list[float]()
    for number, piece in enumerate(found):
        yield Delta(piece, wait=1 / rate if rate and number else 0.0)
        times.append(time.time())
    if "BENCH_TIMES" in os.environ:
        Path(os.environ["BENCH_TIMES"]).write_text(json.dumps(times), "utf8")


if __name__ == "__main__":
    with ScriptedServer(pace=0, answers=answers) as server:
        print(server.url, flush=True)
        sys.stdin.read()
