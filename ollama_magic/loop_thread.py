"""One private asyncio loop in a daemon thread, and how the main thread waits for it. It knows nothing of turns."""

from __future__ import annotations

import asyncio
import signal
import threading
from concurrent.futures import Future, TimeoutError as NotYet
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator

T = TypeVar("T")

POLL_S = 0.1  # an untimed wait cannot be interrupted on every platform (style.md §3)


class LoopThread:
    """A loop that starts with its first coroutine and ends with `close()`."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lock = threading.Lock()

    def start(self, coroutine: Coroutine[Any, Any, T]) -> Future[T]:
        """Run a coroutine on the loop; it carries the caller's context, so its output stays with the caller's cell."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._running_loop())

    def call_soon(self, callback: Any, *args: Any) -> None:
        """Have a plain function called on the loop, from any thread; nothing happens once the loop is closed."""
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(callback, *args)

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine and wait for its result; ■ cancels it and raises KeyboardInterrupt."""
        tasks: list[asyncio.Task[Any]] = []
        try:
            with interrupts_held():
                future = self.start(_noted(coroutine, tasks))
            return wait_for(future)
        except KeyboardInterrupt:
            self.call_soon(_cancel_each, tasks)  # not the future: then nobody would look at how the task ends
            raise

    def close(self) -> None:
        """Cancel what still runs, end the loop, and join its thread for a moment."""
        with self._lock:
            loop, self._loop = self._loop, None
        if loop is not None:
            asyncio.run_coroutine_threadsafe(_cancel_all(), loop).add_done_callback(
                lambda _: loop.call_soon_threadsafe(loop.stop)
            )
            self._thread.join(timeout=2)

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=_serve, args=(loop,), name="ollama_magic", daemon=True)
                self._thread.start()
                self._loop = loop  # last: a loop that nobody runs would keep its callers waiting for ever
            return self._loop


def wait_for(future: Future[T]) -> T:
    """Wait for a result in short timed waits, so that ■ is heard at once."""
    while True:
        try:
            return future.result(timeout=POLL_S)
        except NotYet:
            if future.done():  # the coroutine itself raised a TimeoutError
                raise


@contextmanager
def interrupts_held() -> Iterator[None]:
    """Hold ■ back until the block ends, so that it cannot fall between steps that belong together.

    ■ reaches the main thread only; in any other thread this does nothing.
    """
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGINT) is None:
        yield
        return
    pressed: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: pressed.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if pressed:
        signal.raise_signal(signal.SIGINT)


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.run_until_complete(asyncio.sleep(0))  # connections that were closed last are gone only now
        loop.close()


async def _noted(coroutine: Coroutine[Any, Any, T], tasks: list[asyncio.Task[Any]]) -> T:
    task = asyncio.current_task()
    assert task is not None, "a coroutine that runs has a task"
    tasks.append(task)
    return await coroutine


def _cancel_each(tasks: list[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()


async def _cancel_all() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), timeout=1.5)
