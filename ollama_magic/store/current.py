"""The one file of a store that is written now: opened at the first write, again after trouble, replaced after damage.

A damaged file stays as it is; the next generation takes over what can be trusted, in the transaction that makes it.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from ollama_magic.errors import StoreError
from ollama_magic.foreign import one_line
from ollama_magic.store import database, files, transactions
from ollama_magic.store.process import this_process
from ollama_magic.store.trouble import Damaged, Moved, damaged, kind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from sqlite3 import Connection


GENERATIONS = 20  # a disk that damages every file is not filled with them


class CurrentFile:
    """The writing side of a store; every method but `distrust` belongs to the writer's thread."""

    def __init__(self, base: Path, unusable: StoreError | None = None) -> None:
        self.path = base
        self.damage = ""  # the line that tells of it
        self._base = base
        self._unusable = unusable
        self._lockless = False
        self._connection: Connection | None = None
        self._identity: tuple[int, int] | None = None
        self._written: Path | None = None
        self._sound: set[Path] = set()
        self._distrusted: set[Path] = set()
        self._cuts: dict[str, int] = {}

    def distrust(self, path: Path, notebook: str, last: int) -> None:
        """Rows of the notebook behind `last` were read and not trusted: nothing more is written to that file."""
        self._cuts[notebook] = last
        self._distrusted.add(path)

    def transact(self, changes: Sequence[Callable[[Connection], object]]) -> list[object]:
        """Commit changes together; a change that is refused gives its StoreError, and the others stand.

        Moved: the file was deleted or replaced meanwhile, and the same is to be done again in the new one.
        """
        connection = self._ready()
        connection.execute("BEGIN IMMEDIATE")
        results = [_attempt(connection, change) for change in changes]
        connection.execute("COMMIT")
        self._refuse_moved()
        return results

    def scour(self) -> None:
        """Leave no byte of what was deleted, in file and log; StoreError where a damaged file may hold it."""
        database.scour(self._ready())
        left = files.superseded(self._base)
        if left:
            names = one_line(", ".join(str(path) for path in left))
            raise StoreError(
                f"Erased, but what was damaged before may still hold the text; delete it yourself: {names}."
            )

    def recover(self, error: Exception) -> None:
        """Undo what was begun, and be ready for another attempt."""
        if kind(error) == "damaged":
            self._distrusted.add(self.path)
        connection = self._connection
        if kind(error) == "locked" and connection is not None:
            with suppress(Exception):
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                return
        self.close()

    def close(self) -> None:
        """Close the connection; what was not committed is undone."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _ready(self) -> Connection:
        if self._connection is not None:
            self._refuse_moved()
            return self._connection
        if self._unusable is not None:
            raise self._unusable
        self.path = self._path()
        self._connection = self._open()
        self._identity = _identity(self.path)
        self._catch_up(self._connection)
        return self._connection

    def _path(self) -> Path:
        path = files.newest(self._base)
        number = files.generation(self._base, path)
        if path not in self._distrusted or number >= GENERATIONS:
            return path
        following = files.nth(self._base, number + 1)
        self.damage = damaged(path, following)
        return following

    def _open(self) -> Connection:
        try:
            connection = self._opened()
        except Exception as error:
            if self._lockless or kind(error) not in ("other", "locked") or files.locks_usable(self.path.parent):
                raise
            self._lockless, self._base = True, files.kernels_file(self._base, *this_process())
            self.path = self._path()
            connection = self._opened()
        self._sound.add(self.path)
        return connection

    def _opened(self) -> Connection:
        known = self.path in self._sound
        return database.open_writer(self.path, self._inherit, known=known, lockless=self._lockless)

    def _inherit(self, connection: Connection, late: bool = False) -> None:
        """Take over what can be trusted from the generation before, if there is one."""
        number = files.generation(self._base, self.path)
        before = files.nth(self._base, number - 1)
        if number == 1 or not before.exists():
            return
        try:
            with database.reading(before) as old:
                transactions.salvage(connection, old, self._cuts, "" if late else before.name)
        except Damaged:  # nothing in it can be read
            return

    def _catch_up(self, connection: Connection) -> None:
        """Another process replaced the file that we wrote to: what we wrote since goes over too."""
        if self._written not in (None, self.path):
            connection.execute("BEGIN IMMEDIATE")
            self._inherit(connection, late=True)
            connection.execute("COMMIT")
        self._written = self.path

    def _refuse_moved(self) -> None:
        replaced = files.nth(self._base, files.generation(self._base, self.path) + 1)
        if _identity(self.path) != self._identity or replaced.exists() or self.path in self._distrusted:
            self.close()
            raise Moved


def _attempt(connection: Connection, change: Callable[[Connection], object]) -> object:
    from sqlite3 import DataError, IntegrityError, InterfaceError, ProgrammingError

    connection.execute("SAVEPOINT change")
    try:
        result = change(connection)
    except (StoreError, DataError, IntegrityError, InterfaceError, ProgrammingError, OverflowError, TypeError) as error:
        connection.execute("ROLLBACK TO change")
        result = error if isinstance(error, StoreError) else StoreError(f"A change could not be saved: {error}.")
    connection.execute("RELEASE change")
    return result


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
