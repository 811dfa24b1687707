"""Erasing: no byte of the text is left in our folder."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from ollama_magic.errors import StoreError
from ollama_magic.store.store import Row, Store

from .children import child
from .rows import WAIT_S, row, rows

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "my secret is 0123456789"


def secret(counter: int) -> Row:
    return Row(counter, 1, "main", "turn", f"{SECRET} {counter} " * random.Random(counter).choice((1, 20, 700)))


def holds_secret(folder: Path) -> list[str]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [path.name for path in files if b"secret" in path.read_bytes() or b"0123456789" in path.read_bytes()]


def fill(store: Store) -> None:
    """Secrets among other rows, in an order that splits and moves pages."""
    places = random.Random(1).sample(range(1, 301), 300)
    for counter in places:
        store.append("n", [secret(counter) if counter % 3 else row("n", counter)])
    store.append("other", rows("other", 50)).result(WAIT_S)


def kept() -> list[Row]:
    return [row("n", counter) for counter in range(3, 301, 3)]


def test_no_byte_is_left(tmp_path: Path) -> None:
    """After erasing, no file of the folder holds a byte of the text, log and free pages included; the rest stands."""
    store = Store(tmp_path / "store.sqlite")
    fill(store)
    assert holds_secret(tmp_path)
    store.erase("n", [counter for counter in range(1, 301) if counter % 3]).result(WAIT_S)
    assert holds_secret(tmp_path) == []
    assert store.rows("n") == kept()
    assert store.rows("other") == rows("other", 50)
    assert store.problem == ""
    store.close()
    assert holds_secret(tmp_path) == []


def test_a_replacement_takes_the_place(tmp_path: Path) -> None:
    """What is put in the place of erased rows is there at the same moment, and erasing twice is no error."""
    store = Store(tmp_path / "store.sqlite")
    fill(store)
    for _ in range(2):
        store.erase("n", [1, 2, 900], [row("n", 1)]).result(WAIT_S)
        assert store.rows("n")[:2] == [row("n", 1), row("n", 3)]
    assert store.problem == ""
    store.close()


def test_the_first_rows_erased(tmp_path: Path) -> None:
    """A journal whose first rows were erased is whole, goes on behind its last, and may be erased to its end."""
    store = Store(tmp_path / "store.sqlite")
    store.append("n", rows("n", 5)).result(WAIT_S)
    store.erase("n", [1, 2]).result(WAIT_S)
    store.append("n", [row("n", 6)]).result(WAIT_S)
    assert store.rows("n") == rows("n", 4, 3)
    store.erase("n", range(1, 7)).result(WAIT_S)
    assert store.rows("n") == []
    assert store.problem == ""
    store.close()


def test_done_means_gone(tmp_path: Path) -> None:
    """While somebody still reads the old state, erasing is not done; it is as soon as they end."""
    store = Store(tmp_path / "store.sqlite")
    fill(store)
    with child("read", store.path):
        erasing = store.erase("n", range(1, 301))
        later = store.append("n", [row("n", 301)])
        later.result(WAIT_S)
        assert not erasing.done()
    erasing.result(WAIT_S)
    assert holds_secret(tmp_path) == []
    assert store.rows("n") == [row("n", 301)]
    store.close()


def test_what_was_erased_before_it_was_saved(tmp_path: Path) -> None:
    """Rows that are erased while they still wait to be saved leave no byte either."""
    store = Store(tmp_path / "store.sqlite")
    store.append("n", [secret(1)])
    store.erase("n", [1]).result(WAIT_S)
    assert holds_secret(tmp_path) == []
    store.close()


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    """Where a damaged file may still hold the text, erasing says so and names it."""
    store = Store(tmp_path / "store.sqlite")
    fill(store)
    store.close()
    data = bytearray(store.path.read_bytes())
    data[8192:12288] = bytes(4096)
    store.path.write_bytes(data)
    after = Store(store.path)
    after.rows("n")
    with pytest.raises(StoreError, match=r"damaged-1\.sqlite"):
        after.erase("n", range(1, 301)).result(WAIT_S)
    assert after.rows("n") == []
    after.close()
