"""Asks one model all rows that are missing: which host takes the next row, and what becomes of one that fails."""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import TYPE_CHECKING, Protocol

from ollama_magic.errors import OllamaMagicError, ServerUnreachable
from ollama_magic.log import log_fault
from ollama_magic.mapping.asking import TooLate, now
from ollama_magic.mapping.hosts import blame_of
from ollama_magic.mapping.outcome import failed

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Callable, Iterable, Sequence

    from ollama_magic.mapping.asking import Asks
    from ollama_magic.mapping.hosts import Host
    from ollama_magic.mapping.model_lookups import ModelLookups
    from ollama_magic.mapping.outcome import Outcome
    from ollama_magic.mapping.pace import Sent
    from ollama_magic.mapping.task import Job

_LOG = logging.getLogger("ollama_magic.mapping")
ATTEMPTS = 3  # of a row on whose way a server breaks off: it may be the row that ends it


class JobFeed(Protocol):
    """Where jobs come from, and where their outcomes go."""

    ready: deque[Job]
    ended: bool
    on_change: Callable[[], None]

    async def run(self, todo: Sequence[int], /) -> None:
        """Prepare these rows."""

    def take(self) -> Job:
        """Return the next job."""

    def put_back(self, job: Job, /) -> None:
        """Put a job first."""

    def finish(self, job: Job, outcome: Outcome, /) -> None:
        """Note how a job ended."""


class ModelPass:
    """One model's share of a map; to be used on the loop only.

    Args:
        lookups: The hosts, and whether they have the model.
        feed: The jobs.
        asks: Asks a server for the outcome of a job, within so many seconds.
        timeout: Seconds for each job.
    """

    def __init__(self, lookups: ModelLookups, feed: JobFeed, asks: Asks, timeout: float) -> None:
        self._lookups, self._feed, self._asks, self._timeout = lookups, feed, asks, timeout
        self._hosts = lookups.hosts
        self._asked: dict[Job, asyncio.Task[None]] = {}
        self._changed = asyncio.Event()
        feed.on_change = self._changed.set

    async def run(self, todo: Sequence[int]) -> None:
        """Ask for these rows; cancelling this closes every connection."""
        feeding = asyncio.ensure_future(self._feed.run(todo))
        try:
            while not (self._feed.ended and not self._feed.ready and not self._asked):
                if feeding.done():
                    feeding.result()
                self._changed.clear()
                free_at = self._send_all()
                if not self._asked and self._gave_up():
                    continue
                await self._wait(free_at)
        finally:
            running = [feeding, *self._asked.values()]
            for one in running:
                one.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    def drop(self, jobs: Iterable[Job]) -> None:
        """Close the connections of these jobs; nobody is notified of how they ended."""
        for job in jobs:
            if job in self._asked:
                self._asked[job].cancel()

    def _send_all(self) -> float:
        """Send what the hosts take now; return when one of them takes more, as far as is known."""
        while self._feed.ready:
            moment = now()
            host = min(self._hosts, key=lambda one: (one.free_at(moment), one.on_their_way))
            free_at = host.free_at(moment)
            if free_at > moment:
                return free_at
            job = self._feed.take()
            task = self._asked[job] = asyncio.ensure_future(self._ask(host, job, host.send(moment)))
            task.add_done_callback(partial(self._ended, job))
        return float("inf")

    def _ended(self, job: Job, task: asyncio.Task[None]) -> None:
        if self._asked.get(job) is task:
            del self._asked[job]
        self._changed.set()

    async def _wait(self, until: float) -> None:
        """Wait for a row that ends, a new one, or the moment at which a host takes more."""
        timer = None
        if until != float("inf"):
            timer = asyncio.get_running_loop().call_later(max(0.0, until - now()), self._changed.set)
        await self._changed.wait()
        if timer is not None:
            timer.cancel()

    async def _ask(self, host: Host, job: Job, sent: Sent) -> None:
        try:
            if not await self._lookups.has_model(host):
                self._feed.put_back(job)
                return
            outcome = await self._asks(host.server, job, max(0.01, self._timeout - job.spent))
        except OllamaMagicError as error:
            job.spent += now() - sent.at
            self._refused(host, job, error, sent)
        except Exception as error:  # noqa: BLE001 (a fault of our own fails its row, and no other)
            self._feed.finish(job, failed(log_fault(_LOG, error)))
        else:
            host.answered(now(), sent)
            self._feed.finish(job, outcome)
        finally:
            host.on_their_way -= 1
            self._report(host)

    def _refused(self, host: Host, job: Job, error: OllamaMagicError, sent: Sent) -> None:
        """Decide what becomes of a row that was not answered."""
        late, blame = isinstance(error, TooLate), blame_of(error, alone=len(self._hosts) == 1)
        if late:
            host.late(now(), sent, error)
        elif blame == "busy":
            host.busy(now(), sent, error)
        elif blame == "host":
            host.failed(now(), sent, error)
            job.attempts += not isinstance(error, ServerUnreachable)
        else:
            host.alive(now())
        job.error = str(error)
        if late or blame == "row" or job.attempts >= ATTEMPTS or job.spent >= self._timeout:
            self._feed.finish(job, failed(error, job.spent))
        else:
            self._feed.put_back(job)

    def _gave_up(self) -> bool:
        """Fail what is ready if no host is to be expected to answer; return whether that was so."""
        moment = now()
        if not self._feed.ready or not all(host.is_lost(moment, self._timeout) for host in self._hosts):
            return False
        why = next((host.problem for host in self._hosts if host.problem), "no server answers")
        while self._feed.ready:
            job = self._feed.take()
            self._feed.finish(job, failed(job.error or f"Not asked: {why}"))
        return True

    def _report(self, host: Host) -> None:
        self._lookups.progress.problems[host.name] = host.problem
