"""One private asyncio loop in a daemon thread, and ways for other threads to wait for it. It knows nothing of turns.

■ reaches the main thread only. A waiting worker thread checks every `POLL_S` whether ■ has interrupted the main thread
and the main thread now waits for its threads, like `with ThreadPoolExecutor()` does; then it stops waiting, closes its
connection, and raises KeyboardInterrupt (`MainThreadWatch`). No signal handler is replaced for this.

A fork waits until every loop stands between two steps, so that the child finds no lock that a loop's step held, such as
that of an import. The child has the loop but not its thread; its next call starts a new loop.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
import time
from concurrent.futures import Future, TimeoutError as NotYet
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from weakref import WeakSet

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

T = TypeVar("T")

POLL_S = 0.1  # an untimed wait cannot be interrupted on every platform (design.md §5)
FINISH_S = 0.8  # how long ■ waits until the end is shown: the prompt is promised within 1 s (design.md §7.2)
RETRY_S = 0.2  # until a lost cancellation is repeated
STAYS_S = 0.01  # a main thread that works is elsewhere after that
REST_S = 1.0  # how long a fork waits for a loop's step, which may itself wait for the thread that forks

_WAITS = ("threading", "concurrent.futures", "multiprocessing.pool", "queue", "selectors")  # modules that wait in C


class LoopThread:
    """A loop that starts with its first coroutine and ends with `close()`."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lock = threading.Lock()
        _loop_threads.add(self)

    def start(self, coroutine: Coroutine[Any, Any, T]) -> Future[T]:
        """Run a coroutine on the loop; it carries the caller's context, so its output stays with the caller's cell."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._running_loop())

    def call_soon(self, callback: Any, *args: Any) -> None:
        """Call a function on the loop, from any thread; does nothing once the loop is closed."""
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(callback, *args)

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine and wait for its result; ■ cancels it and raises KeyboardInterrupt."""
        task = Stoppable[T](self, lambda: True)
        try:
            MainThreadWatch().check()
        except KeyboardInterrupt:
            coroutine.close()
            raise
        try:
            with interrupts_held():
                task.start(coroutine)
            return task.wait()
        except KeyboardInterrupt:
            task.stop()
            raise

    def finish(self, coroutine: Coroutine[Any, Any, object]) -> None:
        """Run a coroutine that closes something, and wait at most `FINISH_S`, even in a stopped thread.

        What was open on a loop that is closed, or the parent's, is not closed on another: at the end of a program that
        one's thread would never begin.
        """
        if self._loop is None or sys.is_finalizing():
            coroutine.close()
            return
        with suppress(NotYet):
            self.start(coroutine).result(timeout=FINISH_S)

    def rest(self, until: threading.Event) -> None:
        """Have the loop stand still between two steps until the event is set; return when it does."""
        if self._loop is None or threading.current_thread() is self._thread:
            return
        resting = threading.Event()

        def stand_still() -> None:
            resting.set()
            until.wait(REST_S)

        with suppress(RuntimeError):  # the loop has been closed meanwhile
            self.call_soon(stand_still)
            resting.wait(REST_S)

    def forget(self) -> None:
        """Start anew in a child process, without touching the parent's loop, whose sockets it shares."""
        if self._loop is not None:
            _abandoned.append(self._loop)
        self._loop, self._lock = None, threading.Lock()

    def close(self) -> None:
        """Cancel running tasks, end the loop, and join its thread briefly."""
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
                self._loop = loop  # last, because callers would wait forever for a loop that does not run
            return self._loop


class Stoppable(Generic[T]):
    """A coroutine that any thread can stop, as long as `running()` says that there is something to stop.

    A stop cancels its task and never its future, which would not let it finish (design.md §5).
    """

    def __init__(self, loop_thread: LoopThread, running: Callable[[], bool]) -> None:
        self._loop_thread = loop_thread
        self._running = running
        self._stopping = False
        self._task: asyncio.Task[Any] | None = None
        self._future: Future[T] | None = None

    @property
    def future(self) -> Future[T]:
        """What is done when it has ended; it must have been started."""
        assert self._future is not None, "it was not started"
        return self._future

    def start(self, coroutine: Coroutine[Any, Any, T]) -> None:
        """Run it on the loop; if it was stopped before, it is cancelled at its first wait."""
        self._future = self._loop_thread.start(self._known(coroutine))

    def stop(self) -> None:
        """Stop it, from any thread; a second call does nothing."""
        if not self._stopping:
            self._stopping = True
            self._loop_thread.call_soon(self._cancel)

    def wait(self) -> T:
        """Wait for its result; ■ raises KeyboardInterrupt, and stops nothing."""
        return wait_for(self.future)

    def settle(self, seconds: float = FINISH_S) -> None:
        """Wait at most `seconds` until it has ended; a second ■ ends only the waiting."""
        with suppress(NotYet):
            if self._future is not None:
                self._future.result(timeout=seconds)

    async def _known(self, coroutine: Coroutine[Any, Any, T]) -> T:
        self._task = asyncio.current_task()
        if self._stopping:
            self._cancel()
        return await coroutine

    def _cancel(self) -> None:
        """Cancel until it takes effect: before Python 3.12 `wait_for` loses a cancellation that comes with a result."""
        if self._task is not None and not self._task.done() and self._running():
            self._task.cancel()
            self._task.get_loop().call_later(RETRY_S, self._cancel)


def wait_for(future: Future[T]) -> T:
    """Wait for a result in short timed waits, so that ■ takes effect at once."""
    watch = MainThreadWatch()
    while True:
        try:
            return future.result(timeout=POLL_S)
        except NotYet:
            if future.done():  # the coroutine itself raised a TimeoutError
                raise
        watch.check()


class MainThreadWatch:
    """Watches, from a worker thread, whether ■ has interrupted the main thread.

    It has if the main thread handles a KeyboardInterrupt and waits for threads, like the end of a `with` block of an
    executor or a `finally` with `join()`. An interrupt that was handled before the watch began is ignored, because its
    handler may have started this work. But work that was queued after interrupted work is stopped with it.
    """

    _obeyed = 0  # the interrupt that has stopped a worker most recently

    def __init__(self) -> None:
        self._known = _interrupt_of_main()

    def check(self) -> None:
        """Raise KeyboardInterrupt if this thread's work was interrupted."""
        now = _interrupt_of_main()
        obeyed = now == MainThreadWatch._obeyed
        if now and (now != self._known or obeyed) and _main_waits(0.0 if obeyed else STAYS_S):
            MainThreadWatch._obeyed = now
            raise KeyboardInterrupt


def _interrupt_of_main() -> int:
    """Identify the KeyboardInterrupt that the main thread handles; 0 if it handles none, or this is the main thread."""
    main = threading.main_thread()
    if threading.current_thread() is main or not hasattr(sys, "_current_exceptions"):
        return 0
    found: Any = sys._current_exceptions().get(main.ident or 0)  # noqa: SLF001 (its documented name)
    error = found[1] if isinstance(found, tuple) else found  # a tuple before Python 3.12
    return id(error) if isinstance(error, KeyboardInterrupt) else 0


def _main_waits(seconds: float) -> bool:
    """Whether the main thread waits, and stays there so long: it may only have called a function that does not wait."""
    main = threading.main_thread().ident or 0
    frame = sys._current_frames().get(main)  # noqa: SLF001 (its documented name)
    if frame is None or not str(frame.f_globals.get("__name__")).startswith(_WAITS):
        return False
    at = frame.f_lasti
    time.sleep(seconds)
    return not seconds or (sys._current_frames().get(main) is frame and frame.f_lasti == at)  # noqa: SLF001


@contextmanager
def interrupts_held() -> Iterator[None]:
    """Hold ■ back until the block ends, so that it cannot interrupt steps that belong together.

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
        # A stream that is still open is one generator within another: each closes the next one, and asyncio, which
        # closes all at once, reports those that are closing already.
        loop.set_exception_handler(lambda _loop, _context: None)
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.run_until_complete(asyncio.sleep(0))  # connections that were closed last end only now
        loop.close()


async def _cancel_all() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), timeout=1.5)
    begun = asyncio.all_tasks() - {asyncio.current_task()}
    if begun:  # by those that were cancelled, to close what they had opened
        await asyncio.wait(begun, timeout=0.3)


_loop_threads: WeakSet[LoopThread] = WeakSet()
_abandoned: list[asyncio.AbstractEventLoop] = []  # alive, so that nothing of the parent's is closed with them
_forks: list[threading.Event] = []  # set when a fork is over, in the parent


def _before_fork() -> None:
    _forks.append(threading.Event())
    for loop_thread in list(_loop_threads):
        loop_thread.rest(_forks[-1])


def _in_parent() -> None:
    while _forks:
        _forks.pop().set()


def _in_child() -> None:
    _forks.clear()
    for loop_thread in list(_loop_threads):
        loop_thread.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_in_parent, after_in_child=_in_child)
