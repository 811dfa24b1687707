"""The store: what every notebook's journal holds, in one SQLite file per user (design §4). It never reads a body.

values     rows, records, checksums          transactions   what happens inside a transaction
process    who lives                         database       connections, settings, schema
files      where and how named               current        the one file that is written now
trouble    what can be wrong, in one line    writer         the thread that commits, and retries
"""

from __future__ import annotations

import os
from concurrent.futures import Future, TimeoutError as NotYet
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from ollama_magic.errors import StoreError
from ollama_magic.store import files, transactions, trouble
from ollama_magic.store.current import CurrentFile
from ollama_magic.store.process import alive, this_process
from ollama_magic.store.values import NotebookRecord, Reading, Row
from ollama_magic.store.writer import StoreWriter, Task

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from sqlite3 import Connection

    from ollama_magic.store.values import Writer

__all__ = ["NotebookRecord", "Row", "Store", "alive", "this_process"]

T = TypeVar("T")
CLAIM_S = 0.08  # no pause above 0.1 s in a notebook (issue 5)


class Store:
    """The conversations of one user, on disk.

    Reading is short and done where it is asked for; every change is handed to the one writer thread, and its future
    is done when it is committed. In trouble changes wait in memory, `problem` says why, and they are saved after it.
    """

    def __init__(self, path: Path | None = None) -> None:
        """The store at that path; None: in the platform's data folder. No file is touched before it is needed."""
        self._process = os.getpid()
        self._writers: dict[str, Writer] = {}
        self._unread: set[str] = set()
        self._reading_problem = ""
        unusable = None
        try:
            self.path = files.told_path(path) if path else files.default_path()
        except StoreError as error:
            self.path, unusable = Path(files.NAME), error
            self._reading_problem = str(error)
        self._homeless = unusable is not None
        self._file = CurrentFile(self.path, unusable)
        self._writer = StoreWriter(self._file)

    @property
    def problem(self) -> str:
        """What is wrong with the store now, in one line, or nothing; that something was damaged stays."""
        return self._writer.problem or self._file.damage or self._reading_problem

    @property
    def unread(self) -> frozenset[str]:
        """Notebooks whose rows could not be read, for a lock or a failing disk; nothing is appended to those."""
        return frozenset(self._unread)

    def notebooks(self) -> list[NotebookRecord]:
        """Every notebook that is known, as it was last told of."""
        newest: dict[str, NotebookRecord] = {}
        for path, (records, whole) in self._each(transactions.read_notebooks):
            if not whole:
                self._reading_problem = trouble.damaged(path)
            for record in records:
                if record.id not in newest or record.seen_at >= newest[record.id].seen_at:
                    newest[record.id] = record
        return list(newest.values())

    def rows(self, notebook: str) -> list[Row]:
        """The changes of a notebook, in the order of their counters.

        Where a change is damaged or lost, those before it: what follows it cannot be trusted, and `problem` says so.
        """
        self._unread.discard(notebook)
        rows: dict[int, Row] = {}
        for path, reading in self._each(partial(transactions.read_rows, notebook=notebook), notebook):
            self._note(path, notebook, reading)
            for row in reading.rows:
                if rows.setdefault(row.counter, row) != row:  # two kernels wrote it where there are no locks
                    self._reading_problem = trouble.damaged(path)
                    return [rows[counter] for counter in sorted(rows) if counter < row.counter]
        return [rows[counter] for counter in sorted(rows)]

    def append(self, notebook: str, rows: Sequence[Row]) -> Future[None]:
        """Have rows saved; returns at once. Done: they are on the disk. StoreError: never, for the reason it says.

        The same rows may come again. Another content in a place that is taken is refused, and so is a notebook that
        another living process has claimed.
        """
        if notebook in self._unread:
            return _failed("What is saved of this notebook could not be read: nothing is added to it.")
        writer = self._writers.get(notebook)
        return self._change(partial(transactions.append, notebook=notebook, rows=tuple(rows), writer=writer))

    def tell(self, record: NotebookRecord) -> Future[None]:
        """Have kept where a notebook is, which cells ran in it, and who writes it, if that is told."""
        return self._change(partial(transactions.tell, record=record))

    def claim(self, notebook: str, writer: Writer, timeout: float = CLAIM_S) -> bool:
        """Whether the process writes this notebook from now on; False while another living one does.

        A store that does not answer in so many seconds is looked at only; the claim follows, and if somebody was
        quicker after all, what is appended is refused.
        """
        self._writers[notebook] = writer
        claimed = self._change(partial(transactions.claim, notebook=notebook, writer=writer))
        try:
            free = bool(claimed.result(timeout))
        except (NotYet, StoreError):
            found = list(self._each(partial(transactions.claim, notebook=notebook, writer=None)))
            free = all(result for _, result in found)
        if not free:
            del self._writers[notebook]
        return free

    def release(self, notebook: str) -> None:
        """Give up the claim; nothing waits for it."""
        writer = self._writers.pop(notebook, None)
        if writer is not None:
            self._change(partial(transactions.release, notebook=notebook, writer=writer))

    def erase(self, notebook: str, counters: Collection[int], replacement: Sequence[Row] = ()) -> Future[None]:
        """Take rows out so that no byte of them is left in our folder, and put others in their place.

        Done: so it is. StoreError: a damaged file, or another kernel's, may still hold them, and the line names it.
        """
        change = partial(
            transactions.erase,
            notebook=notebook,
            counters=tuple(counters),
            replacement=tuple(replacement),
            writer=self._writers.get(notebook),
        )
        return self._change(change, scours=True)

    def close(self, timeout: float = 2.0) -> None:
        """Save what waits, for so many seconds at most, give up all claims, and end; what is not saved then fails."""
        if os.getpid() == self._process:
            for notebook in list(self._writers):
                self.release(notebook)
            self._writer.close(timeout)

    def _change(self, change: Callable[[Connection], T], scours: bool = False) -> Future[T]:
        if os.getpid() != self._process:
            return _failed("A process that was forked from the kernel keeps no conversation.")
        task = Task(change, scours)
        self._writer.submit(task)
        return task.future

    def _each(self, read: Callable[[Connection], T], notebook: str = "") -> Iterator[tuple[Path, T]]:
        """What every file of the store says; a file that cannot be read says nothing, and `problem` tells why."""
        for path in self._files():
            try:
                yield from ((found, read(connection)) for found, connection in self._look(path))
            except trouble.Damaged as error:
                self._reading_problem = trouble.line(error, path)
                self._file.distrust(path, notebook, 0)
            except Exception as error:  # noqa: BLE001 - SQLite's or the system's: the chat goes on
                self._reading_problem = trouble.line(error, path)
                if not isinstance(error, trouble.Unusable):
                    self._unread.add(notebook)

    def _files(self) -> list[Path]:
        return [] if self._homeless else [self.path, *files.kernels_files(self.path)]

    def _look(self, base: Path) -> Iterator[tuple[Path, Connection]]:
        """The newest generation of a file; the one before it where its maker died at making it."""
        from ollama_magic.store import database

        for number in range(files.generation(base, files.newest(base)), 0, -1):
            path = files.nth(base, number)
            if os.path.exists(path):  # noqa: PTH110 (Path.exists() raises where a folder is closed to us)
                with database.reading(path) as connection:
                    if database.begun(connection):
                        yield path, connection
                        return

    def _note(self, path: Path, notebook: str, reading: Reading) -> None:
        if reading.damaged:
            self._reading_problem = trouble.damaged(path.with_name(reading.damaged))
        elif not reading.whole:
            self._reading_problem = trouble.damaged(path)
            last = reading.rows[-1].counter if reading.rows else 0
            self._file.distrust(path, notebook, last)


def _failed(message: str) -> Future[T]:
    future: Future[T] = Future()
    future.set_exception(StoreError(message))
    return future
