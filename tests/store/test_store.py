"""The store in good health: what goes in comes out, and nothing is touched before it is needed."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from ollama_magic.errors import StoreError
from ollama_magic.store.store import NotebookRecord, Row, Store, this_process

from .children import ROOT
from .rows import WAIT_S, row, rows

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A store in a folder that is not there yet."""
    store = Store(tmp_path / "a folder #1" / "50%?.sqlite")
    yield store
    store.close()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "é文😀",
        "\x00 \x00",
        "lone \ud800 surrogate",
        "\r\n\x85\u2028",
        "' \" \\ ; DROP TABLE changes",
        "x" * 3_000_000,
    ],
)
def test_texts_come_back_letter_by_letter(store: Store, text: str) -> None:
    """Every text comes back as it was, zeros and lone surrogates included, also after the store was closed."""
    given = Row(1, 2, text[:100], text[:50], text)
    store.append("n" + text[:9], [given]).result(WAIT_S)
    store.close()
    assert Store(store.path).rows("n" + text[:9]) == [given]


def test_rows_come_in_order_of_counters(store: Store) -> None:
    """Rows come in the order of their counters, whatever the order in which they were handed in."""
    for given in (row("n", 3), row("n", 1), row("n", 2)):
        store.append("n", [given]).result(WAIT_S)
    assert store.rows("n") == rows("n", 3)
    assert store.problem == ""


def test_notebooks_do_not_mix(store: Store) -> None:
    """Each notebook has its own rows, and one that is not known has none."""
    store.append("one", rows("one", 3))
    store.append("two", rows("two", 2)).result(WAIT_S)
    assert [store.rows(name) for name in ("one", "two", "three")] == [rows("one", 3), rows("two", 2), []]


def test_the_same_rows_again(store: Store) -> None:
    """The same rows may come again, and nothing is doubled."""
    store.append("n", rows("n", 3)).result(WAIT_S)
    store.append("n", rows("n", 4)).result(WAIT_S)
    assert store.rows("n") == rows("n", 4)
    assert store.problem == ""


def test_a_place_that_is_taken(store: Store) -> None:
    """Another content in a place that is taken is refused with one line, and none of the rows with it are kept."""
    store.append("n", rows("n", 3)).result(WAIT_S)
    refused = store.append("n", [row("n", 4), row("other", 2)])
    after = store.append("n", [row("n", 5)])
    with pytest.raises(StoreError, match="already saved"):
        refused.result(WAIT_S)
    after.result(WAIT_S)
    assert store.rows("n") == [*rows("n", 3), row("n", 5)]
    assert store.problem == ""


def test_what_cannot_be_saved_holds_up_nobody(store: Store) -> None:
    """A row that SQLite cannot hold is refused, and those behind it are saved."""
    refused = store.append("n", [Row(2**70, 1, "main", "turn", "{}")])
    store.append("n", rows("n", 2)).result(WAIT_S)
    assert isinstance(refused.exception(WAIT_S), StoreError)
    assert store.rows("n") == rows("n", 2)


def test_a_wait_that_is_cancelled_takes_nothing_back(store: Store) -> None:
    """Who gives up waiting for a row does not take it back."""
    future = store.append("n", rows("n", 1))
    assert not future.cancel()
    future.result(WAIT_S)
    assert store.rows("n") == rows("n", 1)


def test_many_threads_append(store: Store) -> None:
    """Rows from many threads at once are all kept."""
    with ThreadPoolExecutor(8) as threads:
        futures = list(threads.map(lambda counter: store.append("n", [row("n", counter)]), range(1, 401)))
    for future in futures:
        future.result(WAIT_S)
    assert store.rows("n") == rows("n", 400)


def test_closing_saves_what_waits(store: Store) -> None:
    """What was handed in before the store is closed is saved, what comes after fails with one line."""
    waiting = [store.append("n", [row("n", counter)]) for counter in range(1, 201)]
    store.close()
    assert all(future.done() and future.exception() is None for future in waiting)
    assert Store(store.path).rows("n") == rows("n", 200)
    assert isinstance(store.append("n", [row("n", 201)]).exception(0), StoreError)
    store.close()


def test_a_notebook_is_known_again(store: Store) -> None:
    """What was told of a notebook last is what is known of it, large inodes and strange paths included."""
    first = NotebookRecord("n", "/old.ipynb", 1, 2, frozenset({"a"}), 3.5)
    last = NotebookRecord("n", "/caf\udce9/新.ipynb", 2**64 - 1, 2**63, frozenset({"a", "b"}), 4, this_process())
    store.save_notebook(first)
    store.save_notebook(last).result(WAIT_S)
    assert store.notebooks() == [last]


def test_reading_creates_nothing(store: Store) -> None:
    """Asking a store that is not there creates neither file nor folder, and finds nothing."""
    assert store.notebooks() == []
    assert store.rows("n") == []
    assert store.problem == ""
    store.close()
    assert not store.path.parent.exists()


def test_a_store_without_a_file_is_light(tmp_path: Path) -> None:
    """Neither importing the store nor asking one that has no file yet brings in SQLite."""
    code = (
        "import sys, pathlib\n"
        "from ollama_magic.store.store import Store\n"
        f"store = Store(pathlib.Path({str(tmp_path / 'none.sqlite')!r}))\n"
        "print(store.notebooks(), store.rows('n'), 'sqlite3' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout == "[] [] False\n"


def test_a_process_that_just_ends_has_saved(tmp_path: Path) -> None:
    """A script that ends without closing its store has saved what it handed in."""
    code = (
        "import pathlib\n"
        "from ollama_magic.store.store import Store\n"
        "from tests.store.rows import rows\n"
        f"Store(pathlib.Path({str(tmp_path / 'store.sqlite')!r})).append('n', rows('n', 50))"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, cwd=ROOT)
    assert Store(tmp_path / "store.sqlite").rows("n") == rows("n", 50)
