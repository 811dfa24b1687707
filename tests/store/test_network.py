"""Homes on a network: without WAL a rollback journal, without locks one file per kernel."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest

from ollama_magic.store import database as store_database, locations as store_locations
from ollama_magic.store.store import NotebookRecord, Store

from .rows import WAIT_S, row, rows

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FORMAT = slice(18, 20)  # of an SQLite file: 1 for a rollback journal, 2 for WAL


def in_rollback_mode(path: Path) -> bool:
    return path.read_bytes()[FORMAT] == b"\x01\x01"


def write_and_read(path: Path) -> Store:
    store = Store(path)
    store.append("n", rows("n", 3)).result(WAIT_S)
    assert store.rows("n") == rows("n", 3)
    assert store.problem == ""
    return store


def test_at_home_it_is_wal(tmp_path: Path) -> None:
    """On a disk of this machine the store has a write-ahead log."""
    store = write_and_read(tmp_path / "store.sqlite")
    assert (tmp_path / "store.sqlite-wal").stat().st_size
    store.close()
    assert not in_rollback_mode(store.path)


@pytest.mark.parametrize("answer", ["delete", sqlite3.OperationalError("disk I/O error")])
def test_without_wal_a_rollback_journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: object) -> None:
    """Where SQLite cannot give a write-ahead log, a rollback journal takes its place, and erasing works there too."""
    ask = store_database.set_journal_mode

    def refuse(connection: sqlite3.Connection, mode: str) -> str:
        if mode != "WAL":
            return ask(connection, mode)
        if isinstance(answer, Exception):
            raise answer
        return str(answer)

    monkeypatch.setattr(store_database, "set_journal_mode", refuse)
    store = write_and_read(tmp_path / "store.sqlite")
    assert in_rollback_mode(store.path)
    store.erase("n", [2]).result(WAIT_S)
    assert row("n", 2).body.encode() not in store.path.read_bytes()
    store.close()
    assert [path.name for path in tmp_path.iterdir()] == ["store.sqlite"]


def test_a_network_folder_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder from another machine gets no write-ahead log: each host would have an index of its own."""
    monkeypatch.setattr(store_locations, "_filesystem", lambda folder: "nfs4")
    store = write_and_read(tmp_path / "store.sqlite")
    assert in_rollback_mode(store.path)
    store.close()


def test_the_mount_table_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """The longest mount point above a folder tells its file system."""
    table = "/dev/sda / ext4 rw\nserver:/home /home nfs4 rw\n/dev/sdb /home/my\\040disk xfs rw\nproc /proc proc rw\n"
    monkeypatch.setattr(store_locations.Path, "read_text", lambda *_, **__: table)
    found = [store_locations._filesystem(folder) for folder in ("/", "/home/x", "/homestead", "/home/my disk")]
    assert found == ["ext4", "nfs4", "ext4", "xfs"]


@pytest.fixture
def without_locks(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A folder in which SQLite finds no locks, as on a network home without a lock server."""
    connect = store_database._connect

    def lockless(path: Path, mode: str, busy: float = 0.0, lockless: bool = False) -> sqlite3.Connection:
        if "copied" not in str(path) and not lockless and path.parent.name == "home":
            raise sqlite3.OperationalError("database is locked")
        return connect(path, mode, busy, lockless)

    monkeypatch.setattr(store_database, "_connect", lockless)
    monkeypatch.setattr(store_locations, "can_lock", lambda file: False)
    store_locations.locks_usable.cache_clear()
    yield
    store_locations.locks_usable.cache_clear()


@pytest.mark.usefixtures("without_locks")
def test_without_locks_one_file_per_kernel(tmp_path: Path) -> None:
    """Where locks do not work each kernel writes a file of its own, and the next one reads them all."""
    path = tmp_path / "home" / "store.sqlite"
    store = write_and_read(path)
    store.save_notebook(NotebookRecord("n", "/n.ipynb", 1, 2, frozenset("a"), 3.0)).result(WAIT_S)
    store.close()
    (own,) = path.parent.glob("store@*.sqlite")
    own.rename(own.with_name("store@elsewhere-1-2.sqlite"))
    later = Store(path)
    assert later.rows("n") == rows("n", 3)
    assert [record.path for record in later.notebooks()] == ["/n.ipynb"]
    later.append("n", [row("n", 4)]).result(WAIT_S)
    assert later.rows("n") == rows("n", 4)
    assert later.problem == ""
    later.close()
    assert len(list(path.parent.glob("store@*.sqlite"))) == 2


@pytest.mark.usefixtures("without_locks")
def test_without_locks_nothing_is_mixed(tmp_path: Path) -> None:
    """Where two kernels gave the same place to different rows, what follows is not trusted, and a line says so."""
    path = tmp_path / "home" / "store.sqlite"
    store = write_and_read(path)
    store.close()
    (own,) = path.parent.glob("store@*.sqlite")
    own.rename(own.with_name("store@elsewhere-1-2.sqlite"))
    other = Store(path)
    other.append("n", [row("n", 1), row("other", 2), row("n", 3)]).result(WAIT_S)
    assert other.rows("n") == rows("n", 1)
    assert other.problem
    other.close()
