"""What rows name by their hash: stored once, found with its rows, gone with the last of them."""

from __future__ import annotations

import random
import sqlite3
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from ollama_magic.store.store import Row, Store

if TYPE_CHECKING:
    from pathlib import Path

BIG = random.Random(1).randbytes(2_000_000)
MARK = b"a picture nobody may find " * 40


def holding(counter: int, *contents: bytes) -> Row:
    """A row that names these contents."""
    return Row(counter, 1, "main", "began", f"{counter}", {sha256(data).hexdigest(): data for data in contents})


def saved(store: Store, notebook: str, *rows: Row) -> None:
    """Save rows, and wait until they are on the disk."""
    store.append(notebook, rows).result(10)


def contents_of(store: Store, notebook: str) -> list[list[bytes]]:
    """What the rows of a notebook hold, as another kernel reads it."""
    return [list(row.contents.values()) for row in Store(store.path).rows(notebook)]


def test_stored_once(tmp_path: Path) -> None:
    """A hundred rows with the same two megabytes cost about two megabytes, and each has them."""
    store = Store(tmp_path / "store.sqlite")
    saved(store, "n", *(holding(counter, BIG) for counter in range(1, 101)))
    saved(store, "another", holding(1, BIG))
    assert contents_of(store, "n") == [[BIG]] * 100
    assert contents_of(store, "another") == [[BIG]]
    store.close()
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 1.2 * len(BIG)


def test_erased_with_the_last_row(tmp_path: Path) -> None:
    """What another row still holds stays; after the last one no byte is left in file, log or free pages."""
    store = Store(tmp_path / "store.sqlite")
    saved(store, "n", holding(1, MARK, BIG), holding(2, MARK))
    saved(store, "another", holding(1, BIG))
    store.erase("n", [1]).result(10)
    assert contents_of(store, "n") == [[MARK]]
    assert contents_of(store, "another") == [[BIG]]
    store.erase("n", [2]).result(10)
    assert not any(MARK[:26] in path.read_bytes() for path in tmp_path.iterdir())
    store.close()
    assert not any(MARK[:26] in path.read_bytes() for path in tmp_path.iterdir())


def test_a_damaged_content_is_left_out(tmp_path: Path) -> None:
    """A content that is not what its hash says is left out, one line says that the file is damaged, and rows stay."""
    store = Store(tmp_path / "store.sqlite")
    saved(store, "n", holding(1, MARK), holding(2, b"intact"))
    store.close()
    with sqlite3.connect(store.path) as connection:
        connection.execute("UPDATE attachments SET data = x'00' WHERE data = ?", (MARK,))
    connection.close()
    reader = Store(store.path)
    assert [list(row.contents.values()) for row in reader.rows("n")] == [[], [b"intact"]]
    assert "damaged" in reader.problem


@pytest.mark.parametrize("version", [1, 2])
def test_a_store_without_the_tables(tmp_path: Path, version: int) -> None:
    """A store of an earlier version is read, and has room for contents after the next write."""
    path = tmp_path / "store.sqlite"
    old = Store(path)
    saved(old, "n", Row(1, 1, "main", "began", "one"))
    old.close()
    with sqlite3.connect(path) as connection:
        back = "DROP TABLE attachments; DROP TABLE attached; "
        back += "ALTER TABLE notebooks DROP COLUMN known_as; CREATE TABLE heads (a);" if version == 1 else ""
        connection.executescript(f"{back} PRAGMA user_version = {version}")
    connection.close()
    store = Store(path)
    assert [row.body for row in store.rows("n")] == ["one"]
    saved(store, "n", holding(2, MARK))
    assert contents_of(store, "n") == [[], [MARK]]
    store.close()
