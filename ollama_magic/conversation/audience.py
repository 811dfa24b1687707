"""Those who watch one reply: each view is painted at a pace of its own, and one may join in mid-answer."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from ollama_magic.conversation.reply import RUNNING

if TYPE_CHECKING:
    from ollama_magic.conversation.reply import Reply
    from ollama_magic.conversation.seams import View

GATHER_S = 0.03  # from the first piece to its paint: a fast short answer is whole by then, and is sent once
TICK_S = 1.0  # how often a silent turn is painted, for its clock


class Audience:
    """The views of one reply, the turn's own first. Everything here happens on the loop."""

    def __init__(self, reply: Reply, view: View) -> None:
        self._reply = reply
        self._views = [view]
        self._painters: dict[asyncio.Event, asyncio.Task[None]] = {}
        self._left = False

    def begin(self) -> None:
        """Paint from now on."""
        for view in self._views:
            self._seat(view)

    def join(self, view: View) -> None:
        """Watch too; who comes after the end sees the end."""
        self._views.append(view)
        if self._left:
            view.finish(self._reply)
        elif self._reply.state == RUNNING:
            self._seat(view)

    def set(self) -> None:
        """Say that something has changed."""
        for changed in self._painters:
            changed.set()

    async def leave(self) -> None:
        """Paint no more."""
        for painter in self._painters.values():
            painter.cancel()
        for painter in self._painters.values():
            with suppress(asyncio.CancelledError):
                await painter

    def finish(self) -> None:
        """Have every view settle."""
        self._left = True
        for view in self._views:
            view.finish(self._reply)

    def again(self) -> None:
        """Have every view settle once more."""
        for view in self._views:
            view.again(self._reply)

    def _seat(self, view: View) -> None:
        changed = asyncio.Event()
        self._painters[changed] = asyncio.create_task(_paint(view, self._reply, changed))


async def change(changed: asyncio.Event, seconds: float) -> None:
    """Wait for a change, so many seconds at most; then the event is set too.

    `asyncio.wait_for` would not do: on Python 3.11 it can swallow the cancellation of who waits.
    """
    tick = asyncio.get_running_loop().call_later(seconds, changed.set)
    await changed.wait()
    tick.cancel()


async def _paint(view: View, reply: Reply, changed: asyncio.Event) -> None:
    begun = False
    while True:
        rest = view.show(reply)
        await asyncio.sleep(rest)
        await change(changed, TICK_S)
        if not begun and reply.first_at is not None:
            begun = True
            await asyncio.sleep(GATHER_S)
        changed.clear()
