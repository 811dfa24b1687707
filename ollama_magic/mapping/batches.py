"""Hands batches of jobs to an executor, such as Dask's: jobs out, outcomes back, the store stays with this process."""

from __future__ import annotations

import asyncio
import secrets
from concurrent.futures import CancelledError
from typing import TYPE_CHECKING, Any

from ollama_magic.errors import OllamaMagicError
from ollama_magic.foreign import one_line
from ollama_magic.mapping.asking import now
from ollama_magic.mapping.executors import run_in_workers
from ollama_magic.mapping.outcome import failed
from ollama_magic.mapping.worker import ask_batch, look_up, stop_calls

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Executor, Future

    from ollama_magic.mapping.model_pass import JobFeed
    from ollama_magic.mapping.outcome import Outcome
    from ollama_magic.mapping.questions import Look, Question
    from ollama_magic.mapping.task import Job
    from ollama_magic.mapping.worker import WorkerTask

FIRST, MOST = 4, 64  # jobs of a batch
BEGIN, AT_ONCE = 4, 1024  # batches that are handed out
BATCH_S = 1.0  # seconds that a batch should take: short, so that progress is seen and a stop waits for little
ROUNDS = 2  # a server that takes several at once stays busy if a batch has more of them than it takes
LEAST_BUSY, MOST_BUSY = 0.45, 0.75  # the share of its time that a batch is in a worker: it waits a little for one
LIVES = 2  # how often a batch is handed out if its worker dies


class Batches:
    """The jobs of one model on their way through an executor; to be used on the loop only.

    Args:
        executor: What runs them.
        worker_task: What a worker has to know beside the question.
        read: Makes the outcome of a job of what a worker returns.
    """

    def __init__(
        self, executor: Executor, worker_task: WorkerTask, read: Callable[[Outcome], Outcome] = lambda outcome: outcome
    ) -> None:
        self._executor, self._worker_task, self._read = executor, worker_task, read
        self._size, self._at_once = FIRST, BEGIN
        self._running: set[asyncio.Task[None]] = set()
        self._calls: set[str] = set()  # that are handed out
        self._changed = asyncio.Event()

    async def look_up(self, look: Look) -> tuple[Any, str]:
        """Return what is to be asked, and the model's digest, as a worker's server has it."""
        try:
            found: tuple[Question, str] = await self._submit(look_up, look)
        except OllamaMagicError:
            raise
        except Exception as error:  # noqa: BLE001 (whatever an executor's library raises)
            raise OllamaMagicError(_died(error)) from None
        return found

    async def run(self, question: Question, feed: JobFeed, todo: Sequence[int]) -> None:
        """Ask for these places; cancelling this hangs up, where the executor can be reached."""
        feed.on_change = self._changed.set
        feeding = asyncio.ensure_future(feed.run(todo))
        try:
            while not (feed.ended and not feed.ready and not self._running):
                if feeding.done():
                    feeding.result()
                self._changed.clear()
                while feed.ready and len(self._running) < self._at_once:
                    self._begin(question, feed)
                await self._changed.wait()
        finally:
            self._stop_workers()
            running = [feeding, *self._running]
            for one in running:
                one.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    def _begin(self, question: Question, feed: JobFeed) -> None:
        size = self._size
        if feed.ended:  # the last batches are smaller, so that all workers end together
            size = max(1, min(size, len(feed.ready) // self._at_once))
        jobs = [feed.take() for _ in range(min(size, len(feed.ready)))]
        task = asyncio.ensure_future(self._ask(question, feed, jobs))
        self._running.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._changed.set()

    async def _ask(self, question: Question, feed: JobFeed, jobs: list[Job]) -> None:
        problem = ""
        for _ in range(LIVES):
            began = now()
            try:
                outcomes, seconds = await self._submit(ask_batch, question, jobs)
            except OllamaMagicError as error:
                problem = str(error)
                break
            except Exception as error:  # noqa: BLE001 (whatever an executor's library raises)
                problem = _died(error)
                continue
            self._learn(outcomes, seconds, now() - began)
            for job, outcome in zip(jobs, outcomes, strict=True):
                feed.finish(job, self._read(outcome))
            return
        for job in jobs:
            feed.finish(job, failed(problem))

    def _learn(self, outcomes: list[Outcome], seconds: float, handed_out: float) -> None:
        """Make batches as long as a stop may wait for them, and hand out so many that some wait for a worker."""
        of_one = sum(outcome.seconds for outcome in outcomes) / len(outcomes)
        fitting = int(len(outcomes) * max(BATCH_S, ROUNDS * of_one) / max(seconds, 0.01))
        self._size = max(1, min(MOST, fitting, 2 * self._size))
        if seconds > MOST_BUSY * handed_out and len(self._running) >= self._at_once:
            self._at_once = min(AT_ONCE, self._at_once + 1)
        elif seconds < LEAST_BUSY * handed_out:
            self._at_once = max(2, self._at_once - 1)

    async def _submit(self, function: Any, *arguments: object) -> Any:
        """Hand a call out, with a name that no other call has: Dask takes equal calls for one."""
        call = secrets.token_hex(8)
        try:
            future: Future[Any] = self._executor.submit(function, *(self._worker_task, *arguments, call))
        except Exception as error:  # noqa: BLE001 (whatever an executor's library raises)
            raise OllamaMagicError(f"The executor takes no more work ({_named(error)}); start it anew.") from None
        self._calls.add(call)
        running = asyncio.wrap_future(future)
        try:
            await asyncio.wait({running})
        finally:
            self._calls.discard(call)
            running.cancel()
        if running.cancelled():  # by the executor, and not by a stop of the map
            raise CancelledError("it was cancelled")
        return running.result()

    def _stop_workers(self) -> None:
        """Hang up in the workers that can be reached: threads of this process, and those of Dask."""
        calls = list(self._calls)
        if calls:
            stop_calls(calls)
            asyncio.get_running_loop().run_in_executor(None, run_in_workers, self._executor, stop_calls, calls)


def _died(error: BaseException) -> str:
    return f"The worker that had this row ended ({_named(error)}); run this again for the rows that are missing."


def _named(error: BaseException) -> str:
    said = one_line(str(error), 120).rstrip(".")
    return f"{type(error).__name__}: {said}" if said else type(error).__name__
