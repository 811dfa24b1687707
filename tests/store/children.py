"""Other processes on the same store: `python -m tests.store.children NAME ARGUMENT…`."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from ollama_magic.errors import StoreError
from ollama_magic.store.store import Store, this_process

from .rows import WAIT_S, row, rows, until

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent.parent
NOBODY = 65534


def start(module: str, *arguments: object) -> subprocess.Popen[str]:
    """Start a module as a process of its own."""
    command = [sys.executable, "-m", module, *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def python(module: str, *arguments: object) -> str:
    """Run a module to its end; what it printed."""
    with start(module, *arguments) as process:
        out, _ = process.communicate(timeout=600)
    assert process.returncode == 0
    return out


@contextmanager
def child(*arguments: object) -> Iterator[subprocess.Popen[str]]:
    """A child that has said that it is ready; it goes on when its input is closed, and is waited for."""
    with start("tests.store.children", *arguments) as process:
        assert process.stdout.readline() == "ready\n"
        yield process
        process.communicate(timeout=60)
    assert process.returncode == 0


def lock(path: str, how: str) -> None:
    """Hold the lock until the input ends."""
    import sqlite3

    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute(f"BEGIN {how}")
    wait_ready()
    connection.close()


def read(path: str) -> None:
    """Keep an old state in sight until the input ends."""
    import sqlite3

    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("BEGIN")
    connection.execute("SELECT count(*) FROM changes").fetchone()
    wait_ready()
    connection.close()


def write(path: str, notebook: str, count: str) -> None:
    """Claim a notebook and append to it, one by one; the counters that were acknowledged are printed."""
    store = Store(Path(path))
    wait_ready()
    if not store.claim(notebook, this_process(), WAIT_S):
        print("claimed by another")
        return
    for counter in range(1, int(count) + 1):
        store.append(notebook, [row(notebook, counter)]).result(WAIT_S)
        print(counter)
    store.close()


def race(path: str, notebook: str, count: str) -> None:
    """Append to a notebook that others append to as well, without asking; what was acknowledged is printed."""
    store = Store(Path(path))
    wait_ready()
    for counter in range(1, int(count) + 1):
        given = row(f"{notebook} {os.getpid()}", counter)
        try:
            store.append(notebook, [given]).result(WAIT_S)
            print(counter, given.body.encode().hex())
        except StoreError as error:
            if "already saved" not in str(error):
                raise
    store.close()


def hold(path: str, notebook: str) -> None:
    """Claim a notebook, and end without giving it up."""
    store = Store(Path(path))
    assert store.claim(notebook, this_process(), WAIT_S)
    wait_ready()
    os._exit(0)


def holds(path: str, ending: str) -> None:
    """Have a store open that has one row, until the input ends; then append another, or just end."""
    store = Store(Path(path))
    store.append("n", rows("n", 1)).result(WAIT_S)
    wait_ready()
    if ending == "append":
        store.append("n", [row("n", 2)]).result(WAIT_S)
    store.close()


def unsaved(path: str) -> None:
    """End while something still waits to be saved."""
    Store(Path(path)).append("n", rows("n", 1))
    wait_ready()


def nobody(folder: str, closed: str) -> None:
    """As a user without rights: a folder or a file that is closed to writing, and opened again."""
    path = Path(folder) / "inner" / "store.sqlite"
    become_nobody(Path(folder))
    if closed != "empty folder":
        first = Store(path)
        first.append("n", rows("n", 2)).result(WAIT_S)
        first.close()
    path.parent.mkdir(exist_ok=True)
    what = path if closed == "file" else path.parent
    mode = what.stat().st_mode
    what.chmod(mode & 0o500)
    store = Store(path)
    known = store.rows("n")
    print(len(known), store.problem)
    added = store.append("n", rows("n", 2, len(known) + 1))
    until(lambda: store.problem)
    print(store.problem)
    what.chmod(mode)
    added.result(WAIT_S)
    print(store.rows("n") == rows("n", len(known) + 2), repr(store.problem))
    store.close()


def become_nobody(folder: Path) -> None:
    """Give up root's rights, if we have them; what is imported later may lie in root's home."""
    for name in ("sqlite3", "tempfile", "ollama_magic.store.database"):
        import_module(name)
    if os.getuid() == 0:
        os.chown(folder, NOBODY, NOBODY)
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)


def wait_ready() -> None:
    """Say that we are, and wait for the input to end."""
    print("ready", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
