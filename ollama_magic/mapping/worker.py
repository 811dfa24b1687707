"""What runs in a worker of an executor: it asks the server of its own machine, at a pace that all batches share.

Everything that goes in and comes out can be pickled. A worker has a session of its own, configured by its environment.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections import deque
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any

from ollama_magic.conversation.session import Session
from ollama_magic.conversation.settings import Settings
from ollama_magic.display.map_progress import MapProgress
from ollama_magic.mapping.asking import now
from ollama_magic.mapping.hosts import Host
from ollama_magic.mapping.model_lookups import ModelLookups, first_that_can
from ollama_magic.mapping.model_pass import ModelPass
from ollama_magic.mapping.outcome import failed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ollama_magic.mapping.outcome import Outcome
    from ollama_magic.mapping.questions import Look, Question
    from ollama_magic.mapping.task import Job

STOPPED = "The map was stopped before this was answered."
REMEMBERED = 1000  # calls that were stopped, perhaps before they came


@dataclass(frozen=True)
class WorkerTask:
    """What a worker has to know beside the question and its jobs.

    Attributes:
        hosts: The servers; empty for the one that the worker's environment names.
        concurrency: Requests at once for each server; None to find out.
        timeout: Seconds for each job.
        needs: The capabilities that the model must have.
    """

    hosts: tuple[str, ...]
    concurrency: int | None
    timeout: float
    needs: frozenset[str]


def look_up(task: WorkerTask, look: Look, call: str) -> tuple[Question, str]:
    """Return what is to be asked, and the digest of the model, as this worker's server has it."""
    del call
    return _session().call(_look_up(task, look))


def ask_batch(task: WorkerTask, question: Question, jobs: Sequence[Job], call: str) -> tuple[list[Outcome], float]:
    """Return the outcome of each job, and the seconds that it took; no two calls have the same `call`."""
    began = now()
    return _session().call(_ask_batch(task, question, jobs, call)), now() - began


def stop_calls(calls: Sequence[str]) -> None:
    """Hang up what these calls wait for in this process, at once; those that come later are not begun."""
    if _session.cache_info().currsize:
        _session().loop_thread.call_soon(_stop_calls, calls)


async def _look_up(task: WorkerTask, look: Look) -> tuple[Question, str]:
    question, first = await first_that_can(_hosts(task), look.question)
    return question, await first.server.digest(question.model, fresh=True)


async def _ask_batch(task: WorkerTask, question: Question, jobs: Sequence[Job], call: str) -> list[Outcome]:
    key = json.dumps([question.depends_on, task.hosts, task.concurrency, task.timeout], default=str)
    if key not in _passes():
        _passes()[key] = _Shared(task, question)
    return await _passes()[key].ask(jobs, call)


def _stop_calls(calls: Sequence[str]) -> None:
    _stopped().extend(calls)
    for shared in _passes().values():
        shared.stop(calls)


class _Shared:
    """The one pass that all batches of a map share in this worker; it is also its feed."""

    ended = False

    def __init__(self, task: WorkerTask, question: Question) -> None:
        self.ready: deque[Job] = deque()
        self.on_change: Callable[[], None] = lambda: None
        self._task, self._question = task, question
        self._waiting: dict[Job, asyncio.Future[Outcome]] = {}
        self._calls: dict[str, list[Job]] = {}
        self._pass: ModelPass | None = None
        self._running: asyncio.Task[None] | None = None

    async def ask(self, jobs: Sequence[Job], call: str) -> list[Outcome]:
        """Return the outcomes of these jobs."""
        if call in _stopped():
            return [failed(STOPPED) for _ in jobs]
        if self._running is None or self._running.done():
            self._running = asyncio.ensure_future(self._run())
        loop = asyncio.get_running_loop()
        own = self._calls[call] = [replace(job) for job in jobs]  # of a pool of threads they are the caller's
        futures = [self._waiting.setdefault(job, loop.create_future()) for job in own]
        self.ready.extend(own)
        self.on_change()
        answered = asyncio.gather(*futures)
        everything: set[asyncio.Future[Any]] = {answered, self._running}
        try:
            await asyncio.wait(everything, return_when=asyncio.FIRST_COMPLETED)
        finally:
            del self._calls[call]
        if not answered.done():  # the pass has ended: the model cannot be asked
            answered.cancel()
            self._running.result()
        return list(await answered)

    def stop(self, calls: Sequence[str]) -> None:
        """Hang up what these calls wait for."""
        jobs = {job for call in calls for job in self._calls.get(call, ())}
        if jobs:
            self.ready = deque(job for job in self.ready if job not in jobs)
            if self._pass is not None:
                self._pass.drop(jobs)
            for job in jobs:
                self.finish(job, failed(STOPPED))

    async def run(self, todo: Sequence[int]) -> None:
        """Prepare nothing: batches come by themselves."""
        del todo
        await asyncio.Event().wait()

    def take(self) -> Job:
        """Return the next job."""
        return self.ready.popleft()

    def put_back(self, job: Job) -> None:
        """Put a job first."""
        self.ready.appendleft(job)
        self.on_change()

    def finish(self, job: Job, outcome: Outcome) -> None:
        """Hand the outcome to the batch that waits for it."""
        future = self._waiting.pop(job, None)
        if future is not None and not future.done():
            future.set_result(outcome)

    async def _run(self) -> None:
        task, question, hosts = self._task, self._question, _hosts(self._task)
        lookups = ModelLookups(hosts, MapProgress(0), task.needs)
        _, first = await first_that_can(hosts, lambda server: server.model_for(question.model, task.needs))
        await lookups.begin(question.model, first)
        self._pass = ModelPass(lookups, self, question.asks(), task.timeout)
        try:
            await self._pass.run(())
        finally:
            for job in list(self._waiting):
                self.finish(job, failed("The worker stopped before this row was answered."))


def _hosts(task: WorkerTask) -> list[Host]:
    servers = [_session().server(host) for host in task.hosts or (None,)]
    return [Host(server, now(), task.concurrency) for server in servers]


@cache
def _session() -> Session:
    return Session(lambda: Settings(environ=dict(os.environ)))


@cache
def _passes() -> dict[str, _Shared]:
    return {}


@cache
def _stopped() -> deque[str]:
    return deque(maxlen=REMEMBERED)


def _after_fork() -> None:
    """A child process has neither the loop nor its passes."""
    _session.cache_clear()
    _passes.cache_clear()
    _stopped.cache_clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
