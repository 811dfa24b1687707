"""Writers that are killed with -9 at random moments, and what their store must still hold then.

It runs as a process of its own, for it forks: `python -m tests.store.killing STORE SEED WRITERS KILLS`.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

from ollama_magic.store.store import Store, this_process

from .children import python
from .rows import WAIT_S, row

LIFE_S = 0.3  # what a writer is given at most
PAUSE_S = 0.01  # between two rows; a running answer gives one every 250 ms


@dataclass
class Tally:
    """What so many kills cost."""

    kills: int = 0
    acknowledged: int = 0
    lost: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    lags_s: list[float] = field(default_factory=list)  # at each kill: the age of the oldest row that was not yet saved


@dataclass
class Writer:
    """One process that appends to a notebook of its own, and tells each row before and after it is saved."""

    notebook: str
    first: int
    pid: int = 0
    pipe: int = 0

    def start(self, path: Path) -> Writer:
        """Fork; the child never returns."""
        self.pipe, told = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                os.close(self.pipe)
                _write(path, self.notebook, self.first, told)
            finally:
                os._exit(1)
        os.close(told)
        return self

    def kill(self) -> tuple[float, dict[int, float], set[int]]:
        """Kill -9; the moment, the rows that were handed in with their moments, and those that were acknowledged."""
        os.kill(self.pid, signal.SIGKILL)
        moment = time.monotonic()
        os.waitpid(self.pid, 0)
        with os.fdopen(self.pipe) as pipe:
            lines = [line.split() for line in pipe.read().splitlines(keepends=True) if line.endswith("\n")]
        handed = {int(line[1]): float(line[2]) for line in lines if line[0] == "given"}
        return moment, handed, {int(line[1]) for line in lines if line[0] == "saved"}


def kill(path: Path, seed: int, writers: int, kills: int) -> Tally:
    """Kill writers of one store, so many at a time, until there were so many kills."""
    return Tally(**json.loads(python("tests.store.killing", path, seed, writers, kills)))


def _kill_on(path: Path, dice: random.Random, writers: int, kills: int, tally: Tally) -> None:
    """Start writers, kill them one by one at random moments, and look at the store after each round."""
    saved: dict[str, int] = {}
    while tally.kills < kills:
        group = [Writer(f"n{n}", saved.get(f"n{n}", 0) + 1).start(path) for n in range(writers)]
        for writer in dice.sample(group, len(group)):
            time.sleep(dice.uniform(0, LIFE_S / len(group)))
            moment, handed, acknowledged = writer.kill()
            tally.kills += 1
            tally.acknowledged += len(acknowledged)
            kept = saved[writer.notebook] = _check(path, writer, acknowledged, tally)
            tally.lags_s.append(max((moment - at for counter, at in handed.items() if counter > kept), default=0.0))


def _check(path: Path, writer: Writer, acknowledged: set[int], tally: Tally) -> int:
    store = Store(path)
    found = {each.counter: each for each in store.rows(writer.notebook)}
    if store.problem:
        tally.unreadable.append(store.problem)
    wrong = [counter for counter, each in found.items() if each != row(writer.notebook, counter)]
    missing = [counter for counter in range(1, max(acknowledged, default=0) + 1) if counter not in found]
    tally.lost += [f"{writer.notebook} {counter}" for counter in wrong + missing]
    store.close()
    return max(found, default=writer.first - 1)


def _write(path: Path, notebook: str, first: int, told: int) -> None:
    store = Store(path)
    assert store.claim(notebook, this_process(), WAIT_S)
    for counter in range(first, first + 10_000):
        given = row(notebook, counter)
        os.write(told, f"given {counter} {time.monotonic()}\n".encode())
        store.append(notebook, [given]).add_done_callback(
            lambda done, saved=counter: done.exception() or os.write(told, f"saved {saved}\n".encode())
        )
        time.sleep(PAUSE_S)


if __name__ == "__main__":
    tally = Tally()
    _kill_on(Path(sys.argv[1]), random.Random(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), tally)
    print(json.dumps(asdict(tally)))
