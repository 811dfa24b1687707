"""The file that a store writes: opened at the first write, reopened after an error, replaced after damage.

A damaged file is renamed and never written again; `on_replaced` saves what is known in the new file.
"""

from __future__ import annotations

import logging
from contextlib import nullcontext, suppress
from typing import TYPE_CHECKING

from ollama_magic.errors import StoreError
from ollama_magic.foreign import one_line
from ollama_magic.store import database, locations
from ollama_magic.store.problems import Damaged, Replaced, damaged, kind_of
from ollama_magic.store.process import this_process

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from sqlite3 import Connection

MAX_DAMAGED = 20  # a disk that damages every file must not be filled with them
logger = logging.getLogger("ollama_magic.store")


class CurrentFile:
    """The writing side of a store; every method but `found_damaged` and `was_read` belongs to the writer's thread."""

    def __init__(self, base: Path, unusable: StoreError | None = None) -> None:
        self.path = base
        self.damage = ""  # the message that says what was renamed
        self.aside: Path | None = None  # its new name; this process still reads what can be trusted in it
        self.on_replaced: Callable[[], None] = lambda: None
        self._base = base
        self._unusable = unusable
        self._lockless = False
        self._connection: Connection | None = None
        self._identity: tuple[int, int] | None = None
        self._used: set[tuple[int, int] | None] = set()  # files that held what this process read or wrote
        self._damaged: set[tuple[int, int] | None] = set()

    def found_damaged(self, path: Path) -> None:
        """Note that this file is damaged, so that nothing more is written to it."""
        self._damaged.add(locations.identity(path))

    def was_read(self, path: Path) -> None:
        """Note that this process has read this file."""
        self._used.add(locations.identity(path))

    def transact(self, changes: Sequence[Callable[[Connection], object]]) -> list[object]:
        """Commit changes together; a refused change yields its StoreError and does not affect the others.

        Raises:
            Replaced: The file was deleted or renamed meanwhile; retry in the new one.
        """
        connection = self._ready()
        connection.execute("BEGIN IMMEDIATE")
        results = [_attempt(connection, change) for change in changes]
        connection.execute("COMMIT")
        self._refuse_replaced()
        return results

    def vacuum(self) -> None:
        """Remove every byte of what was deleted from file and log; StoreError if a damaged file may still hold it."""
        database.vacuum(self._ready())
        left = locations.damaged_files(self._base)
        if left:
            names = one_line(", ".join(str(path) for path in left))
            raise StoreError(
                f"Erased, but what was damaged before may still hold the text; delete it yourself: {names}."
            )

    def recover(self, error: Exception) -> None:
        """Roll back, and prepare for another attempt."""
        if kind_of(error) == "damaged":
            self.found_damaged(self.path)
        connection = self._connection
        if kind_of(error) == "locked" and connection is not None:
            with suppress(Exception):
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                return
        self.close()

    def close(self) -> None:
        """Close the connection; uncommitted changes are rolled back."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _ready(self) -> Connection:
        if self._connection is not None:
            self._refuse_replaced()
            return self._connection
        if self._unusable is not None:
            raise self._unusable
        self.path = locations.current(self._base)
        self._set_damaged_aside()
        self._connection = self._open()
        self._identity = locations.identity(self.path)
        logger.debug("opened %s%s", self.path, " without locks" if self._lockless else "")
        self._notify_of_replacement()
        return self._connection

    def _set_damaged_aside(self) -> None:
        """Rename the file if it was found damaged, unless another process has done so."""
        if not self.path.exists() or locations.identity(self.path) not in self._damaged:
            return
        if len(locations.damaged_files(self._base)) >= MAX_DAMAGED:
            raise Damaged("too many files were damaged before")
        with database.exclusive(self.path) if locations.locks_usable(self.path.parent) else nullcontext():
            if locations.identity(self.path) not in self._damaged:
                return
            self.aside = locations.set_aside(self.path)
        self._damaged.clear()
        self.damage = damaged(self.path, self.aside)
        logger.warning("%s is damaged, and was renamed to %s", self.path, self.aside)

    def _open(self) -> Connection:
        try:
            return database.open_writer(self.path, lockless=self._lockless)
        except Exception as error:
            unlockable = kind_of(error) in ("other", "locked") and not locations.locks_usable(self.path.parent)
            if self._lockless or not unlockable:
                raise
        self._lockless, self._base = True, locations.kernels_file(self._base, *this_process())
        self.path = locations.current(self._base)
        return database.open_writer(self.path, lockless=True)

    def _notify_of_replacement(self) -> None:
        """Call `on_replaced` if the file that we used was damaged and renamed, by any process."""
        aside = {locations.identity(path) for path in locations.damaged_files(self._base)}
        replaced = bool(self._used & aside)
        self._used = {self._identity}
        if replaced:
            logger.info("catching up in %s", self.path)
            self.on_replaced()

    def _refuse_replaced(self) -> None:
        if locations.identity(self.path) != self._identity or self._identity in self._damaged:
            self.close()
            raise Replaced


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
