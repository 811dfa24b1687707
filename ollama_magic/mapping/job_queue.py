"""The jobs that are ready: a feed puts them in, hosts take them, and a feed that is far ahead waits."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from ollama_magic.mapping.task import Job


class JobQueue:
    """Jobs in their order; to be used on the loop only.

    Attributes:
        ready: The jobs that may be taken.
        ended: Whether no more of them will come.
        on_change: Is called when there may be something new to take.
    """

    def __init__(self) -> None:
        self.ready: deque[Job] = deque()
        self.ended = False
        self.on_change: Callable[[], None] = lambda: None
        self._taken = asyncio.Event()

    def take(self) -> Job:
        """Return the next job."""
        self._taken.set()
        return self.ready.popleft()

    def put_back(self, job: Job) -> None:
        """Put a job first: it is to be asked once more."""
        self.ready.appendleft(job)
        self.on_change()

    async def _wait_for_room(self, ahead: int) -> None:
        """Wait until at most so many jobs are ready."""
        while len(self.ready) > ahead:
            self._taken.clear()
            await self._taken.wait()

    def _end(self) -> None:
        self.ended = True
        self.on_change()
