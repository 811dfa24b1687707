"""One run of a map, from the look-ups to its last row: the models one after the other."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from ollama_magic.conversation.request import model_asked
from ollama_magic.errors import OllamaMagicError
from ollama_magic.log import log_fault
from ollama_magic.mapping.asking import now, read_answer
from ollama_magic.mapping.batches import Batches
from ollama_magic.mapping.feed import Feed
from ollama_magic.mapping.hosts import Host
from ollama_magic.mapping.model_lookups import ModelLookups, first_that_can
from ollama_magic.mapping.model_pass import ModelPass
from ollama_magic.mapping.outcome import COMPLETE
from ollama_magic.mapping.questions import RowLook
from ollama_magic.mapping.saved_rows import RowKeys
from ollama_magic.mapping.saving import Saving
from ollama_magic.mapping.worker import WorkerTask
from ollama_magic.ollama.protocol import ChatChunk
from ollama_magic.ollama.stats import Stats

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ollama_magic.mapping.outcome import Outcome
    from ollama_magic.mapping.tally import Tally
    from ollama_magic.mapping.task import MapTask

_LOG = logging.getLogger("ollama_magic.mapping")


class MapRun:
    """Asks for the rows that are missing; `models` are the names that answered, once they are known."""

    def __init__(self, task: MapTask, tally: Tally) -> None:
        self.models = list(task.models)
        self._task, self._tally = task, tally
        self._feeds: list[Feed] = []

    async def run(self, places: Sequence[int]) -> None:
        """Ask for these places; cancelling this keeps what is done, and closes every connection.

        Raises:
            OllamaMagicError: Nothing could be asked at all.
        """
        count, saving = len(self._task.rows), Saving(self._task.store, self._tally)
        _LOG.info("a map of %d rows begins, %d places to go", count, len(places))
        try:
            await self._look_up_all()
            for number, model in enumerate(self._task.models or (None,)):
                todo = _of_model(places, number, count)
                if todo:
                    await self._one_model(number, model, todo, saving)
        except OllamaMagicError:
            raise
        except Exception as error:  # noqa: BLE001 (no foreign exception leaves the package)
            raise OllamaMagicError(log_fault(_LOG, error)) from None
        finally:
            await saving.drain()
            _LOG.info("the map ends: %s", self._tally.progress.counts)

    def keys(self) -> set[bytes]:
        """Return the keys of all rows that were prepared."""
        return {key for feed in self._feeds for key in feed.answered_keys()}

    async def _look_up_all(self) -> None:
        """Refuse a name among several before the first of them is asked anything."""
        task = self._task
        for model in task.models if len(task.models) > 1 and task.executor is None else ():
            look = RowLook(replace(task.plan, model=model), task.conversation)
            await first_that_can([Host(server, now(), task.concurrency) for server in task.servers], look.question)

    async def _one_model(self, number: int, model: str | None, todo: Sequence[int], saving: Saving) -> None:
        task, tally = self._task, self._tally
        hosts = [Host(server, now(), task.concurrency) for server in task.servers]
        lookups = ModelLookups(hosts, tally.progress, task.plan.needs)
        asked = replace(task.plan, model=model or task.plan.model)
        if task.executor is not None:
            worker_task = WorkerTask(task.hosts, task.concurrency, task.timeout, task.plan.needs)
            batches = Batches(task.executor, worker_task, self._validated)
            named = model_asked(asked, task.conversation)
            question, digest = await batches.look_up(RowLook(replace(asked, model=named, answer_format=None)))
        else:
            question, first = await first_that_can(hosts, RowLook(asked, task.conversation).question)
            digest = await lookups.begin(question.model, first)
        if len(self.models) <= number:
            self.models.append(question.model)
        feed = Feed(task, RowKeys(question.depends_on, digest), tally, saving, number * len(task.rows))
        self._feeds.append(feed)
        if task.executor is not None:
            await batches.run(question, feed, todo)
        else:
            await ModelPass(lookups, feed, question.asks(task.answer_format), task.timeout).run(todo)

    def _validated(self, outcome: Outcome) -> Outcome:
        """Validate an answer of a worker: types of this notebook are not known there."""
        answer_format = self._task.answer_format
        if outcome.state != COMPLETE or answer_format is None:
            return outcome
        stats = Stats(answer_tokens=outcome.tokens)
        chunk = ChatChunk(outcome.text, done=True, done_reason=outcome.reason, stats=stats)
        return read_answer(chunk, answer_format, outcome.seconds)


def _of_model(places: Sequence[int], number: int, count: int) -> Sequence[int]:
    """Return the rows of one model among places."""
    if isinstance(places, range):  # all of them: thousands need no list
        return range(count)
    return [place - number * count for place in places if place // max(1, count) == number]
