"""Saves answers in small batches, and counts a row as finished when its answer is on the disk."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from ollama_magic.mapping.outcome import COMPLETE
from ollama_magic.mapping.saved_rows import body_of

if TYPE_CHECKING:
    from concurrent.futures import Future

    from ollama_magic.mapping.outcome import Outcome
    from ollama_magic.mapping.tally import Tally
    from ollama_magic.store.store import Store

GATHER_S = 0.004  # answers within that time are one commit
PATIENCE_S = 12.0  # a store that says nothing for so long has a problem, which it names itself
LOOK_S = 0.2

_STORE = "the store"  # among the problems of hosts
Answered = tuple[bytes, list[int], "Outcome"]


async def wait_for_disk(saved: asyncio.Future[Any], store: Store | None) -> None:
    """Wait until answers are on the disk, or their store has a problem, or says nothing for too long."""
    waited = 0.0
    while not saved.done() and waited < PATIENCE_S and not (store is None or store.problem):
        await asyncio.wait({saved}, timeout=LOOK_S)
        waited += LOOK_S


class Saving:
    """Hands answers to the store; to be used on the loop only."""

    def __init__(self, store: Store | None, tally: Tally) -> None:
        self._store, self._tally = store, tally
        self._gathered: list[Answered] = []
        self._commits: set[asyncio.Task[None]] = set()

    def finish(self, key: bytes, places: list[int], outcome: Outcome) -> None:
        """Note how the rows with this key ended; a complete answer is saved first."""
        if self._store is None or outcome.state != COMPLETE:
            self._tally.finish(places, outcome)
            return
        self._gathered.append((key, places, outcome))
        if len(self._gathered) == 1:
            asyncio.get_running_loop().call_later(GATHER_S, self.flush)

    def share(self, place: int, outcome: Outcome) -> None:
        """Note that another row has the same answer, which may still be on its way to the disk."""
        for _, places, known in self._gathered:
            if known is outcome:
                places.append(place)
                return
        self._tally.finish([place], outcome)

    def flush(self) -> None:
        """Begin to save what was gathered."""
        gathered, self._gathered = self._gathered, []
        if gathered and self._store is not None:
            saved = self._store.save_answers([(key, body_of(outcome)) for key, _, outcome in gathered])
            task = asyncio.ensure_future(self._commit(saved, gathered))
            self._commits.add(task)
            task.add_done_callback(self._commits.discard)

    async def drain(self) -> None:
        """Wait until everything is saved, or the store has said why not."""
        self.flush()
        while self._commits:
            await asyncio.wait(set(self._commits))

    async def _commit(self, saved: Future[None], gathered: list[Answered]) -> None:
        done = asyncio.wrap_future(saved)
        try:
            await wait_for_disk(done, self._store)
            if not done.done():
                self._note(gathered, self._store.problem if self._store is not None else "")
                done.add_done_callback(lambda _: self._late(gathered))
            elif (error := done.exception()) is not None:
                self._note(gathered, str(error))
        finally:
            for _, places, outcome in gathered:
                self._tally.finish(places, outcome)

    def _note(self, gathered: list[Answered], problem: str) -> None:
        progress = self._tally.progress
        progress.unsaved += sum(len(places) for _, places, _ in gathered)
        progress.problems[_STORE] = problem

    def _late(self, gathered: list[Answered]) -> None:
        """Note that answers are saved after all."""
        progress = self._tally.progress
        progress.unsaved -= sum(len(places) for _, places, _ in gathered)
        if not progress.unsaved:
            progress.problems[_STORE] = ""
