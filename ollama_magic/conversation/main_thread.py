"""Work for the main thread: tools of the user, whose objects are there and which ■ reaches.

A thread that waits for a turn does that turn's work meanwhile; the main thread, whichever turn it waits for, does all
of it, else two turns could wait for each other. When it is free, the kernel's own loop does it (`schedule`).
"""

from __future__ import annotations

import asyncio
import signal
import threading
from concurrent.futures import Future
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ollama_magic.loop_thread import POLL_S, MainThreadWatch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class _Work:
    """Something to do once, in the first thread that takes it."""

    def __init__(self, owner: object, do: Callable[[], None]) -> None:
        self.owner, self._do = owner, do
        self.done: Future[None] = Future()
        self.thread = 0

    def run(self) -> None:
        """Do it, unless it was cancelled; ■ ends it and passes."""
        if not self.done.set_running_or_notify_cancel():
            return
        self.thread = threading.get_ident()
        try:
            self._do()
        except KeyboardInterrupt:
            self.done.set_exception(InterruptedError())
            raise
        except BaseException as error:  # noqa: BLE001 (it belongs to whoever asked for the work)
            self.done.set_exception(error)
        else:
            self.done.set_result(None)
        finally:
            self.thread = 0


class MainThread:
    """The work that waits, and the threads that may do it."""

    def __init__(self) -> None:
        # Calls a function in the main thread when it is free; it may call it late or never, for waiting threads serve.
        self.schedule: Callable[[Callable[[], None]], None] = _nowhere
        self._waiting: list[_Work] = []
        self._owners: dict[int, tuple[object, ...]] = {}  # of the work that a thread does, by thread
        self._changed = threading.Condition()

    async def do(self, owner: object, do: Callable[[], None]) -> None:
        """Have this done for a turn, and wait until it is; cancelling stops it as ■ does."""
        work = _Work(owner, do)
        with self._changed:
            self._waiting.append(work)
            self._changed.notify_all()
        self.schedule(self.serve)
        try:
            await asyncio.wrap_future(work.done)
        except asyncio.CancelledError:
            if _interrupted(work):  # it may still say how far it came
                await asyncio.wait({asyncio.wrap_future(work.done)}, timeout=POLL_S)
            raise
        finally:
            with self._changed:
                if work in self._waiting:
                    self._waiting.remove(work)

    def wait(self, owner: object, future: Future[Any]) -> Any:
        """Wait for a turn's end and do its work meanwhile; ■ raises KeyboardInterrupt, and stops nothing else."""
        watch = MainThreadWatch()
        future.add_done_callback(lambda _: self._wake())
        while not future.done():
            with self._changed:
                work = self._next(owner)
                if work is None and not future.done():
                    self._changed.wait(POLL_S)  # timed, or ■ could not interrupt it everywhere
            if work is not None:
                self._run(work)
            watch.check()
        return future.result()

    def serve(self) -> None:
        """Do all work that waits, in the main thread; ■ ends only what runs."""
        while (work := self._taken(None)) is not None:
            try:
                with _interruptible():
                    self._run(work)
            except KeyboardInterrupt:
                continue

    def serve_turn(self, owner: object) -> None:
        """Do the work of a turn that waits for this thread; ■ passes."""
        while (work := self._taken(owner)) is not None:
            self._run(work)

    @property
    def current_owners(self) -> tuple[object, ...]:
        """The turns whose work this thread does: a tool may wait for a turn whose tool runs here meanwhile."""
        return self._owners.get(threading.get_ident(), ())

    def _run(self, work: _Work) -> None:
        thread = threading.get_ident()
        before = self.current_owners
        self._owners[thread] = (*before, work.owner)
        try:
            work.run()
        finally:
            self._owners[thread] = before

    def _taken(self, owner: object) -> _Work | None:
        with self._changed:
            return self._next(owner)

    def _next(self, owner: object) -> _Work | None:
        main = threading.current_thread() is threading.main_thread()
        found = next((work for work in self._waiting if main or work.owner is owner), None)
        if found is not None:
            self._waiting.remove(found)
        return found

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()


def _nowhere(serve: Callable[[], None]) -> None:
    del serve


def _interrupted(work: _Work) -> bool:
    """Interrupt what runs in the main thread, as ■ would: it was stopped by a button, or by another cell."""
    main = threading.main_thread().ident
    if main is None or work.thread != main or work.done.done():
        return False
    if hasattr(signal, "pthread_kill"):
        signal.pthread_kill(main, signal.SIGINT)
    else:
        signal.raise_signal(signal.SIGINT)
    return True


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let ■ interrupt work outside of any cell, for which a kernel ignores it."""
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGINT) is None:
        yield
        return
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
