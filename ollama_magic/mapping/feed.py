"""Prepares rows in small parts: prompts, keys, saved answers, duplicates. Only what is missing becomes a job."""

from __future__ import annotations

import asyncio
from hashlib import sha256
from typing import TYPE_CHECKING

from ollama_magic.errors import InputError
from ollama_magic.foreign import repaired
from ollama_magic.mapping.job_queue import JobQueue
from ollama_magic.mapping.outcome import Outcome, failed
from ollama_magic.mapping.saved_rows import outcome_of
from ollama_magic.mapping.task import Job
from ollama_magic.prompt.resolve import NotFilled
from ollama_magic.turns.turn_messages import user_message

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ollama_magic.mapping.saved_rows import RowKeys
    from ollama_magic.mapping.saving import Saving
    from ollama_magic.mapping.tally import Tally
    from ollama_magic.mapping.task import MapTask

FIRST, PART = 16, 500  # rows that are prepared at once: few at first, so that the first request goes out soon
AHEAD = 100  # jobs that are ready beyond those that are on their way
WITH_IMAGES = 8  # of both, where images are part of a job


class Feed(JobQueue):
    """The jobs of one model, in the order of the rows; to be used on the loop only."""

    def __init__(self, task: MapTask, keys: RowKeys, tally: Tally, saving: Saving, offset: int) -> None:
        super().__init__()
        self._task, self._keys, self._tally, self._saving, self._offset = task, keys, tally, saving, offset
        self._cells = task.rows.cells(task.template.columns)
        self._places: dict[bytes, list[int]] = {}  # of the keys that are asked for
        self._done: dict[bytes, Outcome] = {}  # of the keys that were asked for
        self._saved: set[bytes] = set()

    async def run(self, todo: Sequence[int]) -> None:
        """Prepare these rows, a part at a time."""
        light = self._task.attachments is None
        first, part, ahead = (FIRST, PART, AHEAD) if light else (WITH_IMAGES, WITH_IMAGES, WITH_IMAGES)
        start, size = 0, first
        while start < len(todo):
            await self._wait_for_room(ahead)
            await self._prepare(todo[start : start + size])
            start, size = start + size, min(2 * size, part)
            self.on_change()
            await asyncio.sleep(0)
        self._end()

    def answered_keys(self) -> set[bytes]:
        """Return the keys of the rows that have an answer in the store."""
        return self._saved | set(self._done)

    def finish(self, job: Job, outcome: Outcome) -> None:
        """Note how a job ended, for all of its rows."""
        places = self._places.pop(job.key)
        self._done[job.key] = outcome
        self._saving.finish(job.key, places, outcome)

    async def _prepare(self, rows: Sequence[int]) -> None:
        jobs = self._jobs(rows) if self._task.attachments is None else await asyncio.to_thread(self._jobs, rows)
        saved: dict[bytes, bytes] = {}
        store = self._task.store
        if store is not None and self._task.reads:
            keys = list(dict.fromkeys(job.key for _, job in jobs if isinstance(job, Job)))
            saved = await asyncio.to_thread(store.answers, keys)
        found: list[tuple[int, Outcome]] = []
        for place, job in jobs:
            if isinstance(job, Outcome):
                self._tally.finish([place], job)
                continue
            body = saved.get(job.key)
            outcome = outcome_of(body) if body is not None else None
            if outcome is not None:
                found.append((place, outcome))
                self._saved.add(job.key)
            else:
                self._ask(place, job)
        self._tally.finish_cached(found)

    def _jobs(self, rows: Sequence[int]) -> list[tuple[int, Job | Outcome]]:
        """Return place and job of each row; for one that cannot be filled, why."""
        return [(row + self._offset, self._job(self._cells[row])) for row in rows]

    def _job(self, cells: Mapping[str, object]) -> Job | Outcome:
        try:
            filled = self._task.template.fill(cells)
            self._tally.progress.note_cut(filled.cut)
            prompt = repaired(filled.text)
            if not prompt.strip():
                return failed("The prompt of this row is empty; nothing was sent.")
            if self._task.attachments is None:
                return Job(prompt, self._keys.of(prompt))
            message = user_message(prompt, self._task.attachments.of(cells, filled))
        except NotFilled as why:
            return failed(f"{why}; nothing was sent.")
        except InputError as error:
            return failed(error)
        hashes = [sha256(image).hexdigest() for image in message.images]
        return Job(message.content, self._keys.of(message.content, hashes), message.images)

    def _ask(self, place: int, job: Job) -> None:
        if job.key in self._places:  # a row like it is on its way
            self._places[job.key].append(place)
        elif job.key in self._done:
            self._saving.share(place, self._done[job.key])
        else:
            self._places[job.key] = [place]
            self.ready.append(job)
