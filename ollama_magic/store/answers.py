"""The answers to rows of maps, by their keys: reads and writes inside a transaction of the caller."""

from __future__ import annotations

import time
from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from sqlite3 import Connection

    Answers = dict[bytes, bytes]

AT_ONCE = 500  # keys of one query; older SQLite takes 999 parameters
_HAS_TABLE = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'answers'"


def read_answers(connection: Connection, keys: Sequence[bytes]) -> Answers:
    """Return the saved bodies of these keys; what is damaged counts as not saved."""
    found: Answers = {}
    if connection.execute(_HAS_TABLE).fetchone() is None:  # a store of an earlier version
        return found
    for start in range(0, len(keys), AT_ONCE):
        part = keys[start : start + AT_ONCE]
        marks = ",".join("?" * len(part))
        query = f"SELECT key, body, checksum FROM answers WHERE key IN ({marks})"  # noqa: S608 (only question marks)
        for key, body, checksum in connection.execute(query, part):
            if isinstance(body, bytes) and answer_checksum(key, body) == checksum:
                found[key] = body
    return found


def save_answers(connection: Connection, answers: Sequence[tuple[bytes, bytes]]) -> None:
    """Save answers; a newer one replaces the older."""
    now = time.time()
    rows = [(key, body, answer_checksum(key, body), now) for key, body in answers]
    connection.executemany("REPLACE INTO answers VALUES (?, ?, ?, ?)", rows)


def erase_answers(connection: Connection, keys: Collection[bytes]) -> None:
    """Delete the answers of these keys, which may be missing."""
    connection.executemany("DELETE FROM answers WHERE key = ?", [(key,) for key in keys])


def answer_checksum(key: bytes, body: bytes) -> bytes:
    """Return the checksum of an answer with its key, so that swapped ones are found too."""
    return blake2b(key + body, digest_size=8).digest()
