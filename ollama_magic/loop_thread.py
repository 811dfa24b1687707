"""One private asyncio loop in a daemon thread, and how the main thread waits for it. It knows nothing of turns."""

from __future__ import annotations

import asyncio
import signal
import threading
from concurrent.futures import Future, TimeoutError as NotYet
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

T = TypeVar("T")

POLL_S = 0.1  # an untimed wait cannot be interrupted on every platform (style.md §3)
FINISH_S = 0.8  # how long ■ waits until the end is shown: the prompt is promised within 1 s (design §7.2)
AGAIN_S = 0.2  # until a stop that was not heard is said again


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
        task = Stoppable[T](self, lambda: True)
        try:
            with interrupts_held():
                task.start(coroutine)
            return task.wait()
        except KeyboardInterrupt:
            task.stop()
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


class Stoppable(Generic[T]):
    """A coroutine that any thread can stop, as long as `running()` says that there is something to stop.

    A stop cancels its task and never its future, which would not let it finish (style.md §3).
    """

    def __init__(self, loop_thread: LoopThread, running: Callable[[], bool]) -> None:
        self._loop_thread = loop_thread
        self._running = running
        self._stopping = False
        self._task: asyncio.Task[Any] | None = None
        self._future: Future[T] | None = None

    def start(self, coroutine: Coroutine[Any, Any, T]) -> None:
        """Run it on the loop; what was stopped before is cancelled at its first wait."""
        self._future = self._loop_thread.start(self._known(coroutine))

    def stop(self) -> None:
        """Stop it, from any thread; a second call changes nothing."""
        if not self._stopping:
            self._stopping = True
            self._loop_thread.call_soon(self._cancel)

    def wait(self) -> T:
        """Wait for its result; ■ raises KeyboardInterrupt, and stops nothing."""
        assert self._future is not None, "only what was started is waited for"
        return wait_for(self._future)

    def settle(self, seconds: float = FINISH_S) -> None:
        """Wait until it has ended, for so long at most; a second ■ gives up waiting, not the end."""
        with suppress(NotYet):
            if self._future is not None:
                self._future.result(timeout=seconds)

    async def _known(self, coroutine: Coroutine[Any, Any, T]) -> T:
        self._task = asyncio.current_task()
        if self._stopping:
            self._cancel()
        return await coroutine

    def _cancel(self) -> None:
        """Cancel until it is heard: before Python 3.12 `wait_for` loses a cancellation that comes with its result."""
        if self._task is not None and not self._task.done() and self._running():
            self._task.cancel()
            self._task.get_loop().call_later(AGAIN_S, self._cancel)


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


async def _cancel_all() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), timeout=1.5)
