"""Texts on their way to vectors: what is saved is read, the rest is asked for in batches, each text once."""

from __future__ import annotations

import asyncio
import sys
from array import array
from typing import TYPE_CHECKING

from ollama_magic.mapping.job_queue import JobQueue
from ollama_magic.mapping.outcome import COMPLETE, Outcome
from ollama_magic.mapping.saving import wait_for_disk
from ollama_magic.mapping.task import TextsJob

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ollama_magic.mapping.saved_rows import RowKeys
    from ollama_magic.mapping.tally import Tally
    from ollama_magic.mapping.task import Job
    from ollama_magic.store.store import Store

TEXTS = 64  # of one request
PART = 512  # texts that are prepared at once
AHEAD = 64  # batches that are ready

Text = tuple[bytes, str]  # with its key


class TextFeed(JobQueue):
    """The batches of one model; to be used on the loop only.

    Attributes:
        flat: The vectors of all texts, one behind the other.
        width: The length of a vector, 0 while it is not known.
        problem: Why a batch failed; nothing more is asked for then.
    """

    def __init__(self, texts: Sequence[str], keys: RowKeys, tally: Tally, store: Store | None, *, reads: bool) -> None:
        super().__init__()
        self.flat, self.width, self.problem = array("f"), 0, ""
        self._texts, self._keys, self._tally, self._store, self._reads = texts, keys, tally, store, reads
        self._places: dict[bytes, list[int]] = {}
        self._known: dict[bytes, int] = {}  # a place that has the vector of a key
        self._gathered: list[Text] = []
        self._saved: set[asyncio.Future[None]] = set()

    async def run(self, todo: Sequence[int]) -> None:
        """Prepare these texts, a part at a time."""
        for start in range(0, len(todo), PART):
            await self._wait_for_room(AHEAD)
            if self.problem:
                break
            await self._prepare(todo[start : start + PART])
            self.on_change()
        self._flush()
        self._end()

    def finish(self, job: Job, outcome: Outcome) -> None:
        """Note the vectors of a batch, and save them; a failure ends it all."""
        assert isinstance(job, TextsJob)
        if outcome.state != COMPLETE:
            self.problem = self.problem or outcome.error
            self.ready.clear()
            self._taken.set()
            return
        vectors: list[array[float]] = outcome.found()
        if self._store is not None:
            answers = [(key, packed(vector)) for (key, _), vector in zip(job.texts, vectors, strict=True)]
            saved = asyncio.wrap_future(self._store.save_answers(answers))
            self._saved.add(saved)
            saved.add_done_callback(self._ended_saving)
        self._tally.progress.tokens += outcome.tokens or 0
        for (key, _), vector in zip(job.texts, vectors, strict=True):
            self._place(key, self._places.pop(key), vector, cached=False)

    async def drain(self) -> None:
        """Wait until every vector is saved, or the store has said why not."""
        if self._saved:
            await wait_for_disk(asyncio.gather(*self._saved, return_exceptions=True), self._store)

    def _ended_saving(self, saved: asyncio.Future[None]) -> None:
        self._saved.discard(saved)
        if not saved.cancelled():
            saved.exception()  # the store tells its problem itself

    async def _prepare(self, places: Sequence[int]) -> None:
        keyed = [(place, self._keys.of(self._texts[place])) for place in places]
        saved: dict[bytes, bytes] = {}
        if self._store is not None and self._reads:
            saved = await asyncio.to_thread(self._store.answers, list({key for _, key in keyed}))
        for place, key in keyed:
            if key in self._known:
                start = self._known[key] * self.width
                self._place(key, [place], self.flat[start : start + self.width], cached=False)
            elif key in self._places:
                self._places[key].append(place)
            elif (body := saved.get(key)) is not None and len(body) % 4 == 0:
                self._place(key, [place], unpacked(body), cached=True)
            else:
                self._places[key] = [place]
                self._gathered.append((key, self._texts[place]))
                if len(self._gathered) == TEXTS:
                    self._flush()

    def _flush(self) -> None:
        if self._gathered and not self.problem:
            self.ready.append(TextsJob("", b"", texts=tuple(self._gathered)))
        self._gathered = []

    def _place(self, key: bytes, places: list[int], vector: array[float], *, cached: bool) -> None:
        if not self.width:
            self.width = len(vector)
            self.flat = array("f", bytes(4 * self.width * len(self._texts)))
        if len(vector) != self.width:
            self.problem = self.problem or "The server sent vectors of different lengths; name one model for all."
            return
        for place in places:
            self.flat[place * self.width : (place + 1) * self.width] = vector
        self._known[key] = places[0]
        self._tally.finish(places, Outcome(COMPLETE, cached=cached))


def packed(vector: array[float]) -> bytes:
    """Return a vector as little-endian bytes."""
    if sys.byteorder == "big":
        vector = vector[:]
        vector.byteswap()
    return vector.tobytes()


def unpacked(body: bytes) -> array[float]:
    """Return the vector that was saved."""
    vector = array("f", body)
    if sys.byteorder == "big":
        vector.byteswap()
    return vector
