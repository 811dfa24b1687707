"""Where the notebook is, and what can be seen of it."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ollama_magic.notebook.evidence import find_path, gather
from ollama_magic.notebook.identity import identify, prompt_mark
from ollama_magic.store.records import NotebookRecord
from tests.notebook.samples import answer, cell, notebook, read_cell

if TYPE_CHECKING:
    from pathlib import Path

US = (10, 1.0)


def write(path: Path, *ids: str, minor: int = 5, source: str = "%%chat\nwhy?") -> Path:
    cells = [cell(source, answer("so", f"{one}/1"), cell_id=one if minor > 4 else "") for one in ids]
    path.write_text(json.dumps(notebook(*cells, minor=minor)), encoding="utf8")
    return path


def record(path: Path, *cells: str, seen_at: float = 1.0) -> NotebookRecord:
    facts = path.stat()
    return NotebookRecord("old", str(path), facts.st_ino, facts.st_dev, frozenset(cells), seen_at)


def verdict(path: Path, records: list[NotebookRecord], running: str | None = None) -> str:
    return identify(gather(path, running, US, records, read_cell), records, lambda _: False).kind


def test_the_path_is_told_by_three(tmp_path: Path) -> None:
    """The setting comes first, then VS Code's variable, then the session's name, if it is a notebook's."""
    code, server = tmp_path / "code.ipynb", tmp_path / "server.ipynb"
    space, environ = {"__vsc_ipynb_file__": str(code)}, {"JPY_SESSION_NAME": str(server)}
    assert find_path(str(tmp_path / "set.ipynb"), space, environ) == (tmp_path / "set.ipynb").resolve()
    assert find_path("", space, environ) == code.resolve()
    assert find_path("", {}, environ) == server.resolve()
    assert find_path("", {"__vsc_ipynb_file__": "untitled:Untitled-1.ipynb"}, environ) == server.resolve()


@pytest.mark.parametrize("name", ["", "console-1-0b5d", "/users/ann/script.py", "a\0.ipynb"])
def test_no_path(name: str) -> None:
    """A console, a script and a name that cannot be one have no path."""
    assert find_path("", {"__vsc_ipynb_file__": 3}, {"JPY_SESSION_NAME": name} if name else {}) is None


def test_a_relative_name_is_in_the_kernels_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A session's name may begin at the server's root, while the kernel stands in the notebook's folder."""
    write(tmp_path / "a.ipynb", "aaaaaaaa")
    monkeypatch.chdir(tmp_path)
    assert find_path("", {}, {"JPY_SESSION_NAME": "lessons/a.ipynb"}) == (tmp_path / "a.ipynb").resolve()
    assert find_path("a.ipynb", {}, {}) == (tmp_path / "a.ipynb").resolve()


def test_a_restarted_kernel_finds_the_renamed_file(tmp_path: Path) -> None:
    """The environment of the first start names a missing file; inode and cells lead to its new name."""
    old = write(tmp_path / "a.ipynb", "aaaaaaaa")
    write(tmp_path / "other.ipynb", "aaaaaaaa")
    records = [record(old, "aaaaaaaa")]
    new = old.rename(tmp_path / "b.ipynb")
    found = find_path("", {}, {"JPY_SESSION_NAME": str(old)}, records, read_cell)
    assert found == new
    assert verdict(new, records) == "renamed"


def test_an_inode_alone_decides_nothing(tmp_path: Path) -> None:
    """A stranger that got the deleted file's inode is not taken for it."""
    old = write(tmp_path / "a.ipynb", "aaaaaaaa")
    records = [record(old, "aaaaaaaa")]
    new = write(old.rename(tmp_path / "b.ipynb"), "nnnnnnnn")
    assert find_path("", {}, {"JPY_SESSION_NAME": str(old)}, records, read_cell) == old
    assert verdict(new, records) == "new"


def test_copy_and_original(tmp_path: Path) -> None:
    """A copy beside its original is a copy; alone it is the notebook, renamed."""
    old, new = write(tmp_path / "a.ipynb", "aaaaaaaa"), write(tmp_path / "b.ipynb", "aaaaaaaa")
    records = [record(old, "aaaaaaaa")]
    assert verdict(new, records) == "copy"
    write(old, "nnnnnnnn")
    assert verdict(new, records) == "renamed"
    old.write_text("{broken", encoding="utf8")
    assert verdict(new, records) == "copy"
    old.unlink()
    assert verdict(new, records) == "renamed"


@pytest.mark.skipif(not hasattr(os, "symlink"), reason="no links here")
def test_links_lead_to_the_same_notebook(tmp_path: Path) -> None:
    """A link of either kind is another name of the notebook, and no copy."""
    old = write(tmp_path / "a.ipynb", "aaaaaaaa")
    records = [record(old.resolve(), "aaaaaaaa")]
    soft, hard = tmp_path / "soft.ipynb", tmp_path / "hard.ipynb"
    soft.symlink_to(old)
    hard.hardlink_to(old)
    for name in (soft, hard):
        path = find_path(str(name), {}, {})
        assert path is not None
        assert verdict(path, records) == "same"


def test_the_file_is_not_read_where_the_cell_tells(tmp_path: Path) -> None:
    """Loading in a known cell of a known notebook does not read the file, however large."""
    path = tmp_path / "a.ipynb"
    path.write_text("no notebook", encoding="utf8")
    evidence = gather(path, "aaaaaaaa", US, [record(path, "aaaaaaaa")], read_cell)
    assert evidence.ids_in_file == frozenset()
    assert verdict(path, [record(path, "aaaaaaaa")], "aaaaaaaa") == "same"


@pytest.mark.parametrize("content", ["", "{", "[]", '{"nbformat": 3}', "\0", '{"nbformat": 4, "cells": 5}'])
def test_a_file_that_is_no_notebook_is_no_evidence(tmp_path: Path, content: str) -> None:
    """A file that cannot be read as a notebook tells nothing, and breaks nothing."""
    path = tmp_path / "a.ipynb"
    path.write_text(content, encoding="utf8")
    assert verdict(path, []) == "new"
    assert verdict(tmp_path / "missing.ipynb", []) == "new"


def test_old_formats_are_known_by_their_prompts(tmp_path: Path) -> None:
    """A file before 4.5 is known by what was asked in it, also after Jupyter has given it ids."""
    path = write(tmp_path / "a.ipynb", "x", minor=4)
    evidence = gather(path, "aaaaaaaa", US, [], read_cell)
    assert prompt_mark("why?") in evidence.marks_to_store
    records = [record(path, *evidence.marks_to_store)]
    assert verdict(path, records, "another1") == "same"
    write(path, "bbbbbbbb")
    assert verdict(path, records, "bbbbbbbb") == "same"


def test_a_missing_notebook_that_was_found_before(tmp_path: Path) -> None:
    """A second restart finds what the first one found by its inode: the one notebook of the running cell."""
    environ, there = {"JPY_SESSION_NAME": str(tmp_path / "old.ipynb")}, tmp_path / "new.ipynb"
    there.write_text("{}")
    found = NotebookRecord("one", str(there), 1, 1, frozenset({"aaaaaaaa"}), 1.0)
    assert find_path("", {}, environ, [found], running_cell="aaaaaaaa") == there
    assert find_path("", {}, environ, [found], running_cell="bbbbbbbb") == tmp_path / "old.ipynb"
    copy = NotebookRecord("two", str(tmp_path / "old.ipynb"), 1, 1, frozenset({"aaaaaaaa"}), 1.0)
    assert find_path("", {}, environ, [found, copy], running_cell="aaaaaaaa") == tmp_path / "old.ipynb"


def test_a_renamed_notebook_is_found_without_a_running_cell(tmp_path: Path) -> None:
    """Loaded by itself, with no cell yet, a kernel that still has the first name finds the notebook by its record."""
    first, environ = tmp_path / "first.ipynb", {"JPY_SESSION_NAME": str(tmp_path / "first.ipynb")}
    now = write(tmp_path / "third.ipynb", "aaaaaaaa")
    write(tmp_path / "other.ipynb", "bbbbbbbb")
    known = replace(record(now, "aaaaaaaa"), known_as=frozenset({str(first)}))
    assert find_path("", {}, environ, [known], read_cell) == now
    again = replace(known, path=str(tmp_path / "second.ipynb"))
    assert find_path("", {}, environ, [again], read_cell) == now, "renamed once more: the inode leads to it"
    write(now, "nnnnnnnn")
    assert find_path("", {}, environ, [known], read_cell) == first, "another notebook has its name now"


def test_two_notebooks_that_had_one_name_are_not_mixed(tmp_path: Path) -> None:
    """Where two renamed notebooks had the kernel's name, only a running cell tells which of them this is."""
    environ, before = {"JPY_SESSION_NAME": str(tmp_path / "old.ipynb")}, frozenset({str(tmp_path / "old.ipynb")})
    one, two = write(tmp_path / "one.ipynb", "aaaaaaaa"), write(tmp_path / "two.ipynb", "bbbbbbbb")
    records = [replace(record(path, *ids), known_as=before) for path, ids in ((one, ["aaaaaaaa"]), (two, ["bbbbbbbb"]))]
    assert find_path("", {}, environ, records, read_cell) == tmp_path / "old.ipynb"
    assert find_path("", {}, environ, records, read_cell, "aaaaaaaa") == one
    assert find_path("", {}, environ, records, read_cell, "bbbbbbbb") == two
    assert find_path("", {}, environ, records[:1], read_cell, "bbbbbbbb") == one
    strangers = [records[0], replace(records[1], known_as=frozenset())]
    assert find_path("", {}, environ, strangers, read_cell, "bbbbbbbb") == two


def test_the_kernels_name_leads_to_its_notebook(tmp_path: Path) -> None:
    """Of notebooks that all began under one name, a restarted kernel finds its own, whoever has that name now."""
    environ = {"JPY_SESSION_NAME": str(tmp_path / "Untitled.ipynb")}
    one, two = write(tmp_path / "one.ipynb", "aaaaaaaa"), write(tmp_path / "two.ipynb", "bbbbbbbb")
    before = str(tmp_path / "Untitled.ipynb")
    records = [
        replace(record(one, "aaaaaaaa"), known_as=frozenset({before, "kernel-1.json"})),
        replace(record(two, "bbbbbbbb"), known_as=frozenset({before, "kernel-2.json"})),
    ]
    for name, path in (("kernel-1.json", one), ("kernel-2.json", two), ("kernel-3.json", tmp_path / "Untitled.ipynb")):
        assert find_path("", {}, environ, records, read_cell, None, name) == path
    write(tmp_path / "Untitled.ipynb", "cccccccc")
    for name, path in (("kernel-1.json", one), ("kernel-2.json", two), ("kernel-3.json", tmp_path / "Untitled.ipynb")):
        assert find_path("", {}, environ, records, read_cell, None, name) == path
    two.unlink()
    assert find_path("", {}, environ, records, read_cell, None, "kernel-2.json") == tmp_path / "Untitled.ipynb"
