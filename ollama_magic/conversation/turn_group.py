"""The turns that one prompt starts with several models: they share the conversation, and one of them is remembered."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ollama_magic.conversation.reply import COMPLETE, RUNNING, Reply
from ollama_magic.foreign import one_line

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable


class TurnGroup:
    """What turns asked side by side have in common; to be used on the loop only, apart from `replies` and `refresh`.

    Args:
        size: How many turns there are.
        refresh: Shows, from any thread, which of the answers is remembered now.
    """

    def __init__(self, size: int, refresh: Callable[[], None]) -> None:
        self.size, self.refresh = size, refresh
        self.number = 0  # of the first turn that began: the group's number in the journal
        self.replies: list[Reply] = []  # in the order in which they were asked
        self._ended = self._left = 0
        self._holds = asyncio.Event()
        self._holder: asyncio.Task[None] | None = None

    @property
    def holds(self) -> bool:
        """Whether the group holds the conversation."""
        return self._holds.is_set()

    @asynccontextmanager
    async def hold(self, lock: asyncio.Lock) -> AsyncIterator[None]:
        """Hold the conversation's lock together: from when it is free until the last turn of the group has left."""
        self._holder = self._holder or asyncio.create_task(self._hold(lock))
        try:
            await self._holds.wait()
            yield
        finally:
            self._left += 1
            self._let_go()

    def shrink(self, size: int) -> None:
        """Note that only so many turns have started."""
        self.size = size
        self._let_go()

    def _let_go(self) -> None:
        if self._holder is not None and self._left >= self.size:
            self._holder.cancel()

    async def _hold(self, lock: asyncio.Lock) -> None:
        async with lock:
            self._holds.set()
            await asyncio.Event().wait()  # until it is cancelled

    def say_who_waits(self) -> None:
        """Write into each reply that its server is silent, and answers another one of the group meanwhile."""
        for reply in self.replies:
            if reply.state == RUNNING and reply.request is not None and reply.status.headers_at is None:
                names = [one_line(one.model, 80) for one in self.replies if one.host == reply.host and _streams(one)]
                reply.status.waiting = f"waiting while {names[0]} answers" if names else ""

    def end_one(self) -> bool:
        """Note that one of the turns has ended; return whether it was the last."""
        self._ended += 1
        return self._ended == self.size

    @property
    def empty(self) -> bool:
        """Whether nothing came of any of the turns."""
        return not any(reply.state == COMPLETE or reply.text_parts for reply in self.replies)

    @property
    def remembered(self) -> Reply | None:
        """The reply that is remembered, None before all have ended."""
        return next((reply for reply in self.replies if reply.status.remembered), None)

    def remember(self, column: int) -> Reply:
        """Note which column is remembered, from 1, and return its reply."""
        for place, reply in enumerate(self.replies, 1):
            reply.status.remembered = place == column
        return self.replies[column - 1]


@dataclass(frozen=True)
class Beside:
    """A turn's place in a group; columns are counted from 1."""

    group: TurnGroup
    column: int


def _streams(reply: Reply) -> bool:
    return reply.state == RUNNING and reply.status.headers_at is not None
