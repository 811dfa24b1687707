"""Starts, stops and awaits a map, and paints its progress; the Stop button and the main thread hold on to it."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol, TypeAlias

from ollama_magic.conversation.reply import COMPLETE, FAILED, RUNNING, STOPPED
from ollama_magic.conversation.reply_views import change
from ollama_magic.errors import OllamaMagicError, TurnStopped
from ollama_magic.log import log_fault
from ollama_magic.loop_thread import POLL_S, MainThreadWatch, Stoppable, interrupts_held

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ollama_magic.conversation.session import Session
    from ollama_magic.display.map_progress import MapProgress
    from ollama_magic.mapping.tally import Tally

_LOG = logging.getLogger("ollama_magic.mapping")
TICK_S = 0.5  # for the clock, while nothing else changes


class Runs(Protocol):
    """What asks for places: rows, or texts."""

    async def run(self, places: Sequence[int], /) -> None:
        """Ask for these places."""


class ProgressView(Protocol):
    """What shows a map; `display/` has the implementations."""

    def begin(self, progress: MapProgress, stop: Callable[[], None], /) -> None:
        """Open the display, in the main thread and in the cell."""

    def show(self, progress: MapProgress, /) -> float:
        """Paint it; return the seconds to wait before the next paint."""

    def finish(self, progress: MapProgress, /) -> None:
        """Paint for the last time, and settle."""


OpenView: TypeAlias = "Callable[[], ProgressView | None]"


class MapHandle:
    """One map as it runs; it may be started anew for the rows that failed.

    Args:
        session: Whose loop it runs on, and who stops it when the kernel ends.
        run: What asks for the rows.
        tally: The outcomes.
        open_view: Returns what shows the progress, None for nothing; each start has its own.
        name: What the session knows it by: a map of the same name is stopped first.
    """

    def __init__(self, session: Session, run: Runs, tally: Tally, open_view: OpenView, name: str = "") -> None:
        self._session, self._run, self._tally, self._open_view = session, run, tally, open_view
        self._view: ProgressView | None = None
        self._name = f"map {name or id(self)}"
        self._task: Stoppable[None] | None = None

    @property
    def running(self) -> bool:
        """Whether rows are being asked for."""
        return self._tally.progress.state == RUNNING

    def start(self, places: Sequence[int]) -> None:
        """Open the view in this cell and ask for these places; return at once."""
        earlier = self._session.owned_resources.get(self._name)
        if earlier is not None:
            earlier.stop()
        with interrupts_held():
            self._task = Stoppable[None](self._session.loop_thread, lambda: self.running)
            self._session.owned_resources[self._name] = self
            self._view = self._open_view()
            if self._view is not None:
                self._view.begin(self._tally.progress, self.stop_soon)
            self._task.start(self._follow(places))

    def stop_soon(self) -> None:
        """Stop from any thread, without waiting: what is done is kept, and the servers are free."""
        if self._task is not None:
            self._task.stop()

    def stop(self) -> None:
        """Stop, and wait briefly until everything is saved and shown."""
        self.stop_soon()
        if self._task is not None:
            with suppress(KeyboardInterrupt):
                self._task.settle()

    def wait_beyond(self, known: int) -> bool:
        """Wait until more than `known` places have finished; return False if the map has ended before.

        Raises:
            TurnStopped: ■ was pressed; the map is stopped.
        """
        watch = MainThreadWatch()
        try:
            while len(self._tally.order) <= known and self.running:
                self._tally.wait(known, POLL_S)
                watch.check()
        except KeyboardInterrupt:
            self.stop()
            raise TurnStopped(self._stopped_line()) from None
        return len(self._tally.order) > known

    def wait(self) -> None:
        """Wait for the end.

        Raises:
            TurnStopped: It was stopped.
            OllamaMagicError: Nothing could be asked.
        """
        was_running = self.running
        while self.running:
            self.wait_beyond(self._tally.progress.total)
        progress = self._tally.progress
        if progress.error is not None:
            raise progress.error
        if progress.state == STOPPED and was_running:
            raise TurnStopped(self._stopped_line())

    def _stopped_line(self) -> str:
        progress = self._tally.progress
        return f"Stopped; {progress.counts}. What is done is kept: run this again for the rest."

    async def _follow(self, places: Sequence[int]) -> None:
        progress = self._tally.progress
        painter = asyncio.ensure_future(self._paint())
        try:
            await asyncio.sleep(0)  # an earlier stop takes effect before a server is asked
            await self._run.run(places)
            progress.end(COMPLETE)
        except asyncio.CancelledError:
            progress.end(STOPPED)
        except OllamaMagicError as error:
            progress.end(FAILED, error)
        except Exception as error:  # noqa: BLE001 (no foreign exception leaves the package)
            progress.end(FAILED, OllamaMagicError(log_fault(_LOG, error)))
        finally:
            progress.end(STOPPED)
            painter.cancel()
            await asyncio.gather(painter, return_exceptions=True)
            if self._view is not None:
                self._view.finish(progress)
            if self._session.owned_resources.get(self._name) is self:
                del self._session.owned_resources[self._name]
            self._tally.wake()

    async def _paint(self) -> None:
        never = asyncio.Event()
        while self._view is not None:
            await asyncio.sleep(self._view.show(self._tally.progress))
            await change(never, TICK_S)
            never.clear()
