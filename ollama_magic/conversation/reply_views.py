"""The views of one reply: each is painted at its own pace, and one may join in mid-answer."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from math import inf
from typing import TYPE_CHECKING

from ollama_magic.conversation.reply import RUNNING

if TYPE_CHECKING:
    from ollama_magic.conversation.interfaces import View
    from ollama_magic.conversation.reply import Reply

GATHER_S = 0.01  # from the first piece to its paint: a fast short answer is whole by then, and is sent once
TICK_S = 1.0  # how often a silent turn is painted, for its clock


class ReplyViews:
    """The views of one reply, the turn's own first; to be used on the loop only.

    `due` is when the next view has rested, by the monotonic clock; infinity if none rests.
    """

    def __init__(self, reply: Reply, view: View) -> None:
        self._reply = reply
        self._views = [view]
        self._painters: dict[asyncio.Event, asyncio.Task[None]] = {}
        self._due: dict[asyncio.Event, float] = {}  # until when each view rests
        self.due = inf
        self._closed = False

    def begin(self) -> None:
        """Start painting."""
        for view in self._views:
            self._start_painting(view)

    def join(self, view: View) -> None:
        """Add a view; after the end it only shows the final reply."""
        self._views.append(view)
        if self._closed:
            view.finish(self._reply)
        elif self._reply.state == RUNNING:
            self._start_painting(view)

    def notify(self) -> None:
        """Schedule a paint of every view."""
        for changed in self._painters:
            changed.set()

    async def close(self) -> None:
        """Stop painting."""
        for painter in self._painters.values():
            painter.cancel()
        for painter in self._painters.values():
            with suppress(asyncio.CancelledError):
                await painter

    def finish(self) -> None:
        """Settle every view."""
        self._closed = True
        for view in self._views:
            view.finish(self._reply)

    def refresh_settled(self) -> None:
        """Update every settled view."""
        for view in self._views:
            view.refresh_settled(self._reply)

    def _start_painting(self, view: View) -> None:
        changed = asyncio.Event()
        self._painters[changed] = asyncio.create_task(self._paint(view, changed))

    async def _paint(self, view: View, changed: asyncio.Event) -> None:
        begun = False
        while True:
            await self._sleep(changed, view.show(self._reply))
            await change(changed, TICK_S)
            if not begun and self._reply.status.first_at is not None:
                begun = True
                await self._sleep(changed, GATHER_S)
            changed.clear()

    async def _sleep(self, changed: asyncio.Event, seconds: float) -> None:
        self._due[changed] = time.monotonic() + seconds
        self.due = min(self._due.values())
        await asyncio.sleep(seconds)
        del self._due[changed]
        self.due = min(self._due.values(), default=inf)


async def change(changed: asyncio.Event, seconds: float) -> None:
    """Wait until the event is set; after `seconds` set it.

    Not `asyncio.wait_for`: on Python 3.11 it can swallow the cancellation of the waiting task.
    """
    tick = asyncio.get_running_loop().call_later(seconds, changed.set)
    await changed.wait()
    tick.cancel()
