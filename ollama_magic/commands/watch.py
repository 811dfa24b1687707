"""Follows what the server does for minutes, a pull or a create, in a view that the cell holds; ■ and Stop end it."""

from __future__ import annotations

import asyncio
from concurrent.futures import TimeoutError as NotYet
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, Any

from ollama_magic.conversation.reply import COMPLETE, CUT, FAILED, RUNNING, STOPPED
from ollama_magic.errors import AnswerCut, OllamaMagicError, ServerError, TurnStopped
from ollama_magic.loop_thread import interrupts_held, wait_for

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from concurrent.futures import Future

    from ollama_magic.display.guarded import Shows
    from ollama_magic.display.transfer import Transfer
    from ollama_magic.loop_thread import LoopThread
    from ollama_magic.ollama.requests import Progress

FINISH_S = 0.8  # how long ■ waits until the end is shown: the prompt is promised within 1 s (design §7.2)
AGAIN_S = 0.2  # until a stop that was not heard is said again
TICK_S = 0.5  # while nothing changes, the clock does


class Watch:
    """One transfer, from its start in the cell to its end; `again` says what running it again does."""

    def __init__(self, transfer: Transfer, view: Shows[Transfer], loop_thread: LoopThread, again: str) -> None:
        self.transfer = transfer
        self._view = view
        self._loop_thread = loop_thread
        self._again = again
        self._stopping = False
        self._task: asyncio.Task[None] | None = None

    def run(self, lines: AsyncGenerator[Progress, None]) -> None:
        """Open the view in this cell and wait for the end; raise the one line that says why it is not done."""
        future: Future[None] | None = None
        try:
            with interrupts_held():
                self._view.begin(self.transfer, self.stop)
                future = self._loop_thread.start(self._follow(lines))
            wait_for(future)
        except KeyboardInterrupt:
            self.stop()
            with suppress(NotYet, KeyboardInterrupt):
                if future is not None:
                    future.result(timeout=FINISH_S)
            raise self._stopped() from None
        if self.transfer.state == STOPPED:
            raise self._stopped()
        if self.transfer.error is not None:
            raise self.transfer.error

    def stop(self) -> None:
        """Stop it, from any thread; a second call changes nothing."""
        if not self._stopping:
            self._stopping = True
            self._loop_thread.call_soon(self._cancel)

    def _stopped(self) -> TurnStopped:
        if self.transfer.state == COMPLETE:
            return TurnStopped(f"Stopped; {self.transfer.name} {self.transfer.done} by then.")
        return TurnStopped(f"Stopped; {self._again}.")

    def _cancel(self) -> None:
        if self._task is not None and not self._task.done() and self.transfer.state == RUNNING:
            self._task.cancel()
            self._task.get_loop().call_later(AGAIN_S, self._cancel)

    async def _follow(self, lines: AsyncGenerator[Progress, None]) -> None:
        self._task = asyncio.current_task()
        changed = asyncio.Event()
        painter = asyncio.ensure_future(self._paint(changed))
        try:
            if not self._stopping:
                await self._take_all(lines, changed)
                self._end(CUT, AnswerCut(f"The server broke off without a word; {self._again}."))
        except asyncio.CancelledError:
            self._end(STOPPED)
        except OllamaMagicError as error:
            self._end(FAILED, error)
        except Exception as error:  # noqa: BLE001 (it is told, as one line)
            self._end(FAILED, OllamaMagicError(f"ollama_magic itself failed, please report it: {error!r}"))
        finally:
            self._end(STOPPED)
            painter.cancel()
            await asyncio.gather(painter, return_exceptions=True)
            self._view.finish(self.transfer)

    async def _take_all(self, lines: AsyncGenerator[Progress, None], changed: asyncio.Event) -> None:
        async with aclosing(lines):
            async for line in lines:
                if line.error:
                    raise self._failed(line.error)
                if line.cut:
                    self._end(CUT, AnswerCut(f"This broke off: {line.cut}; {self._again}."))
                    return
                self.transfer.take(line)
                changed.set()
                if line.done:
                    self._end(COMPLETE)
                    return

    def _failed(self, words: str) -> ServerError:
        """What the server said in mid-stream, with what to do; what came is kept even then."""
        kept = f"; then {self._again}" if self.transfer.layers else ""
        return ServerError(f"The server failed: {words.rstrip('.')}{kept}.")

    def _end(self, state: str, error: Exception | None = None) -> None:
        self.transfer.end(state, error)

    async def _paint(self, changed: asyncio.Event) -> None:
        while True:
            await asyncio.sleep(self._view.show(self.transfer))
            # Not wait_for: on Python 3.11 it can swallow the cancellation that ends this task.
            tick = asyncio.get_running_loop().call_later(TICK_S, changed.set)
            await changed.wait()
            tick.cancel()
            changed.clear()


def watch(here: Any, transfer: Transfer, lines: AsyncGenerator[Progress, None], again: str) -> None:
    """Follow a transfer in the cell that runs."""
    from ollama_magic.display.progress import open_progress

    Watch(transfer, open_progress(here.display), here.session.loop_thread, again).run(lines)
