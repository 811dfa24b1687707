"""When a stream is read: while its views rest it gathers, so that one wake-up reads several tokens."""

from __future__ import annotations

import asyncio
import time
from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ollama_magic.conversation.reply_views import ReplyViews

_AHEAD_S = 0.004  # what has gathered is read so long before the views are painted
_LONGEST_S = 0.05
_MANY = 64  # chunks read at once: nothing is gained by gathering more


class ReadPace:
    """Reads a stream in step with its views: it gathers while they rest, and makes way when they are due."""

    def __init__(self, views: ReplyViews) -> None:
        self._views = views
        self._loop = asyncio.get_running_loop()
        self._chunks = 0  # since the last wait
        self._marked = self._received = False

    @property
    def waits(self) -> bool:
        """Whether to `wait` before the next chunk is read; to be asked after each one."""
        self._chunks += 1
        if not self._marked:
            self._marked = True
            self._loop.call_soon(self._mark)
        return self._received or time.monotonic() > self._views.due

    async def wait(self) -> None:
        """Let the stream gather until just before the views are painted, or let them be painted."""
        rest = self._views.due - time.monotonic()
        if rest < 0:
            await asyncio.sleep(0)
        elif self._chunks < _MANY and _AHEAD_S < rest < inf:
            await asyncio.sleep(min(rest - _AHEAD_S, _LONGEST_S))
        self._chunks, self._received = 0, False

    def _mark(self) -> None:
        """Note that the loop came round: the next chunk was not received together with the one before."""
        self._marked, self._received = False, True
