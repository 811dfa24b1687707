"""Full, read-only, foreign, newer, nowhere: the chat goes on in memory, one line says so, and all is saved later."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ollama_magic.errors import StoreError
from ollama_magic.store import database as store_database, writer as store_writer
from ollama_magic.store.store import Store

from .children import python, start
from .rows import WAIT_S, row, rows, until

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT_ONLY = pytest.mark.skipif(sys.platform == "win32" or os.getuid() != 0, reason="needs root")
POSIX_ONLY = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX modes")


@pytest.fixture(autouse=True)
def no_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """A store in trouble tries again at once."""
    monkeypatch.setattr(store_writer, "RETRY_S", 0.03)


def is_one_line(problem: str, store: Store) -> bool:
    return bool(problem) and "\n" not in problem and str(store.path) in problem and problem.endswith(".")


def test_a_full_store_catches_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When SQLite says full, what comes is kept in memory, and saved when there is room again."""
    first = Store(tmp_path / "store.sqlite")
    first.append("n", rows("n", 2)).result(WAIT_S)
    first.close()
    connect = store_database._connect

    def full(*arguments: object, **options: object) -> sqlite3.Connection:
        connection = connect(*arguments, **options)
        connection.execute("PRAGMA max_page_count=1")
        return connection

    monkeypatch.setattr(store_database, "_connect", full)
    store = Store(first.path)
    waiting = [store.append("n", [row("n", counter)]) for counter in range(3, 103)]
    until(lambda: store.problem)
    assert "space" in store.problem
    assert is_one_line(store.problem, store)
    assert not waiting[-1].done()
    monkeypatch.setattr(store_database, "_connect", connect)
    for future in waiting:
        future.result(WAIT_S)
    until(lambda: store.problem == "")
    assert store.rows("n") == rows("n", 102)
    store.close()


@contextlib.contextmanager
def small_disk(size: str) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp())
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], check=False, capture_output=True
    )
    if mounted.returncode:
        folder.rmdir()
        pytest.skip("no right to mount")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)
        folder.rmdir()


@ROOT_ONLY
def test_a_full_disk_catches_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a disk that is really full nothing is lost in memory or on the disk, and all is saved when there is space."""
    with small_disk("512k") as folder:
        store = Store(folder / "store.sqlite")
        store.append("n", rows("n", 2)).result(WAIT_S)
        with contextlib.suppress(OSError), (folder / "filler").open("wb", buffering=0) as filler:
            while True:
                filler.write(bytes(1024))
        waiting = [store.append("n", [row("n", counter)]) for counter in range(3, 43)]
        until(lambda: store.problem)
        assert is_one_line(store.problem, store)
        assert store.rows("n") == rows("n", len(store.rows("n")))
        (folder / "filler").unlink()
        for future in waiting:
            future.result(WAIT_S)
        assert store.rows("n") == rows("n", 42)
        until(lambda: store.problem == "")
        store.close()


@ROOT_ONLY
def test_a_disk_that_is_full_from_the_start() -> None:
    """A store that cannot even be made is made when there is space, with all that was said meanwhile."""
    with small_disk("16k") as folder:
        with contextlib.suppress(OSError), (folder / "filler").open("wb", buffering=0) as filler:
            while True:
                filler.write(bytes(1024))
        store = Store(folder / "deep" / "store.sqlite")
        waiting = store.append("n", rows("n", 2))
        until(lambda: store.problem)
        assert is_one_line(store.problem, store)
        subprocess.run(["mount", "-o", "remount,size=1m", folder], check=True)
        waiting.result(WAIT_S)
        store.close()
        assert Store(store.path).rows("n") == rows("n", 2)


@POSIX_ONLY
@pytest.mark.parametrize("closed", ["folder", "file", "empty folder"])
def test_what_cannot_be_written_is_read_and_caught_up(closed: str) -> None:
    """For a user without rights a closed store is read whole; new rows wait in memory until it is opened."""
    folder = tempfile.mkdtemp()
    try:
        lines = python("tests.store.children", "nobody", folder, closed).splitlines()
    finally:
        shutil.rmtree(folder)
    known = 0 if closed == "empty folder" else 2
    assert lines[0].rstrip() == str(known)
    assert "cannot be written" in lines[1]
    assert lines[2] == "True ''"


def test_a_newer_store_is_left_alone(tmp_path: Path) -> None:
    """A store of a newer schema is neither read nor written; one line says what to do."""
    store = Store(tmp_path / "store.sqlite")
    store.append("n", rows("n", 2)).result(WAIT_S)
    store.close()
    with contextlib.closing(sqlite3.connect(store.path)) as connection:
        connection.execute("PRAGMA user_version=99")
    left_alone(store.path, "newer ollama_magic")


def test_anothers_file_is_left_alone(tmp_path: Path) -> None:
    """An SQLite file that another program wrote is neither read nor written; one line says what to do."""
    with contextlib.closing(sqlite3.connect(tmp_path / "history.sqlite")) as connection:
        connection.execute("CREATE TABLE history (line)")
    left_alone(tmp_path / "history.sqlite", "another program")


def left_alone(path: Path, words: str) -> None:
    before = path.read_bytes()
    store = Store(path)
    assert store.rows("n") == []
    assert words in store.problem
    waiting = store.append("n", rows("n", 3))
    until(lambda: words in store._writer.problem)
    assert is_one_line(store.problem, store)
    assert not waiting.done()
    store.close()
    assert words in str(waiting.exception(0))
    assert path.read_bytes() == before
    assert not list(path.parent.glob("*.2.*"))


def test_no_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a home folder the store keeps all in memory, and one line says where to tell a place."""
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.setattr(Path, "expanduser", raise_no_home)
    store = Store()
    assert store.rows("n") == []
    assert store.notebooks() == []
    assert "home" in store.problem
    assert "OllamaMagic.store" in store.problem
    waiting = store.append("n", rows("n", 1))
    store.claim("n", (1, 1.0))
    store.close()
    assert isinstance(waiting.exception(0), StoreError)


def raise_no_home(path: Path) -> Path:
    raise RuntimeError("Could not determine home directory.")


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    """A data folder that cannot be made is one line, and no traceback."""
    (tmp_path / "data").write_text("a file")
    store = Store(tmp_path / "data" / "store.sqlite")
    assert store.rows("n") == []
    store.append("n", rows("n", 1))
    until(lambda: store.problem)
    assert is_one_line(store.problem, store)
    store.close()


def test_what_cannot_be_erased_yet_is_said_at_once(tmp_path: Path) -> None:
    """Whoever waits for an erasure is told why it is not done; it is done as soon as the store can be written."""
    (tmp_path / "data").write_text("a file")
    store = Store(tmp_path / "data" / "store.sqlite")
    waiting = store.append("n", rows("n", 3))
    error = store.erase("n", [2]).exception(WAIT_S)
    assert isinstance(error, StoreError)
    assert str(error) == f"Not erased yet: {store.problem}"
    assert not waiting.done()
    (tmp_path / "data").unlink()
    waiting.result(WAIT_S)
    until(lambda: [found.counter for found in store.rows("n")] == [1, 3])
    store.close()


@POSIX_ONLY
def test_a_pipe_is_no_store(tmp_path: Path) -> None:
    """It is not opened, which would wait for ever, and one line says so."""
    os.mkfifo(tmp_path / "pipe")
    store = Store(tmp_path / "pipe")
    assert store.rows("n") == []
    assert "is not a regular file" in store.problem
    assert is_one_line(store.problem, store)
    store.append("n", rows("n", 1))
    until(lambda: "is not a regular file" in store._writer.problem)
    store.close()


@POSIX_ONLY
@pytest.mark.parametrize("umask", [0o000, 0o077, 0o777])
def test_only_this_user_reads_it(tmp_path: Path, umask: int) -> None:
    """Whatever the umask, folders that are made are 0700 and the store, its log and its index 0600."""
    before = os.umask(umask)
    try:
        store = Store(tmp_path / "one" / "two" / "store.sqlite")
        store.append("n", rows("n", 2)).result(WAIT_S)
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "one").rglob("*")}
    finally:
        os.umask(before)
    assert modes == {"two": 0o700, "store.sqlite": 0o600, "store.sqlite-wal": 0o600, "store.sqlite-shm": 0o600}
    assert stat.S_IMODE((tmp_path / "one").stat().st_mode) == 0o700
    store.close()


@POSIX_ONLY
def test_an_open_store_is_closed_to_others(tmp_path: Path) -> None:
    """A store that others may read is closed to them at the first write; a folder that is not ours stays as it is."""
    tmp_path.chmod(0o755)
    store = Store(tmp_path / "store.sqlite")
    store.append("n", rows("n", 1)).result(WAIT_S)
    store.close()
    store.path.chmod(0o644)
    again = Store(store.path)
    again.append("n", [row("n", 2)]).result(WAIT_S)
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755
    again.close()


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="Linux's data folder")
def test_the_place_of_the_store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Untold, the store lies in the platform's data folder; a told ~ and a told folder are understood."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", "relative")
    assert Store().path == tmp_path / ".local/share/ollama_magic/conversations.sqlite"
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert Store().path == tmp_path / "data/ollama_magic/conversations.sqlite"
    assert Store(Path("~/mine.db")).path == tmp_path / "mine.db"
    assert Store(tmp_path).path == tmp_path / "conversations.sqlite"


def test_an_unsaved_process_ends(tmp_path: Path) -> None:
    """A kernel whose store cannot be written ends all the same."""
    (tmp_path / "data").write_text("a file")
    with start("tests.store.children", "unsaved", tmp_path / "data" / "store.sqlite") as process:
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert out == "ready\n"
