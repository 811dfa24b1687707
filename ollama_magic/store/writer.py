"""The writer of the store: one thread that takes what was handed in, commits it, and keeps it while it cannot.

It knows the order and the retries; what a change does stands in transactions, files and SQLite in database.
"""

from __future__ import annotations

import atexit
import threading
import time
from collections import deque
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ollama_magic.errors import StoreError
from ollama_magic.store.trouble import Moved, kind, line

if TYPE_CHECKING:
    from collections.abc import Callable
    from sqlite3 import Connection

    from ollama_magic.store.current import CurrentFile

BUSY_S = 10.0  # so long a lock is no trouble yet (design §4)
AGAIN_S = 0.005  # between two attempts at a lock that somebody else has
RETRY_S = 2.0  # between two attempts at a store in trouble


@dataclass(frozen=True, eq=False)
class Task:
    """One change to commit; `scours`: it is done when no byte of what it deleted is left."""

    change: Callable[[Connection], Any]
    scours: bool = False
    future: Future[Any] = field(default_factory=Future)


class StoreWriter:
    """Commits tasks in the order they came, many at once where many wait; a task is never given up before `close()`."""

    def __init__(self, file: CurrentFile) -> None:
        self.problem = ""
        self._file = file
        self._tasks: deque[Task] = deque()
        self._condition = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closing = False
        self._abandoned = False
        self._locked_since: float | None = None

    def submit(self, task: Task) -> None:
        """Hand a task in; returns at once, from any thread."""
        task.future.set_running_or_notify_cancel()  # who cancels waiting for it does not take it back
        with self._condition:
            if self._closing:
                _fail(task, StoreError("The store is closed."))
                return
            self._tasks.append(task)
            self._condition.notify()
            self._start()

    def close(self, timeout: float) -> None:
        """Commit what waits, for so many seconds at most; what could not be committed fails."""
        with self._condition:
            self._closing = True
            thread, self._thread = self._thread, None
            self._condition.notify()
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout)
            self._abandoned = True
            atexit.unregister(self._close_at_exit)
        for task in list(self._tasks):
            _fail(task, StoreError(self.problem or "The conversation could not be saved in time."))

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="ollama_magic-store", daemon=True)
            try:
                self._thread.start()
            except RuntimeError:  # the interpreter is ending
                self._thread = None
                return
            atexit.register(self._close_at_exit)

    def _close_at_exit(self) -> None:
        self.close(2.0)

    def _run(self) -> None:
        while not self._abandoned:
            with self._condition:
                self._condition.wait_for(lambda: self._tasks or self._closing)
                batch = list(self._tasks)
            if not batch:
                break
            pause = self._attempt(batch)
            if self._closing and (pause or 0) > AGAIN_S:
                break
            self._rest(pause, len(batch))
        self._file.close()

    def _rest(self, pause: float, known: int) -> None:
        """Wait before the next attempt; a store in trouble is tried at once when something new comes."""
        with self._condition:
            if pause > AGAIN_S:
                self._condition.wait_for(lambda: len(self._tasks) > known or self._closing, pause)
            elif pause:
                self._condition.wait(pause)

    def _attempt(self, batch: list[Task]) -> float:
        """Commit the batch; return the seconds to rest, 0 after success."""
        try:
            self._commit(batch)
        except Moved:
            return 0.0
        except Exception as error:  # noqa: BLE001 - the thread outlives whatever a disk does
            self._file.recover(error)
            return self._troubled(error)
        self.problem, self._locked_since = "", None
        return 0.0

    def _commit(self, batch: list[Task]) -> None:
        results = self._file.transact([task.change for task in batch])
        outcomes = list(zip(batch, results, strict=True))
        scouring = [task for task, result in outcomes if task.scours and not isinstance(result, Exception)]
        self._settle([(task, result) for task, result in outcomes if task not in scouring])
        if scouring:
            result = self._scoured()
            self._settle([(task, result) for task in scouring])

    def _scoured(self) -> StoreError | None:
        try:
            self._file.scour()
        except StoreError as error:
            return error
        return None

    def _settle(self, outcomes: list[tuple[Task, object]]) -> None:
        with self._condition:
            for task, _ in outcomes:
                self._tasks.remove(task)
        for task, result in outcomes:
            if isinstance(result, Exception):
                _fail(task, result)
            else:
                with suppress(InvalidStateError):
                    task.future.set_result(result)

    def _troubled(self, error: Exception) -> float:
        if kind(error) != "locked":
            known, self.problem = self.problem, line(error, self._file.path)
            return RETRY_S if known or kind(error) != "damaged" else 0.0  # after damage, the next generation at once
        now = time.monotonic()
        self._locked_since = self._locked_since or now
        if now - self._locked_since >= BUSY_S:
            self.problem = line(error, self._file.path)
        return AGAIN_S


def _fail(task: Task, error: Exception) -> None:
    with suppress(InvalidStateError):
        task.future.set_exception(error)
