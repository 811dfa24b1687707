"""SQLite as the store uses it: connections, settings, the schema, and whether a file is sound. No journal here."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from ollama_magic.store import files
from ollama_magic.store.trouble import Damaged, kind, newer, stranger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from sqlite3 import Connection

APPLICATION = 0x6F6C6D67  # in the file's header: this is a store of ours
VERSION = 1
BUSY_S = 0.03  # per attempt: SQLite asks ever more rarely, and who asks anew gets its turn; the caller tries for 10 s
READ_BUSY_S = 2.0
SCOUR_BUSY_S = 1.0  # it rewrites the whole file: not often

# Texts are bytes: lone surrogates and zeros come through, and damage is found by checksums and not by a decoder.
OURS = {b"changes", b"heads", b"notebooks", b"writers"}
SCHEMA = """
CREATE TABLE changes (
    notebook BLOB, counter INTEGER, step INTEGER, conversation BLOB, kind BLOB, body BLOB, checksum BLOB,
    PRIMARY KEY (notebook, counter)
) WITHOUT ROWID;
CREATE TABLE heads (notebook BLOB PRIMARY KEY, first INTEGER, count INTEGER, total BLOB, damaged BLOB) WITHOUT ROWID;
CREATE TABLE notebooks (
    id BLOB PRIMARY KEY, path BLOB, inode BLOB, device BLOB, seen_at REAL, cells BLOB, checksum BLOB
) WITHOUT ROWID;
CREATE TABLE writers (notebook BLOB PRIMARY KEY, pid INTEGER, started REAL, machine BLOB, seen_at REAL) WITHOUT ROWID;
"""


@contextmanager
def reading(path: Path) -> Iterator[Connection]:
    """A short look at a sound store: one snapshot. It creates no store and changes none.

    A read-only folder has no room for what SQLite puts beside a store; then a copy is read.
    """
    _refuse_lost_log(path)
    with _reader(path) as connection:
        examine(connection, path)
        yield connection


def open_writer(
    path: Path, first: Callable[[Connection], None], *, known: bool = False, lockless: bool = False
) -> Connection:
    """A connection that writes durably; the file is made, and looked over before anything in it is touched.

    `first` is called in the transaction that makes the schema; a file `known` to be sound is not looked over.
    """
    files.prepare(path)
    _refuse_lost_log(path)
    with closing(_connect(path, "ro", lockless=lockless)) as connection:
        examine(connection, path)
        if not known:
            _look_over(connection)
    connection = _connect(path, "rw", lockless=lockless)
    try:
        _set_up(connection, wal=not lockless and not files.on_network(path.parent))
        _make_schema(connection, first)
    except BaseException:
        connection.close()
        raise
    return connection


def examine(connection: Connection, path: Path) -> None:
    """Raise Damaged or Unusable unless the file is a store of ours, or empty."""
    try:
        application, version = _pragma(connection, "application_id"), _pragma(connection, "user_version")
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type='table'")}
    except _sqlite_error() as error:
        raise _translated(error) from None
    if application != APPLICATION and tables >= OURS:
        raise Damaged("the header of a store is lost")
    if application != APPLICATION and (tables or application or version):
        raise stranger(path)
    if version > VERSION:
        raise newer(path)
    if tables and (version < VERSION or not tables >= OURS):
        raise Damaged("tables of a store are lost")


def begun(connection: Connection) -> bool:
    """Whether the file has our schema: one that was just made, or whose maker died at it, is empty."""
    return _pragma(connection, "user_version") != 0


def scour(connection: Connection) -> None:
    """Leave no byte of what was deleted: rewrite the file without its free space, and empty the log.

    Moved parts of a page can outlive `secure_delete`. Raises «locked» while somebody reads the old state.
    """
    connection.execute(f"PRAGMA busy_timeout={SCOUR_BUSY_S * 1000:.0f}").close()
    try:
        connection.execute("VACUUM")
        busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    finally:
        connection.execute(f"PRAGMA busy_timeout={BUSY_S * 1000:.0f}").close()
    if busy:
        raise _sqlite_error()("database is locked")


def set_journal_mode(connection: Connection, mode: str) -> str:
    """Ask for a journal mode; the answer is the one that is used, which may be another."""
    answer: bytes = connection.execute(f"PRAGMA journal_mode={mode}").fetchone()[0]
    return answer.decode()


def _set_up(connection: Connection, wal: bool) -> None:
    for setting in ("synchronous=FULL", "secure_delete=ON", "temp_store=MEMORY"):
        connection.execute(f"PRAGMA {setting}").close()
    if wal:
        try:
            wal = set_journal_mode(connection, "WAL") == "wal"
        except _sqlite_error() as error:
            if kind(error) != "other":
                raise
            wal = False  # no shared memory here
    if not wal:
        set_journal_mode(connection, "DELETE")


def _make_schema(connection: Connection, first: Callable[[Connection], None]) -> None:
    if begun(connection):
        return
    connection.execute("BEGIN IMMEDIATE")
    if not begun(connection):  # another process may have been quicker
        for statement in SCHEMA.split(";"):
            connection.execute(statement)
        first(connection)
        connection.execute(f"PRAGMA application_id={APPLICATION}")
        connection.execute(f"PRAGMA user_version={VERSION}")
    connection.execute("COMMIT")


def _look_over(connection: Connection) -> None:
    try:
        answer = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    except _sqlite_error() as error:
        raise _translated(error) from None
    if answer != b"ok":
        raise Damaged(str(answer))


@contextmanager
def _reader(path: Path) -> Iterator[Connection]:
    for mode in ("ro", "rw"):  # only «rw» can take back what a killed process began in a rollback journal
        try:
            connection = _connect(path, mode, READ_BUSY_S)
        except _sqlite_error():
            continue
        with closing(connection):
            if not _readable(connection, path):
                continue
            yield connection
            return
    with (
        tempfile.TemporaryDirectory(prefix="ollama_magic-") as folder,
        closing(_connect(_copy(path, Path(folder)), "rw")) as connection,
    ):
        connection.execute("BEGIN")
        yield connection


def _readable(connection: Connection, path: Path) -> bool:
    try:
        connection.execute("BEGIN")
        _pragma(connection, "user_version")
    except _sqlite_error() as error:
        if kind(error) == "damaged" or (kind(error) == "locked" and files.locks_usable(path.parent)):
            raise _translated(error) from None
        return False
    return True


def _copy(path: Path, folder: Path) -> Path:
    for each in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-journal")):
        if each.exists():
            shutil.copyfile(each, folder / each.name)
    return folder / path.name


def _connect(path: Path, mode: str, busy: float = BUSY_S, lockless: bool = False) -> Connection:
    import sqlite3

    name = path.as_posix()
    uri = f"file://{'' if name.startswith('/') else '/'}{quote(name, errors='surrogateescape')}?mode={mode}"
    connection = sqlite3.connect(uri + "&nolock=1" * lockless, uri=True, timeout=busy, isolation_level=None)
    connection.text_factory = bytes
    for setting in ("trusted_schema=OFF", "cell_size_check=ON"):
        connection.execute(f"PRAGMA {setting}").close()
    return connection


def _refuse_lost_log(path: Path) -> None:
    """An empty file beside a log that is not: SQLite would delete the log."""
    log = path.with_name(f"{path.name}-wal")
    if path.stat().st_size == 0 and log.exists() and log.stat().st_size:
        raise Damaged("the file is empty and its log is not")


def _pragma(connection: Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])


def _translated(error: Exception) -> Exception:
    return Damaged(str(error)) if kind(error) == "damaged" else error


def _sqlite_error() -> type[Exception]:
    import sqlite3

    return sqlite3.Error
