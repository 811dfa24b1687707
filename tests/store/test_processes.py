"""Many kernels on one store: each its own notebook, several on one, and one that holds the lock."""

from __future__ import annotations

import os
import sqlite3
import sys
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

import pytest

from ollama_magic.errors import StoreError
from ollama_magic.store import database, writer as store_writer
from ollama_magic.store.store import NotebookRecord, Store, this_process

from .children import child, start
from .rows import WAIT_S, row, rows, until

if TYPE_CHECKING:
    from pathlib import Path

KERNELS = 8
WRITES = 300  # each


def all_at_once(*arguments: list[object]) -> list[list[str]]:
    """Start children, let them go together, and return the lines of each."""
    children = [start("tests.store.children", *each) for each in arguments]
    with ExitStack() as stack:
        for process in children:
            stack.enter_context(process)
            assert process.stdout.readline() == "ready\n"
        for process in children:
            process.stdin.close()
        lines = [process.stdout.read().splitlines() for process in children]
    assert [process.returncode for process in children] == [0] * len(children)
    return lines


def test_eight_kernels_lose_nothing(tmp_path: Path) -> None:
    """Eight processes that write 2,400 rows at once, each its own notebook, lose none."""
    path = tmp_path / "store.sqlite"
    lines = all_at_once(*(["write", path, f"n{n}", WRITES] for n in range(KERNELS)))
    store = Store(path)
    for n in range(KERNELS):
        assert lines[n] == [str(counter) for counter in range(1, WRITES + 1)]
        assert store.rows(f"n{n}") == rows(f"n{n}", WRITES)
    assert store.problem == ""


def test_a_store_in_the_making_is_no_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that opens the file while another one creates its tables does not take it for damaged."""
    path = tmp_path / "store.sqlite"
    pragma = database._pragma

    def slow_pragma(connection: sqlite3.Connection, name: str) -> int:
        found = pragma(connection, name)
        monkeypatch.setattr(database, "_pragma", pragma)
        with suppress(sqlite3.OperationalError):  # locked
            database.open_writer(path).close()
        return found

    monkeypatch.setattr(database, "_pragma", slow_pragma)
    database.open_writer(path).close()
    with database.reading(path) as connection:
        assert database.has_schema(connection)


def test_one_kernel_claims(tmp_path: Path) -> None:
    """Of several processes that claim one notebook at once, one gets it and writes all its rows, the others none."""
    path = tmp_path / "store.sqlite"
    lines = all_at_once(*(["write", path, "n", 20] for _ in range(4)))
    winners = [each for each in lines if each != ["claimed by another"]]
    assert winners[0] == [str(counter) for counter in range(1, 21)]
    assert len(winners) == 1 or all(each == winners[0] for each in winners)  # it ended before the other asked
    assert Store(path).rows("n") == rows("n", 20)


def test_no_counter_twice(tmp_path: Path) -> None:
    """Processes that write one notebook without asking never share a counter, and what was acknowledged stands."""
    path = tmp_path / "store.sqlite"
    lines = all_at_once(*(["race", path, "n", 40] for _ in range(4)))
    acknowledged = {int(counter): text for each in lines for counter, text in map(str.split, each)}
    assert sum(map(len, lines)) == len(acknowledged) == 40
    assert {each.counter: each.body.encode().hex() for each in Store(path).rows("n")} == acknowledged


def test_a_living_kernel_keeps_its_notebook(tmp_path: Path) -> None:
    """A notebook that another living process claimed is refused, and free as soon as that one is dead."""
    store = Store(tmp_path / "store.sqlite")
    store.save_notebook(NotebookRecord("n", "/n.ipynb", 1, 2, frozenset(), 3.0)).result(WAIT_S)
    with child("hold", store.path, "n") as other:
        assert store.notebooks()[0].writer[0] == other.pid
        assert not store.claim("n", this_process(), WAIT_S)
        with pytest.raises(StoreError, match="Another kernel"):
            store.append("n", [row("n", 1)]).result(WAIT_S)
        with pytest.raises(StoreError, match="Another kernel"):
            store.erase("n", [1]).result(WAIT_S)
    assert store.claim("n", this_process(), WAIT_S)
    store.append("n", [row("n", 1)]).result(WAIT_S)
    assert store.notebooks()[0].writer == this_process()
    store.release("n")
    store.close()
    assert store.notebooks()[0].writer is None


def test_the_id_of_a_dead_process_used_again(tmp_path: Path) -> None:
    """A claim is void when its process id now belongs to a process that started at another time."""
    pid, started = this_process()
    store = Store(tmp_path / "store.sqlite")
    assert store.claim("n", (os.getppid(), started - 5000), WAIT_S)
    assert store.claim("n", (pid, started), WAIT_S)
    store.close()


def test_closing_gives_up_claims(tmp_path: Path) -> None:
    """A store that is closed leaves no claim behind."""
    store = Store(tmp_path / "store.sqlite")
    with child("hold", store.path, "other"):
        assert store.claim("n", this_process(), WAIT_S)
        store.save_notebook(NotebookRecord("n", "/n.ipynb", 1, 2, frozenset(), 3.0)).result(WAIT_S)
        store.close()
        assert [record.writer for record in Store(store.path).notebooks()] == [None]


@pytest.mark.parametrize("how", ["IMMEDIATE", "EXCLUSIVE"])
def test_a_lock_is_waited_for(tmp_path: Path, how: str) -> None:
    """While another process holds the lock, append and claim return, rows can be read, and all is saved after it."""
    store = Store(tmp_path / "store.sqlite")
    store.append("n", rows("n", 1)).result(WAIT_S)
    with child("lock", store.path, how):
        waiting = [store.append("n", [row("n", counter)]) for counter in (2, 3)]
        assert store.claim("n", this_process())
        assert store.rows("n") == rows("n", 1)
        assert not any(future.done() for future in waiting)
        assert store.problem == ""
    for future in waiting:
        future.result(WAIT_S)
    assert store.rows("n") == rows("n", 3)
    store.close()


def test_a_long_lock_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lock that lasts is a line of `problem`, no damage, and over when it ends."""
    monkeypatch.setattr(store_writer, "BUSY_S", 0.0)
    store = Store(tmp_path / "store.sqlite")
    store.append("n", rows("n", 1)).result(WAIT_S)
    with child("lock", store.path, "IMMEDIATE"):
        waiting = store.append("n", [row("n", 2)])
        until(lambda: store.problem)
        assert "locked" in store.problem
        assert not waiting.done()
    waiting.result(WAIT_S)
    until(lambda: store.problem == "")
    assert store.path.exists()
    assert not list(tmp_path.glob("store.2*"))
    store.close()


def test_closing_is_bounded(tmp_path: Path) -> None:
    """Closing a store that another process locks returns, and what was not saved fails with one line."""
    store = Store(tmp_path / "store.sqlite")
    store.append("n", rows("n", 1)).result(WAIT_S)
    with child("lock", store.path, "IMMEDIATE"):
        waiting = store.append("n", [row("n", 2)])
        store.close(0.05)
        assert isinstance(waiting.exception(0), StoreError)


@pytest.mark.skipif(sys.platform == "win32", reason="needs fork")
def test_a_fork_keeps_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that was forked from the kernel appends nothing to the kernel's conversation."""
    store = Store(tmp_path / "store.sqlite")
    store.append("n", rows("n", 1)).result(WAIT_S)
    with monkeypatch.context() as patch:
        patch.setattr(os, "getpid", lambda: -1)
        with pytest.raises(StoreError, match="forked"):
            store.append("n", [row("n", 2)]).result(WAIT_S)
        store.close()
    store.append("n", [row("n", 2)]).result(WAIT_S)
    store.close()
