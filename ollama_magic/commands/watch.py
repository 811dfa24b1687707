"""Follows a pull, create or load in a view under the cell; ■ and Stop end it."""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, Any

from ollama_magic.conversation.reply import COMPLETE, CUT, FAILED, RUNNING, STOPPED
from ollama_magic.conversation.reply_views import change
from ollama_magic.errors import AnswerCut, OllamaMagicError, ServerError, TurnStopped
from ollama_magic.log import log_fault
from ollama_magic.loop_thread import Stoppable, interrupts_held

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from ollama_magic.display.safe_view import ViewOf
    from ollama_magic.display.transfer import Transfer
    from ollama_magic.loop_thread import LoopThread
    from ollama_magic.ollama.protocol import Progress

_LOG = logging.getLogger("ollama_magic.commands")
TICK_S = 0.5  # for the clock, while nothing else changes


class Watch:
    """Runs one transfer; `on_retry` says what running it again does."""

    def __init__(self, transfer: Transfer, view: ViewOf[Transfer], loop_thread: LoopThread, on_retry: str) -> None:
        self.transfer = transfer
        self._view = view
        self._on_retry = on_retry
        self._task = Stoppable[None](loop_thread, lambda: transfer.state == RUNNING)

    def run(self, lines: AsyncGenerator[Progress, None]) -> None:
        """Open the view in this cell and wait for the end; raise the error if it does not complete."""
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
        """Stop the transfer, from any thread; a second call does nothing."""
        self._task.stop()

    def _stopped(self) -> TurnStopped:
        if self.transfer.state == COMPLETE:
            return TurnStopped(f"Stopped; {self.transfer.name} {self.transfer.done} by then.")
        return TurnStopped(f"Stopped; {self._on_retry}.")

    async def _follow(self, lines: AsyncGenerator[Progress, None]) -> None:
        changed = asyncio.Event()
        painter = asyncio.ensure_future(self._paint(changed))
        try:
            await asyncio.sleep(0)  # an earlier stop takes effect before the server is asked
            await self._take_all(lines, changed)
            self._end(CUT, AnswerCut(f"The server broke off without an error; {self._on_retry}."))
        except asyncio.CancelledError:
            self._end(STOPPED)
        except OllamaMagicError as error:
            self._end(FAILED, error)
        except Exception as error:  # noqa: BLE001 (no foreign exception leaves the package)
            self._end(FAILED, OllamaMagicError(log_fault(_LOG, error)))
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
                    self._end(CUT, AnswerCut(f"This broke off: {line.cut}; {self._on_retry}."))
                    return
                self.transfer.take(line)
                changed.set()
                if line.done:
                    self._end(COMPLETE)
                    return

    def _failed(self, words: str) -> ServerError:
        """Return the server's error, with how to resume if anything was downloaded."""
        retry = f"; then {self._on_retry}" if self.transfer.layers else ""
        return ServerError(f"The server failed: {words.rstrip('.')}{retry}.")

    def _end(self, state: str, error: Exception | None = None) -> None:
        self.transfer.end(state, error)

    async def _paint(self, changed: asyncio.Event) -> None:
        while True:
            await asyncio.sleep(self._view.show(self.transfer))
            await change(changed, TICK_S)
            changed.clear()


def watch(context: Any, transfer: Transfer, lines: AsyncGenerator[Progress, None], on_retry: str) -> None:
    """Follow a transfer in the running cell; a command that is assigned shows nothing."""
    from ollama_magic.display.safe_view import SafeView
    from ollama_magic.display.views import open_transfer_view

    view = SafeView[Any]() if context.assigned else open_transfer_view(context.display)
    Watch(transfer, view, context.session.loop_thread, on_retry).run(lines)
