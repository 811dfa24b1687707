"""A map against a bare loop of ollama-python, at many rows, with two servers, and resumed."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
import tracemalloc
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

import pytest

import ollama_magic
from tests.mapping.killing import ROOT, kill_and_go_on
from tests.mapping.quick_server import QuickServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.bench.conftest import Figures

LEARNT = 30  # rows after which the pace is to be found
# seconds of an answer, answers at once, rows that are measured, and the fixed numbers of a bare loop that are tried
SERVERS = [
    (0.005, 1, 300, (1, 2)),
    (0.005, 4, 600, (4, 8)),
    (0.005, 16, 1200, (4, 8, 16)),
    (0.2, 1, 30, (1, 2)),
    (0.2, 4, 100, (4, 8)),
    (0.2, 16, 400, (16, 32)),
    (5.0, 16, 48, (16,)),
]


@contextmanager
def served(latency: float, places: int) -> Iterator[str]:
    """A server in a process of its own."""
    command = [sys.executable, "-m", "tests.mapping.quick_server", str(latency), str(places)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        yield process.stdout.readline().strip()
        process.stdin.close()


def bare(url: str, rows: int, at_once: int) -> float:
    """Rows per second of a loop that only asks, with so many requests at once."""
    from ollama import AsyncClient

    async def ask() -> None:
        client, prompts = AsyncClient(url), iter(range(rows))

        async def worker() -> None:
            for number in prompts:
                await client.generate("quick", f"row {number}")

        await asyncio.gather(*(worker() for _ in range(at_once)))
        await client.close()

    began = time.perf_counter()
    asyncio.run(ask())
    return rows / (time.perf_counter() - began)


def ours(rows: int, **settings: object) -> float:
    """Rows per second of a map after the first thirty."""
    times = []
    for _ in ollama_magic.map("row {{n}}", range(rows + LEARNT), **settings):
        times.append(time.perf_counter())
    return rows / (times[-1] - times[LEARNT - 1])


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("latency", "places", "rows", "numbers"), SERVERS)
def test_throughput(figures: Figures, monkeypatch: pytest.MonkeyPatch, latency, places, rows, numbers) -> None:
    """After thirty rows a map is as fast as a bare loop at the best fixed number."""
    with served(latency, places) as url:
        monkeypatch.setenv("OLLAMA_HOST", url)
        tries = 1 if latency > 1 else 2
        best = max(bare(url, rows, number) for number in numbers for _ in range(tries))
        found = max(ours(rows) for _ in range(tries))
    figures.note(f"map, {latency:g} s, {places} at once: bare loop over map, rows/s", best / found, 1 / 0.95, "×")


def test_two_servers(figures: Figures, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two servers are nearly twice as fast as one."""
    with served(0.5, 4) as one, served(0.5, 4) as two:
        monkeypatch.setenv("OLLAMA_HOST", one)
        single, double = ours(64), ours(128, hosts=[one, two])
    figures.note("map: one server over two, rows/s", single / double, 1 / 1.9, "×")


@pytest.mark.timeout(300)
@pytest.mark.filterwarnings("ignore")
def test_dask(figures: Figures, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cluster of two workers with a server each is nearly twice as fast as one server."""
    distributed = pytest.importorskip("distributed")
    with served(0.5, 4) as one, served(0.5, 4) as two:
        monkeypatch.setenv("OLLAMA_HOST", one)
        single = ours(64)
        with (
            distributed.LocalCluster(n_workers=2, threads_per_worker=8, dashboard_address=None) as cluster,
            distributed.Client(cluster) as client,
        ):
            for worker, url in zip(client.scheduler_info()["workers"], (one, two), strict=True):
                client.run(exec, f"import os; os.environ['OLLAMA_HOST'] = {url!r}", workers=[worker])
            ollama_magic.map("warm {{n}}", range(100), executor=client.get_executor()).wait()
            double = ours(160, executor=client.get_executor())
    figures.note("map: one server over a cluster of two workers, rows/s", single / double, 1 / 1.8, "×")


@pytest.mark.timeout(600)
def test_a_hundred_thousand_rows(figures: Figures, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Memory, the first row, the size of the store, and what a resume costs."""
    count, cache = 100_000, tmp_path / "answers.sqlite"
    rows = [f"row {number}" for number in range(count)]
    with served(0.2, 4) as url:
        monkeypatch.setenv("OLLAMA_HOST", url)
        ollama_magic.map("{{n}}", ["warm"]).wait()
        one = min(seconds_of(partial(ollama_magic.generate, "warm")) for _ in range(3))
        first = min(seconds_of(partial(first_row, rows)) for _ in range(3))
    figures.note("map of 100,000 rows: first row over one request", first / one, 1.25, "×")
    fill_store(cache, rows)
    size = cache.stat().st_size
    figures.note_only("map: bytes of the store for each short answer", size / count, "B")
    with QuickServer() as server:
        monkeypatch.setenv("OLLAMA_HOST", server.url)
        began = time.process_time()
        results = ollama_magic.map("{{n}}", rows, cache=cache).wait()
        spent = time.process_time() - began
        assert server.total == 0
        hashing = hashed(rows)
        figures.note("map: resume of a finished row, without hashing", (spent - hashing) / count * 1e6, 20, "µs")
        del results
        tracemalloc.start()
        results = ollama_magic.map("{{n}}", rows, cache=cache).wait()
        held = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        assert len(results) == count
    figures.note("map: memory of the driver for each finished row", held / count, 1000, "B")


def seconds_of(do: Callable[[], object]) -> float:
    """How long something takes."""
    began = time.perf_counter()
    do()
    return time.perf_counter() - began


def first_row(rows: list[str]) -> None:
    """Wait for one row of a map, and stop it."""
    results = ollama_magic.map("{{n}}", rows)
    next(iter(results))
    results.stop()


def fill_store(cache: Path, rows: list[str]) -> None:
    """Save an answer to each row, as a map does."""
    from ollama_magic.mapping.outcome import COMPLETE, Outcome
    from ollama_magic.mapping.saved_rows import RowKeys, body_of
    from ollama_magic.mapping.task import dependencies
    from ollama_magic.ollama.protocol import GenerateRequest
    from ollama_magic.store.store import Store

    keys, store = RowKeys(dependencies(GenerateRequest("quick", "")), "d1"), Store(cache)
    for start in range(0, len(rows), 1000):
        part = rows[start : start + 1000]
        store.save_answers([(keys.of(row), body_of(Outcome(COMPLETE, row, tokens=2))) for row in part])
    store.close(60)


def hashed(rows: list[str]) -> float:
    """The time that hashing alone takes: of a key for each row."""
    from ollama_magic.mapping.saved_rows import RowKeys

    keys = RowKeys({"model": "quick"}, "d1")
    began = time.process_time()
    for row in rows:
        keys.of(row)
    return time.process_time() - began


@pytest.mark.timeout(600)
def test_twenty_kills(figures: Figures, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Killed twenty times at random moments: no acknowledged row is asked twice, and none is lost."""
    with QuickServer(latency=0.003) as server:
        monkeypatch.setenv("OLLAMA_HOST", server.url)
        lost, twice = kill_and_go_on(server, str(tmp_path / "answers.sqlite"), 600, 20)
    assert (lost, twice) == (set(), [])
    figures.note_only("map: acknowledged rows that were asked twice in 20 kills", len(twice))
