"""Reads and writes inside a transaction of the caller: rows, notebooks, writers."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ollama_magic.errors import StoreError
from ollama_magic.store import attachments
from ollama_magic.store.problems import unless_damaged
from ollama_magic.store.process import claim_holds, this_machine, this_process
from ollama_magic.store.records import (
    NotebookRecord,
    Row,
    StoredRow,
    from_bytes,
    record_checksum,
    row_checksum,
    to_bytes,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from sqlite3 import Connection

    from ollama_magic.store.records import Writer

REFRESHED_S = 60.0  # how old a claim may look to other machines while its kernel writes
_ROWS = "SELECT counter, step, conversation, kind, body, checksum FROM changes WHERE notebook = ? ORDER BY counter"
_CHECKSUM = "SELECT checksum FROM changes WHERE notebook = ? AND counter = ?"
_NOTEBOOKS = "SELECT * FROM notebooks ORDER BY id"  # version 1 has one column less
_WRITER = "SELECT pid, started, machine, seen_at FROM writers WHERE notebook = ?"


def read_rows(connection: Connection, notebook: str) -> list[StoredRow]:
    """Return the rows of a notebook, up to the first that SQLite cannot read."""
    found = []
    try:
        for values in connection.execute(_ROWS, (to_bytes(notebook),)):
            found.append(_stored_row(values))  # noqa: PERF401 - what came before an error is used
    except Exception as error:  # noqa: BLE001 - SQLite's, or that of a value that is none
        unless_damaged(error)
        found.append(StoredRow(None, b""))
    return attachments.with_contents(connection, notebook, found)


def read_notebooks(connection: Connection) -> tuple[list[NotebookRecord], bool]:
    """Return the known notebooks, and whether every record could be read."""
    records, whole = [], True
    try:
        for values in connection.execute(_NOTEBOOKS):
            record = _record(values)
            whole = whole and record is not None
            records += [_with_writer(connection, record)] if record else []
    except Exception as error:  # noqa: BLE001 - SQLite's, or that of a value that is none
        unless_damaged(error)
        whole = False
    return records, whole


def append(connection: Connection, notebook: str, rows: Sequence[Row], writer: Writer | None) -> None:
    """Add rows, which may exist already; StoreError if another process writes, or a counter has other content."""
    _refuse_unless_free(connection, notebook, writer)
    key = to_bytes(notebook)
    for row in rows:
        checksum = row_checksum(notebook, row)
        stored = connection.execute(_CHECKSUM, (key, row.counter)).fetchone()
        if stored is None:
            texts = [to_bytes(text) for text in (row.conversation, row.kind, row.body)]
            values = (key, row.counter, row.step, *texts, checksum)
            connection.execute("INSERT INTO changes VALUES (?, ?, ?, ?, ?, ?, ?)", values)
            attachments.save(connection, notebook, row)
        elif stored[0] != checksum:
            raise StoreError(f"Change {row.counter} of this notebook is already saved with other content.")


def erase(
    connection: Connection, notebook: str, counters: Collection[int], replacement: Sequence[Row], writer: Writer | None
) -> None:
    """Delete rows, which may be missing, and add a replacement."""
    _refuse_unless_free(connection, notebook, writer)
    keys = [(to_bytes(notebook), counter) for counter in counters]
    connection.executemany("DELETE FROM changes WHERE notebook = ? AND counter = ?", keys)
    attachments.erase(connection, notebook, counters)
    append(connection, notebook, replacement, writer)


def save_notebook(connection: Connection, record: NotebookRecord) -> None:
    """Save where a notebook is and what runs in it; its writer too, unless another running process is."""
    cells, earlier = (to_bytes(json.dumps(sorted(texts))) for texts in (record.cells, record.known_as))
    numbers = (to_bytes(str(record.inode)), to_bytes(str(record.device)))  # larger than SQLite's on some systems
    values = (to_bytes(record.id), to_bytes(record.path), *numbers, record.seen_at, cells, record_checksum(record))
    connection.execute("REPLACE INTO notebooks VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (*values, earlier))
    claim(connection, record.id, record.writer)


def claim(connection: Connection, notebook: str, writer: Writer | None) -> bool:
    """Claim a notebook for a process; return whether it is free. None as writer only asks."""
    stored = connection.execute(_WRITER, (to_bytes(notebook),)).fetchone()
    if stored is not None:
        held, machine, seen_at = stored[:2], from_bytes(stored[2]), stored[3]
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
    """Release the claim of a process."""
    delete = "DELETE FROM writers WHERE notebook = ? AND pid = ? AND started = ? AND machine = ?"
    connection.execute(delete, (to_bytes(notebook), *writer, to_bytes(this_machine())))


def _refuse_unless_free(connection: Connection, notebook: str, writer: Writer | None) -> None:
    if not claim(connection, notebook, writer):
        raise StoreError("Another kernel is writing this notebook, so this one cannot change its conversation.")


def _stored_row(values: tuple[object, ...]) -> StoredRow:
    counter, step, conversation, kind, body, checksum = values
    if not (isinstance(checksum, bytes) and isinstance(counter, int) and isinstance(step, int)):
        return StoredRow(None, b"")
    try:
        name, what, text = (from_bytes(one) for one in (conversation, kind, body) if isinstance(one, bytes))
        return StoredRow(Row(counter, step, name, what, text), checksum)
    except (UnicodeDecodeError, ValueError):
        return StoredRow(None, checksum)


def _record(values: tuple[Any, ...]) -> NotebookRecord | None:
    try:
        *texts, seen_at, cells, checksum, earlier = values if len(values) == 8 else (*values, None)
        id_, path, inode, device = (from_bytes(bytes(text)) for text in texts)
        ran, before = frozenset(json.loads(cells)), frozenset(json.loads(earlier or "[]"))
        record = NotebookRecord(id_, path, int(inode), int(device), ran, float(seen_at), known_as=before)
        return record if record_checksum(record) == checksum else None
    except (ValueError, TypeError):
        return None


def _with_writer(connection: Connection, record: NotebookRecord) -> NotebookRecord:
    stored = connection.execute(_WRITER, (to_bytes(record.id),)).fetchone()
    if stored is None:
        return record
    writer, machine = stored[:2], from_bytes(stored[2])
    known = machine == this_machine() or claim_holds(writer, machine, stored[3])
    return replace(record, writer=writer) if known else record
