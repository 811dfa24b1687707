"""Rows in batches through an executor: a pool of this machine, and a cluster of Dask's."""

from __future__ import annotations

import os
import time
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING

import pytest

import ollama_magic
from ollama_magic.errors import InputError, ModelNotFound
from ollama_magic.mapping import worker
from tests.mapping.quick_server import QuickServer, Refusal
from tests.mapping.replies import Mood

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture(autouse=True)
def own_session():
    """The worker's part in this process ends with the test."""
    yield
    if worker._session.cache_info().currsize:
        worker._session().close()
    worker._after_fork()


def test_rows_go_through_a_pool_and_are_saved_by_the_driver(quick, cache) -> None:
    """Values are validated where their type is known; failed rows are rows; the second time nothing is asked."""

    async def answer(prompt: str) -> str | Refusal:
        if prompt == "row 7":
            return Refusal(500)
        return "so so" if prompt == "row 9" else '{"mood": "good"}'

    server = quick(answer)
    with ThreadPoolExecutor(2) as pool:
        results = ollama_magic.map("row {{n}}", range(40), format=Mood, executor=pool, cache=cache)
        assert [row.index for row in results.errors] == [7, 9]
        assert [row.value for row in results if row.index not in (7, 9)] == [{"mood": "good"}] * 38
        asked = server.total
        ollama_magic.map("row {{n}}", range(40), format=Mood, executor=pool, cache=cache).wait()
    assert server.total == asked + 2


class Cancelling(ThreadPoolExecutor):
    """A pool that cancels whatever it is to do after the first time, as one that is shut down does."""

    handed = 0

    def submit(self, function, /, *arguments, **options):
        self.handed += 1
        if self.handed == 1:
            return super().submit(function, *arguments, **options)
        left: Future[object] = Future()
        left.cancel()
        left.set_running_or_notify_cancel()
        return left


def test_a_batch_that_its_executor_cancels_has_failed(quick) -> None:
    """It is no stop: the map ends, and no row is left without an answer and without a reason."""
    quick()
    with Cancelling(1) as pool:
        results = ollama_magic.map("{{n}}", range(5), executor=pool).wait()
    assert results.state == "complete"
    assert len(results.errors) == 5
    assert "it was cancelled" in results.errors[0].error


class Mortal(ThreadPoolExecutor):
    """A pool whose worker dies when it is to do something for the third time, and then lives again."""

    handed = 0

    def submit(self, function, /, *arguments, **options):
        self.handed += 1
        if self.handed == 3:
            dead: Future[object] = Future()
            dead.set_exception(BrokenProcessPool("the worker is gone"))
            return dead
        return super().submit(function, *arguments, **options)


def test_rows_of_a_worker_that_dies_are_asked_once_more(quick) -> None:
    """Every row comes all the same."""
    quick()
    with Mortal(2) as pool:
        assert ollama_magic.map("{{n}}", range(30), executor=pool).values == [str(number) for number in range(30)]
        assert pool.handed > 3


def test_an_executor_that_takes_nothing_is_one_line(quick) -> None:
    """One that was shut down, what is none, and a model that no worker's server has."""
    quick()
    pool = ThreadPoolExecutor(1)
    with pytest.raises(ModelNotFound):
        ollama_magic.map("{{n}}", range(3), executor=pool, model="nobody").frame()
    pool.shutdown()
    with pytest.raises(ollama_magic.OllamaMagicError, match="The executor takes no more work"):
        ollama_magic.map("{{n}}", range(3), executor=pool).frame()
    with pytest.raises(InputError, match=r"executor is a concurrent\.futures\.Executor"):
        ollama_magic.map("{{n}}", range(3), executor="dask")


def test_vectors_come_through_a_pool(quick, cache) -> None:
    """`embed` hands batches of texts out in the same way, saves the vectors, and keeps the order."""
    server = quick()
    texts = ["x" * (number % 700) + "y" for number in range(2000)]
    with Mortal(2) as pool:
        found = ollama_magic.embed(texts, executor=pool, cache=cache)
        assert list(found.array[:, 0]) == [len(text) for text in texts]
        assert pool.handed > 3
        assert server.total == 700
        assert ollama_magic.embed(texts, executor=pool, cache=cache).array.shape == (2000, 3)
        assert server.total == 700
        with pytest.raises(ModelNotFound):
            ollama_magic.embed(texts, executor=pool, model="nobody")


def test_a_stop_hangs_up_in_threads(quick) -> None:
    """What a worker of a pool of threads has begun is ended with the map, and the rest is never asked."""
    server = quick(latency=60)
    with ThreadPoolExecutor(2) as pool:
        results = ollama_magic.map("{{n}}", range(100), executor=pool, concurrency=4)
        until(lambda: server.now == 4)
        results.stop()
        until(lambda: server.left == 4)
    assert results.state == "stopped"
    assert server.total == 4


def test_a_worker_with_one_thread_keeps_its_server_busy(quick) -> None:
    """Slow rows come in batches large enough for every place of the server, and not one by one."""
    server = quick(latency=0.6, places=4)
    with ThreadPoolExecutor(1) as pool:
        ollama_magic.map("{{n}}", range(16), executor=pool).wait()
    assert server.most >= 4


class Cluster:
    """What has an executor, as a client of Dask has."""

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self.pool = pool

    def submit(self) -> None:
        """Return a future of another kind."""

    def get_executor(self) -> ThreadPoolExecutor:
        """The executor."""
        return self.pool


def test_a_client_stands_for_its_executor(quick) -> None:
    """`executor=client` is `executor=client.get_executor()`."""
    quick()
    with ThreadPoolExecutor(1) as pool:
        assert ollama_magic.map("{{n}}", range(3), executor=Cluster(pool)).values == ["0", "1", "2"]


@pytest.mark.filterwarnings("ignore")
def test_dask_workers_ask_the_server_of_their_own_machine(quick) -> None:
    """Two workers with a server each share the rows, a stop reaches both, and when one is killed its rows come."""
    distributed = pytest.importorskip("distributed")
    one, two = quick(latency=0.01), QuickServer(latency=0.01).start()
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=4, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        first, second = client.scheduler_info()["workers"]
        client.run(exec, f"import os; os.environ['OLLAMA_HOST'] = {one.url!r}", workers=[first])
        client.run(exec, f"import os; os.environ['OLLAMA_HOST'] = {two.url!r}", workers=[second])
        one.latency = two.latency = 60
        results = ollama_magic.map("slow {{n}}", range(300), executor=client, concurrency=2)
        until(lambda: one.now == two.now == 2)
        results.stop()
        until(lambda: one.left == two.left == 2)
        one.latency = two.latency = 0.01
        results = ollama_magic.map("{{n}}", range(300), executor=client.get_executor())
        until(lambda: one.total >= 10 and two.total >= 10)
        client.run(os._exit, 1, workers=[second], on_error="ignore")
        assert results.values == [str(number) for number in range(300)]
    two.stop()


def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds; fail after half a minute."""
    end = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < end, "it does not become so"
        time.sleep(0.01)
