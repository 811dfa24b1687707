"""The store: the journals of all notebooks in one SQLite file per user (design.md §4). It never reads a body.

records    rows, notebooks, checksums       transactions   what happens inside a transaction
process    which processes run              database       connections, settings, schema
locations  paths and names of files         current_file   the file that is written
problems   errors, one line each            writer         the thread that commits, and retries
answers    answers to the rows of maps
"""

from __future__ import annotations

import logging
import os
from concurrent.futures import Future, TimeoutError as NotYet
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from ollama_magic.errors import StoreError
from ollama_magic.store import answers, locations, problems, transactions
from ollama_magic.store.current_file import CurrentFile
from ollama_magic.store.process import alive, this_process
from ollama_magic.store.records import NotebookRecord, Row, trusted
from ollama_magic.store.writer import StoreWriter, Task

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from sqlite3 import Connection

    from ollama_magic.store.records import Writer

__all__ = ["NotebookRecord", "Row", "Store", "alive", "this_process"]

T = TypeVar("T")
CLAIM_S = 0.08  # a notebook must not pause for more than 0.1 s
CHECKED_BYTES = 32_000_000  # larger files are checked only in the writer's thread: 2.5 ms per MB
logger = logging.getLogger("ollama_magic.store")


class Store:
    """The conversations of one user, on disk.

    Reads happen in the calling thread; changes are committed by one writer thread, and their futures are then done.
    If the file cannot be written, changes wait in memory, and `problem` says why.
    """

    def __init__(self, path: Path | None = None) -> None:
        """Create the store at this path, by default in the platform's data folder, without touching a file yet."""
        self._process = os.getpid()
        self._writers: dict[str, Writer] = {}
        self._unread: set[str] = set()  # notebooks with unreadable rows: nothing is appended to those
        self._sound: dict[Path, tuple[tuple[int, int] | None, bool]] = {}
        self._erased = False  # then damaged files are not read any more: they may hold erased text
        self._reading_problem = ""
        unusable = None
        try:
            self.path = locations.resolve_path(path) if path else locations.default_path()
        except StoreError as error:
            self.path, unusable = Path(locations.NAME), error
            self._reading_problem = str(error)
        self._homeless = unusable is not None
        self._file = CurrentFile(self.path, unusable)
        self._writer = StoreWriter(self._file)

    @property
    def problem(self) -> str:
        """What is wrong with the store, in one line, or ""; damage stays until the kernel ends."""
        return self._writer.problem or self._file.damage or self._reading_problem

    def on_replaced(self, do: Callable[[], None]) -> None:
        """Set the function that the writer's thread calls when an empty file has replaced a damaged one."""
        self._file.on_replaced = do

    def notebooks(self) -> list[NotebookRecord]:
        """Return the newest record of every known notebook."""
        newest: dict[str, NotebookRecord] = {}
        for path, (records, whole) in self._read_each(transactions.read_notebooks):
            if not whole:
                self._found_damaged(path)
            for record in records:
                if record.id not in newest or record.seen_at >= newest[record.id].seen_at:
                    newest[record.id] = record
        return list(newest.values())

    def rows(self, notebook: str) -> list[Row]:
        """Return the changes of a notebook in order.

        If one is damaged, only those before it are returned, and `problem` says so.
        """
        self._unread.discard(notebook)
        rows: dict[int, Row] = {}
        for path, found in self._read_each(partial(transactions.read_rows, notebook=notebook), notebook):
            good = trusted(notebook, found, sound=self._sound[path][1])
            if len(good) < len(found):
                self._found_damaged(path)
            for row in good:
                if rows.setdefault(row.counter, row) != row:  # two kernels wrote it without locks
                    self._reading_problem = problems.damaged(path)
                    return [rows[counter] for counter in sorted(rows) if counter < row.counter]
        return [rows[counter] for counter in sorted(rows)]

    def append(self, notebook: str, rows: Sequence[Row]) -> Future[None]:
        """Save rows; the future is done when they are on the disk, and has a StoreError if they never will be.

        The same rows may be saved twice. Different content for a known counter is refused, and so is a notebook that
        another running process has claimed.
        """
        if notebook in self._unread:
            return _failed("The saved turns of this notebook could not be read, so nothing is added to them.")
        writer = self._writers.get(notebook)
        return self._change(partial(transactions.append, notebook=notebook, rows=tuple(rows), writer=writer))

    def save_notebook(self, record: NotebookRecord) -> Future[None]:
        """Save where a notebook is, which cells ran in it, and who writes it, if known."""
        return self._change(partial(transactions.save_notebook, record=record))

    def claim(self, notebook: str, writer: Writer, timeout: float = CLAIM_S) -> bool:
        """Claim a notebook for a process; return False while another running process has it.

        If the claim takes longer than `timeout` seconds, the store is only read; the claim follows, and appends are
        refused if another process was faster.
        """
        self._writers[notebook] = writer
        claimed = self._change(partial(transactions.claim, notebook=notebook, writer=writer))
        try:
            free = bool(claimed.result(timeout))
        except (NotYet, StoreError):
            found = list(self._read_each(partial(transactions.claim, notebook=notebook, writer=None)))
            free = all(result for _, result in found)
        if not free:
            del self._writers[notebook]
        logger.debug("notebook %s is %s", notebook, "claimed" if free else "written by another process")
        return free

    def release(self, notebook: str) -> None:
        """Release the claim, without waiting."""
        writer = self._writers.pop(notebook, None)
        if writer is not None:
            self._change(partial(transactions.release, notebook=notebook, writer=writer))

    def erase(self, notebook: str, counters: Collection[int], replacement: Sequence[Row] = ()) -> Future[None]:
        """Erase rows so that no byte of them is left in the store's folder, and add a replacement.

        The future has a StoreError if a damaged file, or another kernel's, may still hold them; it names that file.
        """
        self._erased = True
        change = partial(
            transactions.erase,
            notebook=notebook,
            counters=tuple(counters),
            replacement=tuple(replacement),
            writer=self._writers.get(notebook),
        )
        return self._change(change, vacuums=True)

    def answers(self, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        """Return the saved answers to rows of maps, by their keys; those that are not saved are missing."""
        found: dict[bytes, bytes] = {}
        for _, part in self._read_each(partial(answers.read_answers, keys=keys)):
            found.update(part)
        return found

    def save_answers(self, found: Sequence[tuple[bytes, bytes]]) -> Future[None]:
        """Save answers to rows of maps; the future is done when they are on the disk."""
        return self._change(partial(answers.save_answers, answers=tuple(found)))

    def erase_answers(self, keys: Collection[bytes]) -> Future[None]:
        """Erase answers to rows of maps so that no byte of them is left in the store's folder."""
        self._erased = True
        return self._change(partial(answers.erase_answers, keys=tuple(keys)), vacuums=True)

    def close(self, timeout: float = 2.0) -> None:
        """Save pending changes within `timeout` seconds, release all claims, and end; what is not saved fails."""
        if os.getpid() == self._process:
            for notebook in list(self._writers):
                self.release(notebook)
            self._writer.close(timeout)

    def _change(self, change: Callable[[Connection], T], vacuums: bool = False) -> Future[T]:
        if os.getpid() != self._process:
            return _failed("A process that was forked from the kernel cannot save a conversation.")
        task = Task(change, vacuums)
        self._writer.submit(task)
        return task.future

    def _read_each(self, read: Callable[[Connection], T], notebook: str = "") -> Iterator[tuple[Path, T]]:
        """Read every file of the store; an unreadable file is skipped, and `problem` says why."""
        for path in self._files():
            try:
                if os.path.exists(path):  # noqa: PTH110 (Path.exists() raises in a folder without permission)
                    yield from self._read(path, read)
            except problems.Damaged:
                self._found_damaged(path)
            except Exception as error:  # noqa: BLE001 - SQLite's or the system's: the chat continues
                self._reading_problem = problems.line(error, path)
                if not isinstance(error, problems.Unusable):
                    self._unread.add(notebook)

    def _files(self) -> list[Path]:
        if self._homeless:
            return []
        files = [locations.current(base) for base in (self.path, *locations.kernels_files(self.path))]
        return [*files, self._file.aside] if self._file.aside and not self._erased else files

    def _read(self, path: Path, read: Callable[[Connection], T]) -> list[tuple[Path, T]]:
        from ollama_magic.store import database

        with database.reading(path) as connection:
            if not database.has_schema(connection):
                return []
            self._check_once(path, connection)
            self._file.was_read(path)
            return [(path, read(connection))]

    def _check_once(self, path: Path, connection: Connection) -> None:
        """Check every page of a file that was not read before."""
        from ollama_magic.store import database

        file = locations.identity(path)
        if self._sound.get(path, (None, False))[0] != file:
            sound = path.stat().st_size > CHECKED_BYTES or database.is_sound(connection)
            self._sound[path] = file, sound
            if not sound:
                self._found_damaged(path)

    def _found_damaged(self, path: Path) -> None:
        self._reading_problem = problems.damaged(path)
        self._file.found_damaged(path)


def _failed(message: str) -> Future[T]:
    future: Future[T] = Future()
    future.set_exception(StoreError(message))
    return future
