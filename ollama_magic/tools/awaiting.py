"""Runs an asynchronous tool to its end in this thread, also where a loop is running in it: that of a kernel.

A cell blocks the kernel's loop, so nothing can be awaited there. The running loop is put aside for the time, with the
functions that asyncio has for other loops, and the tool gets a loop of its own; ■ reaches it like any code of a cell.
"""

from __future__ import annotations

import asyncio
from asyncio import events, tasks
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterator


def run_to_end(awaitable: Awaitable[Any]) -> Any:
    """Return the result of an awaitable; ■ cancels it and raises KeyboardInterrupt."""
    with _no_running_loop():
        loop = asyncio.new_event_loop()
        try:
            task = asyncio.ensure_future(_awaited(awaitable), loop=loop)
            try:
                return loop.run_until_complete(task)
            finally:
                _end(loop, task)
        finally:
            loop.close()


async def _awaited(awaitable: Awaitable[Any]) -> Any:
    return await awaitable


def _end(loop: asyncio.AbstractEventLoop, task: asyncio.Future[Any]) -> None:
    """Cancel what the tool has left behind."""
    left = [one for one in {task, *asyncio.all_tasks(loop)} if not one.done()]
    for one in left:
        one.cancel()
    with suppress(BaseException):
        loop.run_until_complete(asyncio.wait_for(asyncio.gather(*left, return_exceptions=True), 1))
    with suppress(Exception):
        loop.run_until_complete(loop.shutdown_asyncgens())


@contextmanager
def _no_running_loop() -> Iterator[None]:
    running = events._get_running_loop()  # noqa: SLF001 (asyncio documents it for other loops)
    current = asyncio.current_task(running) if running is not None else None
    if running is not None and current is not None:
        tasks._leave_task(running, current)  # noqa: SLF001 (the same)
    events._set_running_loop(None)  # noqa: SLF001 (the same)
    try:
        yield
    finally:
        events._set_running_loop(running)  # noqa: SLF001 (the same)
        if running is not None and current is not None:
            tasks._enter_task(running, current)  # noqa: SLF001 (the same)
