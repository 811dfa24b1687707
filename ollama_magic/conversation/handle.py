"""A turn on its way, as the main thread and the Stop button hold it."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future, TimeoutError as NotYet
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ollama_magic.conversation.reply import COMPLETE, RUNNING, Reply
from ollama_magic.errors import TurnStopped
from ollama_magic.loop_thread import wait_for

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from ollama_magic.conversation.turn import RunningTurn
    from ollama_magic.loop_thread import LoopThread

FINISH_S = 0.8  # how long ■ waits for a stopped turn to settle: the prompt is promised within 1 s (design §7.2)
AGAIN_S = 0.2  # until a stop that was not heard is said again


class TurnHandle:
    """A turn on its way, as the main thread and the Stop button hold it."""

    def __init__(self, reply: Reply, loop_thread: LoopThread, cell: str | None = None) -> None:
        self.reply = reply
        self.cell = cell
        self.turn: RunningTurn | None = None  # from the moment that it is on its way
        self._loop_thread = loop_thread
        self._stopping = False
        self._task: asyncio.Task[Any] | None = None
        self._future: Future[Reply] | None = None

    def run(self, coroutine: Coroutine[Any, Any, Reply]) -> None:
        """Start the turn; a stop cancels its task and never the future, which would not let it finish (style.md §3)."""
        self._future = self._loop_thread.start(self._known(coroutine))

    def stop(self) -> None:
        """Stop the turn, from any thread; the text so far is kept. A second call changes nothing."""
        if not self._stopping:
            self._stopping = True
            self._loop_thread.call_soon(self._cancel)

    def wait(self) -> Reply:
        """Wait for a complete reply; raise TurnStopped, or the one line that says why there is none.

        After ■ that is TurnStopped even if the answer was complete by then, so that queued cells are aborted.
        """
        try:
            wait_for(self._running())
        except KeyboardInterrupt:
            self.stop()
            with suppress(KeyboardInterrupt):
                self.settle()
        else:
            if self.reply.state == COMPLETE:
                return self.reply
        raise self.reply.error or self._stopped()

    def settle(self, seconds: float = FINISH_S) -> None:
        """Wait until the turn is remembered and shown; a second ■ gives up waiting, not the turn."""
        with suppress(NotYet):
            self._running().result(timeout=seconds)

    def _stopped(self) -> TurnStopped:
        if self.reply.state == COMPLETE:
            return TurnStopped("Stopped; the answer was complete by then.")
        kept = "the text so far is kept" if self.reply.text_parts else "no text had come, so nothing is remembered"
        return TurnStopped(f"Stopped; {kept}.")

    def _running(self) -> Future[Reply]:
        assert self._future is not None, "a handle waits only for a turn that runs"
        return self._future

    async def _known(self, coroutine: Coroutine[Any, Any, Reply]) -> Reply:
        self._task = asyncio.current_task()
        if self._stopping:
            self._cancel()
        return await coroutine

    def _cancel(self) -> None:
        """Cancel until it is heard: before Python 3.12 `wait_for` loses a cancellation that comes with its result."""
        if self._task is not None and not self._task.done() and self.reply.state == RUNNING:
            self._task.cancel()
            self._task.get_loop().call_later(AGAIN_S, self._cancel)
