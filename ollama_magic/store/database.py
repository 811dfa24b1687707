"""SQLite as the store uses it: connections, settings, the schema, and integrity checks."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from ollama_magic.store import locations
from ollama_magic.store.problems import Damaged, another_program, kind_of, newer_schema, no_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from sqlite3 import Connection

APPLICATION = 0x6F6C6D67  # in the file's header: this file is a store
VERSION = 3
# The answers to the rows of maps, by the hash of everything that they depend on.
ANSWERS = "CREATE TABLE IF NOT EXISTS answers (key BLOB PRIMARY KEY, body BLOB, checksum BLOB, saved_at REAL)"
# Each content once, by its hash, and which changes hold it: what no change holds any more is deleted.
ATTACHMENTS = """
CREATE TABLE IF NOT EXISTS attachments (sha256 BLOB PRIMARY KEY, data BLOB);
CREATE TABLE IF NOT EXISTS attached (
    notebook BLOB, counter INTEGER, sha256 BLOB, PRIMARY KEY (notebook, counter, sha256)
) WITHOUT ROWID
"""
# From that version to the next; version 1 counted the rows of each notebook in `heads`, version 2 had neither answers
# of maps nor attachments.
MIGRATIONS = {
    1: "DROP TABLE heads; ALTER TABLE notebooks ADD COLUMN known_as BLOB",
    2: f"{ANSWERS}; {ATTACHMENTS}",
}
BUSY_S = 0.03  # per attempt: SQLite polls ever more rarely, so the caller retries for 10 s
READ_BUSY_S = 2.0
VACUUM_BUSY_S = 1.0  # it rewrites the whole file, but rarely

# Texts are bytes: lone surrogates and zeros come through, and damage is found by checksums and not by a decoder.
OURS = {b"changes", b"notebooks", b"writers"}
OURS_FROM_3 = {*OURS, b"attachments", b"attached"}
SCHEMA = f"""
CREATE TABLE changes (
    notebook BLOB, counter INTEGER, step INTEGER, conversation BLOB, kind BLOB, body BLOB, checksum BLOB,
    PRIMARY KEY (notebook, counter)
) WITHOUT ROWID;
CREATE TABLE notebooks (
    id BLOB PRIMARY KEY, path BLOB, inode BLOB, device BLOB, seen_at REAL, cells BLOB, checksum BLOB,
    known_as BLOB
) WITHOUT ROWID;
CREATE TABLE writers (notebook BLOB PRIMARY KEY, pid INTEGER, started REAL, machine BLOB, seen_at REAL) WITHOUT ROWID;
{ATTACHMENTS}
"""


@contextmanager
def reading(path: Path) -> Iterator[Connection]:
    """Open one snapshot of a store for a short read, without creating or changing it.

    SQLite cannot create its files beside a store in a read-only folder; then a copy is read.
    """
    _refuse_lost_log(path)
    with _reader(path) as connection:
        examine(connection, path)
        yield connection


def open_writer(path: Path, *, lockless: bool = False) -> Connection:
    """Open a connection that writes durably; the file is created if missing, and checked before it is changed."""
    locations.prepare(path)
    _refuse_lost_log(path)
    with closing(_connect(path, "ro", lockless=lockless)) as connection:
        connection.execute("BEGIN")  # one snapshot: another process may be creating the tables
        examine(connection, path)
        if not is_sound(connection):
            raise Damaged("SQLite finds damaged pages")
    connection = _connect(path, "rw", lockless=lockless)
    try:
        _set_up(connection, wal=not lockless and not locations.on_network(path.parent))
        _make_schema(connection)
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Lock this file against other processes in the same block; raises SQLite's «locked» if one holds it."""
    lock = path.with_name(f"{path.name}-lock")
    with closing(_connect(lock, "rwc")) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        yield
        with suppress(OSError):  # Windows does not delete open files
            lock.unlink()


def examine(connection: Connection, path: Path) -> None:
    """Raise Damaged or Unusable unless the file is a store, or empty."""
    try:
        application, version = _pragma(connection, "application_id"), _pragma(connection, "user_version")
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type='table'")}
    except _sqlite_error() as error:
        raise _as_damage(error) from None
    if application != APPLICATION and tables >= OURS:
        raise Damaged("the header of a store is lost")
    if application != APPLICATION and (tables or application or version):
        raise another_program(path)
    if version > VERSION:
        raise newer_schema(path)
    if tables and (version < 1 or not tables >= (OURS if version < 3 else OURS_FROM_3)):
        raise Damaged("tables of a store are lost")


def has_schema(connection: Connection) -> bool:
    """Whether the file has the store's tables; a new file has none."""
    return _pragma(connection, "user_version") != 0


def is_sound(connection: Connection) -> bool:
    """Whether SQLite finds no damaged page, and all rows in their order; checksums cover their content.

    The quick check would pass a file in which two pages of a table changed places, and rows would not be found.
    """
    try:
        return bool(connection.execute("PRAGMA integrity_check(1)").fetchone()[0] == b"ok")
    except _sqlite_error() as error:
        if kind_of(error) != "damaged":
            raise
        return False


def vacuum(connection: Connection) -> None:
    """Remove every byte of what was deleted: rewrite the file without free space, and empty the log.

    Moved parts of a page can survive `secure_delete`. Raises «locked» while another connection reads the old state.
    """
    connection.execute(f"PRAGMA busy_timeout={VACUUM_BUSY_S * 1000:.0f}").close()
    try:
        connection.execute("VACUUM")
        busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    finally:
        connection.execute(f"PRAGMA busy_timeout={BUSY_S * 1000:.0f}").close()
    if busy:
        raise _sqlite_error()("database is locked")


def set_journal_mode(connection: Connection, mode: str) -> str:
    """Request a journal mode; return the one that SQLite uses."""
    answer: bytes = connection.execute(f"PRAGMA journal_mode={mode}").fetchone()[0]
    return answer.decode()


def _set_up(connection: Connection, wal: bool) -> None:
    for setting in ("synchronous=FULL", "secure_delete=ON", "temp_store=MEMORY"):
        connection.execute(f"PRAGMA {setting}").close()
    if wal:
        try:
            wal = set_journal_mode(connection, "WAL") == "wal"
        except _sqlite_error() as error:
            if kind_of(error) != "other":
                raise
            wal = False  # no shared memory
    if not wal:
        set_journal_mode(connection, "DELETE")


def _make_schema(connection: Connection) -> None:
    if _pragma(connection, "user_version") == VERSION:
        return
    connection.execute("BEGIN IMMEDIATE")
    version = _pragma(connection, "user_version")  # another process may have been faster
    steps = [MIGRATIONS[before] for before in range(version, VERSION)] if version else [SCHEMA, ANSWERS]
    for statement in ";".join(steps).split(";"):
        connection.execute(statement)
    connection.execute(f"PRAGMA application_id={APPLICATION}")
    connection.execute(f"PRAGMA user_version={VERSION}")
    connection.execute("COMMIT")


@contextmanager
def _reader(path: Path) -> Iterator[Connection]:
    for mode in ("ro", "rw"):  # only «rw» can roll back what a killed process left in a journal
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
        if kind_of(error) == "damaged" or (kind_of(error) == "locked" and locations.locks_usable(path.parent)):
            raise _as_damage(error) from None
        return False
    return True


def _copy(path: Path, folder: Path) -> Path:
    for each in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-journal")):
        if each.exists():
            shutil.copyfile(each, folder / each.name)
    return folder / path.name


def _connect(path: Path, mode: str, busy: float = BUSY_S, lockless: bool = False) -> Connection:
    import sqlite3

    if path.exists() and not path.is_file():
        raise no_file(path)  # to open a pipe would wait, and a device may have no end
    name = path.as_posix()
    uri = f"file://{'' if name.startswith('/') else '/'}{quote(name, errors='surrogateescape')}?mode={mode}"
    connection = sqlite3.connect(uri + "&nolock=1" * lockless, uri=True, timeout=busy, isolation_level=None)
    connection.text_factory = bytes
    for setting in ("trusted_schema=OFF", "cell_size_check=ON"):
        connection.execute(f"PRAGMA {setting}").close()
    return connection


def _refuse_lost_log(path: Path) -> None:
    """Refuse an empty file with a log that is not empty: SQLite would delete the log."""
    log = path.with_name(f"{path.name}-wal")
    has_log = log.exists() and log.stat().st_size > 0  # looked at first: SQLite writes the file before the log
    if has_log and path.stat().st_size == 0:
        raise Damaged("the file is empty and its log is not")


def _pragma(connection: Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])


def _as_damage(error: Exception) -> Exception:
    return Damaged(str(error)) if kind_of(error) == "damaged" else error


def _sqlite_error() -> type[Exception]:
    import sqlite3

    return sqlite3.Error
