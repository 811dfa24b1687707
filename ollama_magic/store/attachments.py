"""The contents that rows name by their hash, each stored once for all notebooks; inside a transaction of the caller."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING

from ollama_magic.store.problems import unless_damaged
from ollama_magic.store.records import StoredRow, to_bytes

if TYPE_CHECKING:
    from collections.abc import Collection
    from sqlite3 import Connection

    from ollama_magic.store.records import Row

_TABLE = "SELECT 1 FROM sqlite_master WHERE name = 'attached'"  # a store before version 3 has none
_NAMED = "SELECT counter, sha256 FROM attached WHERE notebook = ?"
_CONTENTS = "SELECT sha256, data FROM attachments WHERE sha256 IN (SELECT sha256 FROM attached WHERE notebook = ?)"
_UNUSED = "DELETE FROM attachments WHERE sha256 NOT IN (SELECT sha256 FROM attached)"


def save(connection: Connection, notebook: str, row: Row) -> None:
    """Save the contents of a new row; those that are stored already are not written again."""
    for name, data in row.contents.items():
        key = bytes.fromhex(name)
        if connection.execute("SELECT 1 FROM attachments WHERE sha256 = ?", (key,)).fetchone() is None:
            connection.execute("INSERT INTO attachments VALUES (?, ?)", (key, data))
        connection.execute("INSERT OR IGNORE INTO attached VALUES (?, ?, ?)", (to_bytes(notebook), row.counter, key))


def erase(connection: Connection, notebook: str, counters: Collection[int]) -> None:
    """Delete what only these rows hold."""
    keys = [(to_bytes(notebook), counter) for counter in counters]
    connection.executemany("DELETE FROM attached WHERE notebook = ? AND counter = ?", keys)
    connection.execute(_UNUSED)


def with_contents(connection: Connection, notebook: str, rows: list[StoredRow]) -> list[StoredRow]:
    """Return the rows with their contents; a damaged one is left out, and an unreadable row at the end says so."""
    try:
        named, contents = _read(connection, to_bytes(notebook))
    except Exception as error:  # noqa: BLE001 - SQLite's, or that of a value that is none
        unless_damaged(error)
        return [*rows, StoredRow(None, b"")]
    found = [_with(one, named.get(one.row.counter, ()), contents) if one.row else one for one in rows]
    whole = all(key in contents for keys in named.values() for key in keys)
    return found if whole else [*found, StoredRow(None, b"")]


def _read(connection: Connection, notebook: bytes) -> tuple[dict[int, list[bytes]], dict[bytes, bytes]]:
    """Return the hashes by row, and the intact contents by hash."""
    named: defaultdict[int, list[bytes]] = defaultdict(list)
    if connection.execute(_TABLE).fetchone() is not None:
        for counter, key in connection.execute(_NAMED, (notebook,)):
            named[counter].append(key)
    stored = connection.execute(_CONTENTS, (notebook,)) if named else ()
    return named, {key: data for key, data in stored if sha256(data).digest() == key}


def _with(stored: StoredRow, keys: Collection[bytes], contents: dict[bytes, bytes]) -> StoredRow:
    known = {key.hex(): contents[key] for key in keys if key in contents}
    return replace(stored, row=replace(stored.row, contents=known)) if stored.row and known else stored
