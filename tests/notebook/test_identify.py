"""Which notebook is this: the decision, case by case."""

from __future__ import annotations

from pathlib import Path

import pytest

from ollama_magic.notebook.identity import Evidence, cell_mark, identify, prompt_mark, taken_up
from ollama_magic.store.records import NotebookRecord

US, OTHER, DEAD = (10, 1.0), (20, 2.0), (30, 3.0)
VSCODE = "vscode-notebook-cell:/users/ann/a.ipynb#W0"
A, B, C = Path("/users/ann/a.ipynb"), Path("/users/ann/b.ipynb"), Path("/users/ann/c.ipynb")
IDS = frozenset({"aaaaaaaa", "bbbbbbbb"})


def record(path: Path = A, *cells: str, name: str = "old", writer: tuple[int, float] | None = None, **more: float):
    facts = {"inode": 7, "device": 1, "seen_at": 1.0} | more
    return NotebookRecord(name, str(path), cells=frozenset(cells) or IDS, writer=writer, **facts)


def seen(path: Path | None = A, *ids: str, running: str | None = None, **more) -> Evidence:
    return Evidence(path, frozenset(ids), running_cell=running, kernel=US, **more)


def told(evidence: Evidence, *records: NotebookRecord) -> tuple[str, str]:
    verdict = identify(evidence, records, lambda writer: writer != DEAD)
    one = verdict.record or verdict.other
    assert (verdict.record is not None) == (verdict.kind in ("same", "renamed"))
    return verdict.kind, one.id if one else ""


def prompts(*texts: str) -> frozenset[str]:
    return frozenset(prompt_mark(text) for text in texts)


# fmt: off
CASES = {
    "no path": (seen(None, running="aaaaaaaa"), [record()], ("none", "")),
    "never seen": (seen(A, "aaaaaaaa"), [], ("new", "")),
    "opened again": (seen(A, *IDS), [record()], ("same", "old")),
    "opened again, most cells deleted": (seen(A, "aaaaaaaa", "nnnnnnnn"), [record()], ("same", "old")),
    "not saved yet, the page still open": (seen(A, running="aaaaaaaa"), [record()], ("same", "old")),
    "not saved yet, another page": (seen(A, running="nnnnnnnn"), [record()], ("new", "old")),
    "the file is missing": (seen(A, running="bbbbbbbb", inode=0), [record()], ("same", "old")),
    "atomic save by an editor": (seen(A, *IDS, inode=99), [record()], ("same", "old")),
    "checkout of another version": (seen(A, "aaaaaaaa", "xxxxxxxx", inode=98), [record()], ("same", "old")),
    "checkout of one with other cells": (seen(A, "xxxxxxxx"), [record()], ("new", "old")),
    "renamed": (seen(B, *IDS, inode=7, device=1), [record()], ("renamed", "old")),
    "renamed, to another disk": (seen(B, *IDS, inode=5), [record()], ("renamed", "old")),
    "renamed, and the old name is used again": (
        seen(B, *IDS, elsewhere={str(A): frozenset({"nnnnnnnn"})}), [record()], ("renamed", "old")),
    "renamed over another notebook": (seen(B, *IDS), [record(), record(B, "xxxxxxxx", name="b")], ("renamed", "old")),
    "copied": (seen(B, *IDS, elsewhere={str(A): IDS}), [record()], ("copy", "old")),
    "copied, the original cannot be read": (seen(B, *IDS, elsewhere={str(A): None}), [record()], ("copy", "old")),
    "copied, and opened again": (
        seen(B, *IDS, elsewhere={str(A): IDS}), [record(), record(B, name="b")], ("same", "b")),
    "copied, and the original deleted": (seen(B, *IDS), [record(), record(B, name="b")], ("same", "b")),
    "copied, and the copy renamed": (
        seen(C, *IDS, elsewhere={str(A): IDS}), [record(), record(B, name="b")], ("renamed", "b")),
    "copied over another notebook": (
        seen(B, *IDS, elsewhere={str(A): IDS}), [record(), record(B, "xxxxxxxx", name="b")], ("copy", "old")),
    "a folder of copies moved": (
        seen(Path("/new/b.ipynb"), *IDS), [record(seen_at=9.0), record(B, name="b")], ("renamed", "b")),
    "a copy that went its own way, moved": (
        seen(Path("/new/c.ipynb"), *IDS, "cccccccc"), [record(seen_at=9.0), record(B, *IDS, "cccccccc", name="b")],
        ("renamed", "b")),
    "deleted, its name used again": (seen(A, "nnnnnnnn"), [record()], ("new", "old")),
    "deleted, its name and inode used again": (seen(A, "nnnnnnnn", inode=7, device=1), [record()], ("new", "old")),
    "deleted, its inode used by another name": (seen(B, "nnnnnnnn", inode=7, device=1), [record()], ("new", "")),
    "a cell cut out of another notebook": (
        seen(B, "aaaaaaaa", "nnnnnnnn", elsewhere={str(A): frozenset({"bbbbbbbb"})}), [record()], ("copy", "old")),
    "two at one path, the running cell tells": (
        seen(A, *IDS, "xxxxxxxx", running="xxxxxxxx"),
        [record(seen_at=9.0), record(A, "xxxxxxxx", name="b")], ("same", "b")),
    "a hard link to it": (seen(B, *IDS, aliases=frozenset({str(A)})), [record()], ("same", "old")),
    "another kernel writes it": (seen(A, *IDS), [record(writer=OTHER)], ("in use", "old")),
    "another kernel writes it under its old name": (seen(B, *IDS), [record(writer=OTHER)], ("in use", "old")),
    "its kernel was killed": (seen(A, *IDS), [record(writer=DEAD)], ("same", "old")),
    "this kernel writes it, loaded again": (seen(A, *IDS), [record(writer=US)], ("same", "old")),
    "copied from one that another kernel writes": (
        seen(B, *IDS, elsewhere={str(A): IDS}), [record(writer=OTHER)], ("copy", "old")),
    "a conversation kept aside has no path": (
        seen(B, *IDS), [NotebookRecord("side", "", 0, 0, IDS, 1.0)], ("new", "")),
    "ids that tools count up, elsewhere": (seen(B, "cell-1", "cell-2"), [record(A, "cell-1", "cell-2")], ("new", "")),
    "ids that tools count up, here": (seen(A, "cell-1"), [record(A, "cell-1")], ("same", "old")),
    "VS Code: the same id in another kernel": (
        seen(A, running=VSCODE), [record(A, cell_mark(VSCODE, (4, 5), DEAD))], ("new", "old")),
    "VS Code: the same id in this kernel": (
        seen(A, running=VSCODE), [record(A, cell_mark(VSCODE, (4, 5), US))], ("same", "old")),
    "format 4.4: ids count within one kernel": (
        seen(A, "aaaaaaaa", nbformat=(4, 4)), [record(A, cell_mark("aaaaaaaa", (4, 4), DEAD))], ("new", "old")),
    "format 4.4: an equal prompt": (
        seen(A, nbformat=(4, 4), prompts_in_file=frozenset({"why?\n"})), [record(A, *prompts("why?"))],
        ("same", "old")),
    "format 4.4: one equal prompt elsewhere": (
        seen(B, nbformat=(4, 4), prompts_in_file=frozenset({"hello"})), [record(A, *prompts("hello"))], ("new", "")),
    "format 4.4: renamed": (
        seen(B, nbformat=(4, 4), prompts_in_file=frozenset({"why?", "how?", "who?"})),
        [record(A, *prompts("why?", "how?", "what?"))], ("renamed", "old")),
    "format 4.4: few equal prompts elsewhere": (
        seen(B, nbformat=(4, 4), prompts_in_file=frozenset({"hello", "thanks"})),
        [record(A, *prompts("hello", "thanks", "a", "b", "c"))], ("new", "")),
}
# fmt: on


@pytest.mark.parametrize("case", CASES)
def test_identify(case: str) -> None:
    """A notebook is known by its cells; path and inode only help to find it."""
    evidence, records, verdict = CASES[case]
    assert told(evidence, *records) == verdict
    assert told(evidence, *reversed(records)) == verdict


def test_a_conversation_is_taken_up_when_its_cell_runs() -> None:
    """After a crash before the first save the old conversation comes back with the first cell that it knows."""
    verdict = identify(seen(A, running="nnnnnnnn"), [record()], lambda _: False)
    assert taken_up(verdict, {"nnnnnnnn"}, US, lambda _: True) is None
    assert taken_up(verdict, {"aaaaaaaa"}, US, lambda _: True) == record()


@pytest.mark.parametrize("writer", [US, DEAD, None])
def test_nobody_loses_a_conversation_that_they_write(writer: tuple[int, float] | None) -> None:
    """What another living kernel writes is not taken up; what we wrote, or a dead one did, is."""
    verdict = identify(seen(A, running="nnnnnnnn"), [record(writer=writer)], lambda one: one != DEAD)
    assert taken_up(verdict, {"aaaaaaaa"}, US, lambda one: one != DEAD)
    written = identify(seen(A, running="nnnnnnnn"), [record(writer=OTHER)], lambda _: True)
    assert taken_up(written, {"aaaaaaaa"}, US, lambda _: True) is None


def test_a_copy_is_never_taken_up() -> None:
    """A copy shares its cells with the original, and still takes nothing of it."""
    verdict = identify(seen(B, *IDS, elsewhere={str(A): IDS}), [record()], lambda _: False)
    assert taken_up(verdict, IDS, US, lambda _: False) is None


def test_what_a_record_keeps() -> None:
    """Ids are kept as they are; prompts, as hashes, only where no id tells the notebook from all others."""
    stable = seen(A, "aaaaaaaa", prompts_in_file=frozenset({"why?"}))
    assert stable.marks_to_store == {"aaaaaaaa"}
    old = seen(A, running="cccccccc", nbformat=(4, 4), prompts_in_file=frozenset({"why?"}))
    assert old.marks_to_store == {cell_mark("cccccccc", (4, 4), US), *prompts("why?")}
    assert not [mark for mark in old.marks_to_store if "why" in mark]
