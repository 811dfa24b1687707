"""What is read and written inside one transaction: rows, notebooks, writers. It opens and commits nothing."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

from ollama_magic.errors import StoreError
from ollama_magic.store.process import claim_holds, this_machine, this_process
from ollama_magic.store.values import (
    Found,
    Head,
    NotebookRecord,
    Reading,
    Row,
    from_bytes,
    record_checksum,
    row_checksum,
    to_bytes,
    trusted,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from sqlite3 import Connection

    from ollama_magic.store.values import Writer

REFRESHED_S = 60.0  # how old a claim may look to other machines while its kernel writes
_ROWS = "SELECT counter, step, conversation, kind, body, checksum FROM changes WHERE notebook = ? ORDER BY counter"
_NOTEBOOKS = "SELECT id, path, inode, device, seen_at, cells, checksum FROM notebooks ORDER BY id"
_WRITER = "SELECT pid, started, machine, seen_at FROM writers WHERE notebook = ?"


def read_rows(connection: Connection, notebook: str) -> Reading:
    """The rows of a notebook that can be trusted."""
    head, found = Head(), []
    try:
        head = _head(connection, notebook)
        for values in connection.execute(_ROWS, (to_bytes(notebook),)):
            found.append(_found(values))  # noqa: PERF401 - what came before an error is kept
    except Exception as error:  # noqa: BLE001 - SQLite's, or that of a value that is none
        _unless_damaged(error)
        found.append(Found(None, b""))
    return trusted(notebook, found, head)


def read_notebooks(connection: Connection) -> tuple[list[NotebookRecord], bool]:
    """The notebooks that are known, and whether every record could be read."""
    records, whole = [], True
    try:
        for values in connection.execute(_NOTEBOOKS):
            record = _record(values)
            whole = whole and record is not None
            records += [_with_writer(connection, record)] if record else []
    except Exception as error:  # noqa: BLE001 - SQLite's, or that of a value that is none
        _unless_damaged(error)
        whole = False
    return records, whole


def append(connection: Connection, notebook: str, rows: Sequence[Row], writer: Writer | None) -> None:
    """Add rows; the same rows again are no error. StoreError where another process writes, or has that place."""
    _refuse_unless_free(connection, notebook, writer)
    _add(connection, notebook, rows)


def erase(
    connection: Connection, notebook: str, counters: Collection[int], replacement: Sequence[Row], writer: Writer | None
) -> None:
    """Take rows out, and put others in their place; what is not there is no error."""
    _refuse_unless_free(connection, notebook, writer)
    key, head = to_bytes(notebook), _head(connection, notebook)
    for counter in counters:
        where = "FROM changes WHERE notebook = ? AND counter = ?"
        kept = connection.execute(f"SELECT checksum {where}", (key, counter)).fetchone()
        if kept is not None:
            connection.execute(f"DELETE {where}", (key, counter))
            head = head.minus(kept[0])
    first = connection.execute("SELECT min(counter) FROM changes WHERE notebook = ?", (key,)).fetchone()[0]
    _put_head(connection, notebook, Head(first or 0, head.count, head.total, head.damaged))
    _add(connection, notebook, replacement)


def tell(connection: Connection, record: NotebookRecord) -> None:
    """Keep where a notebook is and what runs in it; its writer too, unless another living process is that."""
    cells = json.dumps(sorted(record.cells))
    numbers = (to_bytes(str(record.inode)), to_bytes(str(record.device)))  # larger than SQLite's on some systems
    values = (to_bytes(record.id), to_bytes(record.path), *numbers, record.seen_at, to_bytes(cells))
    connection.execute("REPLACE INTO notebooks VALUES (?, ?, ?, ?, ?, ?, ?)", (*values, record_checksum(record)))
    claim(connection, record.id, record.writer)


def claim(connection: Connection, notebook: str, writer: Writer | None) -> bool:
    """Whether the process may write the notebook, from now on alone; None asks and takes nothing."""
    kept = connection.execute(_WRITER, (to_bytes(notebook),)).fetchone()
    if kept is not None:
        held, machine, seen_at = (kept[0], kept[1]), from_bytes(kept[2]), kept[3]
        same = held in (writer, this_process()) and machine == this_machine()
        if not same and claim_holds(held, machine, seen_at):
            return False
        if same and abs(time.time() - seen_at) < REFRESHED_S:
            return True
    if writer is not None:
        values = (to_bytes(notebook), *writer, to_bytes(this_machine()), time.time())
        connection.execute("REPLACE INTO writers VALUES (?, ?, ?, ?, ?)", values)
    return True


def release(connection: Connection, notebook: str, writer: Writer) -> None:
    """Give up the claim of that process."""
    delete = "DELETE FROM writers WHERE notebook = ? AND pid = ? AND started = ? AND machine = ?"
    values = (to_bytes(notebook), *writer, to_bytes(this_machine()))
    connection.execute(delete, values)


def salvage(connection: Connection, old: Connection, cuts: dict[str, int], damaged: str) -> None:
    """Take over from a damaged store what can be trusted and is not here yet; `cuts`: the last rows to take.

    Notebooks that lose rows get a note of the file that is `damaged`, if it is told.
    """
    for record in read_notebooks(old)[0]:
        tell(connection, record)
    for notebook in _known(old):
        reading = read_rows(old, notebook)
        last = connection.execute("SELECT max(counter) FROM changes WHERE notebook = ?", (to_bytes(notebook),))
        behind = last.fetchone()[0] or 0
        rows = [row for row in reading.rows if behind < row.counter <= cuts.get(notebook, row.counter)]
        _add(connection, notebook, rows)
        if damaged and (notebook in cuts or not reading.whole):
            kept = _head(connection, notebook)
            _put_head(connection, notebook, Head(kept.first, kept.count, kept.total, damaged))


def _refuse_unless_free(connection: Connection, notebook: str, writer: Writer | None) -> None:
    if not claim(connection, notebook, writer):
        raise StoreError("Another kernel writes this notebook: its conversation is not touched by this one.")


def _add(connection: Connection, notebook: str, rows: Sequence[Row]) -> None:
    head = _head(connection, notebook)
    for row in rows:
        checksum = row_checksum(notebook, row)
        kept = connection.execute(
            "SELECT checksum FROM changes WHERE notebook = ? AND counter = ?", (to_bytes(notebook), row.counter)
        ).fetchone()
        if kept is None:
            _insert(connection, notebook, row, checksum)
            head = head.plus(row.counter, checksum)
        elif kept[0] != checksum:
            raise StoreError(f"Change {row.counter} of this notebook is already saved, with other content.")
    _put_head(connection, notebook, head)


def _known(connection: Connection) -> Iterator[str]:
    for keys in ("SELECT notebook FROM heads", "SELECT id FROM notebooks"):
        seen = set()
        try:
            for (key,) in connection.execute(keys):
                seen.add(from_bytes(key))
        except Exception as error:  # noqa: BLE001 - SQLite's, or that of a value that is none
            _unless_damaged(error)
        yield from seen


def _found(values: tuple[object, ...]) -> Found:
    counter, step, conversation, kind, body, checksum = values
    if not (isinstance(checksum, bytes) and isinstance(counter, int) and isinstance(step, int)):
        return Found(None, b"")
    try:
        texts = [from_bytes(text) for text in (conversation, kind, body) if isinstance(text, bytes)]
        return Found(Row(counter, step, *texts), checksum)
    except (UnicodeDecodeError, TypeError):
        return Found(None, checksum)


def _record(values: tuple[object, ...]) -> NotebookRecord | None:
    try:
        *texts, seen_at, cells, checksum = values
        id_, path, inode, device = (from_bytes(bytes(text)) for text in texts)  # type: ignore[call-overload]
        ran = frozenset(json.loads(cells))  # type: ignore[arg-type]
        record = NotebookRecord(id_, path, int(inode), int(device), ran, float(seen_at))  # type: ignore[arg-type]
        return record if record_checksum(record) == checksum else None
    except (ValueError, TypeError):
        return None


def _with_writer(connection: Connection, record: NotebookRecord) -> NotebookRecord:
    kept = connection.execute(_WRITER, (to_bytes(record.id),)).fetchone()
    here = kept is not None and from_bytes(kept[2]) == this_machine()
    if kept is None or not (here or claim_holds((kept[0], kept[1]), from_bytes(kept[2]), kept[3])):
        return record
    return NotebookRecord(
        record.id, record.path, record.inode, record.device, record.cells, record.seen_at, (kept[0], kept[1])
    )


def _head(connection: Connection, notebook: str) -> Head:
    kept = connection.execute(
        "SELECT first, count, total, damaged FROM heads WHERE notebook = ?", (to_bytes(notebook),)
    ).fetchone()
    if kept is None:
        return Head()
    return Head(kept[0], kept[1], int.from_bytes(kept[2], "big"), from_bytes(kept[3]))


def _put_head(connection: Connection, notebook: str, head: Head) -> None:
    total = head.total.to_bytes(16, "big")
    values = (to_bytes(notebook), head.first, head.count, total, to_bytes(head.damaged))
    connection.execute("REPLACE INTO heads VALUES (?, ?, ?, ?, ?)", values)


def _insert(connection: Connection, notebook: str, row: Row, checksum: bytes) -> None:
    texts = [to_bytes(text) for text in (row.conversation, row.kind, row.body)]
    values = (to_bytes(notebook), row.counter, row.step, *texts, checksum)
    connection.execute("INSERT INTO changes VALUES (?, ?, ?, ?, ?, ?, ?)", values)


def _unless_damaged(error: Exception) -> None:
    """Let pass what damage does to a value; the lock, or the disk, is another matter."""
    from sqlite3 import OperationalError

    if isinstance(error, OperationalError):
        raise error
