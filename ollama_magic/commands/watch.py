"""Follows what the server does for minutes, a pull or a create, in a view that the cell holds; ■ and Stop end it."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, Any

from ollama_magic.conversation.audience import change
from ollama_magic.conversation.reply import COMPLETE, CUT, FAILED, RUNNING, STOPPED
from ollama_magic.errors import AnswerCut, OllamaMagicError, ServerError, TurnStopped
from ollama_magic.loop_thread import Stoppable, interrupts_held

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from ollama_magic.display.guarded import Shows
    from ollama_magic.display.transfer import Transfer
    from ollama_magic.loop_thread import LoopThread
    from ollama_magic.ollama.requests import Progress

TICK_S = 0.5  # while nothing changes, the clock does


class Watch:
    """One transfer, from its start in the cell to its end; `again` says what running it again does."""

    def __init__(self, transfer: Transfer, view: Shows[Transfer], loop_thread: LoopThread, again: str) -> None:
        self.transfer = transfer
        self._view = view
        self._again = again
        self._task = Stoppable[None](loop_thread, lambda: transfer.state == RUNNING)

    def run(self, lines: AsyncGenerator[Progress, None]) -> None:
        """Open the view in this cell and wait for the end; raise the one line that says why it is not done."""
        try:
            with interrupts_held():
                self._view.begin(self.transfer, self.stop)
                self._task.start(self._follow(lines))
            self._task.wait()
        except KeyboardInterrupt:
            self.stop()
            with suppress(KeyboardInterrupt):
                self._task.settle()
            raise self._stopped() from None
        if self.transfer.state == STOPPED:
            raise self._stopped()
        if self.transfer.error is not None:
            raise self.transfer.error

    def stop(self) -> None:
        """Stop it, from any thread; a second call changes nothing."""
        self._task.stop()

    def _stopped(self) -> TurnStopped:
        if self.transfer.state == COMPLETE:
            return TurnStopped(f"Stopped; {self.transfer.name} {self.transfer.done} by then.")
        return TurnStopped(f"Stopped; {self._again}.")

    async def _follow(self, lines: AsyncGenerator[Progress, None]) -> None:
        changed = asyncio.Event()
        painter = asyncio.ensure_future(self._paint(changed))
        try:
            await asyncio.sleep(0)  # a stop that came before is felt here, and the server asked for nothing
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
            await change(changed, TICK_S)
            changed.clear()


def watch(here: Any, transfer: Transfer, lines: AsyncGenerator[Progress, None], again: str) -> None:
    """Follow a transfer in the cell that runs."""
    from ollama_magic.display.progress import open_progress

    Watch(transfer, open_progress(here.display), here.session.loop_thread, again).run(lines)
