"""The thread that commits the store's changes, and retries while it cannot."""

from __future__ import annotations

import atexit
import logging
import threading
import time
from collections import deque
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ollama_magic.errors import StoreError
from ollama_magic.store.problems import Replaced, kind_of, line

if TYPE_CHECKING:
    from collections.abc import Callable
    from sqlite3 import Connection

    from ollama_magic.store.current_file import CurrentFile

BUSY_S = 10.0  # a shorter lock is not reported (design.md §4)
ATTEMPT_S = 0.005  # between two attempts at a locked store
RETRY_S = 2.0  # between two attempts at a store in trouble
logger = logging.getLogger("ollama_magic.store")


@dataclass(frozen=True, eq=False)
class Task:
    """One change to commit; with `vacuums` it is done when no byte of what it deleted is left."""

    change: Callable[[Connection], Any]
    vacuums: bool = False
    future: Future[Any] = field(default_factory=Future)


class StoreWriter:
    """Commits tasks in order, in batches; a task is never given up before `close()`."""

    def __init__(self, file: CurrentFile) -> None:
        self.problem = ""
        self._file = file
        self._tasks: deque[Task] = deque()
        self._condition = threading.Condition()
        self._thread: threading.Thread | None = None
        self._ident: int | None = None
        self._closing = False
        self._abandoned = False
        self._locked_since: float | None = None

    def submit(self, task: Task) -> None:
        """Queue a task, from any thread; returns at once."""
        task.future.set_running_or_notify_cancel()  # cancelling the future does not cancel the task
        with self._condition:
            if self._closing and threading.get_ident() != self._ident:  # the writer's own tasks are still saved
                _fail(task, StoreError("The store is closed."))
                return
            self._tasks.append(task)
            self._condition.notify()
            if not self._closing:
                self._start()

    def close(self, timeout: float) -> None:
        """Commit pending tasks within `timeout` seconds; the others fail."""
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
        self._ident = threading.get_ident()
        while not self._abandoned:
            with self._condition:
                self._condition.wait_for(lambda: self._tasks or self._closing)
                batch = list(self._tasks)
            if not batch:
                break
            pause = self._attempt(batch)
            if self._closing and (pause or 0) > ATTEMPT_S:
                break
            self._rest(pause, len(batch))
        self._file.close()

    def _rest(self, pause: float, known: int) -> None:
        """Wait before the next attempt, or until a new task comes."""
        with self._condition:
            if pause > ATTEMPT_S:
                self._condition.wait_for(lambda: len(self._tasks) > known or self._closing, pause)
            elif pause:
                self._condition.wait(pause)

    def _attempt(self, batch: list[Task]) -> float:
        """Commit the batch; return the seconds to wait, 0 after success."""
        try:
            self._commit(batch)
        except Replaced:
            return 0.0
        except Exception as error:  # noqa: BLE001 - the thread must survive any error of the disk
            self._file.recover(error)
            pause = self._troubled(error)
            if pause and self.problem:
                self._tell_erasers(batch)
            return pause
        self._recovered()
        return 0.0

    def _commit(self, batch: list[Task]) -> None:
        results = self._file.transact([task.change for task in batch])
        outcomes = list(zip(batch, results, strict=True))
        vacuuming = [task for task, result in outcomes if task.vacuums and not isinstance(result, Exception)]
        self._settle([(task, result) for task, result in outcomes if task not in vacuuming])
        if vacuuming:
            result = self._vacuumed()
            self._settle([(task, result) for task in vacuuming])

    def _vacuumed(self) -> StoreError | None:
        try:
            self._file.vacuum()
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

    def _tell_erasers(self, batch: list[Task]) -> None:
        """Fail the futures of erasures, for which somebody waits; they are still done as soon as that is possible."""
        for task in batch:
            if task.vacuums:
                _fail(task, StoreError(f"Not erased yet: {self.problem}"))

    def _recovered(self) -> None:
        if self.problem:
            logger.info("%s can be written, and what waited is saved", self._file.path)
        self.problem, self._locked_since = "", None

    def _troubled(self, error: Exception) -> float:
        """Note what is wrong; return the seconds to wait."""
        if kind_of(error) != "locked":
            known = self._note(error)
            return RETRY_S if known or kind_of(error) != "damaged" else 0.0  # after damage, a new file at once
        now = time.monotonic()
        self._locked_since = self._locked_since or now
        if now - self._locked_since >= BUSY_S:
            self._note(error)
        return ATTEMPT_S

    def _note(self, error: Exception) -> str:
        """Set `problem`; return what it was."""
        known, self.problem = self.problem, line(error, self._file.path)
        if self.problem != known:
            logger.warning("%s is not written: %s (%s)", self._file.path, kind_of(error), type(error).__name__)
        return known


def _fail(task: Task, error: Exception) -> None:
    with suppress(InvalidStateError):
        task.future.set_exception(error)
