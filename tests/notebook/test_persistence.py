"""A kernel's journal and the store: found after every restart, saved again in a store that lost it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ollama_magic.conversation import persistence as module
from ollama_magic.conversation.changes import Began, Ended, Entry
from ollama_magic.conversation.persistence import NotebookContext, Persistence
from ollama_magic.store import store as store_module
from ollama_magic.store.store import Store
from ollama_magic.turns.attachment import Attachment
from ollama_magic.turns.turn_value import Outcome, Turn
from tests.notebook.samples import answer, cell, notebook, read_cell
from tests.store.rows import WAIT_S

if TYPE_CHECKING:
    from pathlib import Path


def turn(number: int, cell: str) -> list[Entry]:
    """A whole turn of that cell, as a journal hands it on."""
    began, ended = Began(Turn(f"prompt {number}", number=number, cell=cell)), Ended(number, Outcome("complete"))
    return [Entry(2 * number - 1, number, "main", began), Entry(2 * number, number, "main", ended)]


class Kernel:
    """What stands between a session and the store, with one name for all restarts, as Jupyter gives it."""

    def __init__(self, folder: Path, name: str, kernel_name: str = "") -> None:
        environ = {"JPY_SESSION_NAME": str(folder / f"{name}.ipynb")}
        context = NotebookContext("", {}, environ, read_cell, kernel_name)
        self.persistence = Persistence(Store(folder / "store.sqlite"), context)

    def load(self, running_cell: str | None = None) -> list[int]:
        """The numbers of the turns that loading finds."""
        return began(self.persistence.find(running_cell))

    def chat(self, number: int, cell: str) -> list[int]:
        """Run a cell with a turn in it; return the turns that became known by that."""
        found = began(self.persistence.ran(cell))
        for entry in turn(number, cell):
            self.persistence.save(entry).result(WAIT_S)
        return found

    def close(self) -> None:
        self.persistence.close()


def began(entries: list[Entry]) -> list[int]:
    return [entry.change.number for entry in entries if isinstance(entry.change, Began)]


def save(path: Path, *ids: str) -> Path:
    cells = [cell("%%chat\nwhy?", answer("so", f"{one}/1"), cell_id=one) for one in ids]
    path.write_text(json.dumps(notebook(*cells)), encoding="utf8")
    return path


def start_and_rename(folder: Path, cell: str, *names: str, kernel_name: str = "") -> Path:
    """A notebook with one turn that was made under the first name, and has the last one now."""
    path = save(folder / f"{names[0]}.ipynb", cell)
    kernel = Kernel(folder, names[0], kernel_name)
    kernel.load()
    kernel.chat(1, cell)
    kernel.close()
    for name in names[1:]:
        path = path.rename(folder / f"{name}.ipynb")
    return path


def test_found_after_every_restart(tmp_path: Path) -> None:
    """A renamed notebook is found after every restart of a kernel that has its first name and no cell yet."""
    path = start_and_rename(tmp_path, "cell-aaaa", "old", "new")
    for number in (2, 3, 4):
        kernel = Kernel(tmp_path, "old")
        assert kernel.load() == list(range(1, number))
        assert kernel.persistence.path == path
        kernel.chat(number, f"fresh-{number}")
        kernel.close()
        path = path.rename(tmp_path / f"new-{number}.ipynb")


def test_found_by_the_first_cell_of_it(tmp_path: Path) -> None:
    """Where two renamed notebooks had the kernel's name, each is found when a cell of it runs, and never the other."""
    start_and_rename(tmp_path, "cell-aaaa", "old", "one")
    for number in (2, 3):
        kernel = Kernel(tmp_path, "old")
        assert kernel.load() == list(range(1, number))
        kernel.chat(number, "cell-aaaa")
        kernel.close()
    start_and_rename(tmp_path, "cell-bbbb", "old", "two")
    for runs, turns in (("cell-aaaa", [1, 2, 3]), ("cell-bbbb", [1])):
        kernel = Kernel(tmp_path, "old")
        assert kernel.load() == []
        assert kernel.chat(9, runs) == turns
        kernel.close()


def test_all_begin_as_untitled(tmp_path: Path) -> None:
    """Notebooks that all began as Untitled are each found at every restart of their kernels, before any cell runs."""
    names = ("one", "two", "three")
    for name in names:
        start_and_rename(tmp_path, f"cell-of-{name}", "Untitled", name, kernel_name=f"kernel-{name}.json")
    save(tmp_path / "Untitled.ipynb", "cell-of-nobody")
    for number in (2, 3, 4):
        for name in names:
            kernel = Kernel(tmp_path, "Untitled", f"kernel-{name}.json")
            assert kernel.load() == list(range(1, number))
            assert kernel.persistence.path == tmp_path / f"{name}.ipynb"
            kernel.chat(number, f"fresh-of-{name}-{number}")
            kernel.close()
    other = Kernel(tmp_path, "Untitled", "kernel-other.json")
    assert other.load() == []
    other.close()


def test_a_stranger_finds_nothing(tmp_path: Path) -> None:
    """A kernel whose notebook is missing, and whose name no renamed notebook had, begins empty."""
    start_and_rename(tmp_path, "cell-aaaa", "old", "new")
    kernel = Kernel(tmp_path, "elsewhere")
    assert kernel.load() == []
    assert kernel.chat(1, "cell-cccc") == []
    kernel.close()


def test_a_new_store_gets_what_is_known(tmp_path: Path) -> None:
    """When the store is found damaged and a new one is begun, all that the kernel knows is saved in it."""
    start_and_rename(tmp_path, "cell-aaaa", "lesson")
    kernel = Kernel(tmp_path, "lesson")
    assert kernel.load() == [1]
    kernel.persistence.store._found_damaged(tmp_path / "store.sqlite")
    kernel.chat(2, "cell-bbbb")
    assert "damaged-1" in kernel.persistence.store.problem
    kernel.close()
    later = Kernel(tmp_path, "lesson")
    assert later.load() == [1, 2]
    later.close()


@pytest.mark.parametrize("checked", [0, 10**9], ids=["found by the writer", "found by the reader"])
def test_what_is_whole_outlives_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, checked: int) -> None:
    """Of a store that is damaged when it is opened, the turns before the damage are found, at every restart."""
    monkeypatch.setattr(store_module, "CHECKED_BYTES", checked)
    kernel = Kernel(tmp_path, "lesson")
    kernel.load()
    for number in range(1, 101):
        kernel.chat(number, f"cell-{number:04}")
    kernel.close()
    path = tmp_path / "store.sqlite"
    data = bytearray(path.read_bytes())
    page = data.index(b"prompt 90") // 4096 * 4096
    data[page : page + 4096] = bytes(4096)
    path.write_bytes(data)
    first = Kernel(tmp_path, "lesson")
    found = first.load("cell-0001")
    assert 1 < len(found) < 90
    assert found == list(range(1, len(found) + 1))
    first.chat(200, "cell-0200")
    assert "damaged-1" in first.persistence.store.problem
    first.close()
    later = Kernel(tmp_path, "lesson")
    assert later.load("cell-0001") == [*found, 200]
    assert later.persistence.store.problem == ""
    later.close()
    assert path.with_name("store.damaged-1.sqlite").read_bytes() == data


@pytest.mark.parametrize("cell", ["vscode-notebook-cell:/lesson.ipynb#W0", "aaaaaaaa"])
def test_prompts_stand_in_for_cells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cell: str) -> None:
    """Where the ids of cells do not last, what was asked is found in the file that was saved after it."""
    path = tmp_path / "lesson.ipynb"
    path.write_text(json.dumps(notebook(minor=4)), encoding="utf8")
    kernel = Kernel(tmp_path, "lesson")
    assert kernel.load("vscode-notebook-cell:/lesson.ipynb#load") == []
    kernel.chat(1, cell)
    kernel.close()
    asked = {"cell_type": "code", "source": "%%chat\nprompt 1", "metadata": {}, "outputs": [], "execution_count": 1}
    path.write_text(json.dumps({**notebook(minor=4), "cells": [asked]}), encoding="utf8")
    pid, started = module.this_process()
    monkeypatch.setattr(module, "this_process", lambda: (pid, started + 100))
    later = Kernel(tmp_path, "lesson")
    assert later.load() == [1]
    assert replace(later.persistence._record, cells=frozenset()).path == str(path)
    later.close()


def test_attachments_come_back(tmp_path: Path) -> None:
    """A restarted kernel finds the attachments of its turns with their content; the journal's rows have references."""
    picture, text = Attachment.of("fig.png", "image", "image/png", b"\x89PNG bytes" * 99), a_text("notes", "Small.")
    began = Began(Turn("What is this?", number=1, cell="c", attachments=(picture, text)))
    kernel = Kernel(tmp_path, "a")
    save(tmp_path / "a.ipynb", "c")
    kernel.load("c")
    kernel.persistence.save(Entry(1, 1, "main", began)).result(WAIT_S)
    kernel.close()
    restarted = Kernel(tmp_path, "a")
    (entry,) = restarted.persistence.find("c")
    assert [(one, one.data) for one in entry.change.turn.attachments] == [(picture, picture.data), (text, text.data)]
    (record,) = restarted.persistence.store.notebooks()
    assert "PNG bytes" not in restarted.persistence.store.rows(record.id)[0].body
    restarted.close()


def a_text(name: str, text: str) -> Attachment:
    return Attachment.of(name, "text", "text/plain", text.encode(), "a note")


def test_a_copy_that_was_loaded_first_keeps_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two notebooks with a cell in common are two, also if both were loaded before the first turn of either."""
    processes = iter([(1, 1.0), (2, 2.0), (3, 3.0)])
    monkeypatch.setattr(module, "this_process", lambda: next(processes))
    monkeypatch.setattr(module, "alive", lambda process: process != (2, 2.0))
    for name in ("one", "two"):
        save(tmp_path / f"{name}.ipynb", "cell-aaaa", f"cell-of-{name}")
    one, two = Kernel(tmp_path, "one"), Kernel(tmp_path, "two")
    assert one.load() == two.load() == []
    one.chat(1, "cell-of-one")
    two.chat(1, "cell-of-two")
    assert two.persistence.news() == ""
    two.close()
    assert Kernel(tmp_path, "two").load() == [1]
    one.close()
