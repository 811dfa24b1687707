"""Decides which notebook this is from the evidence that `evidence` gathers (design.md §4). Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING, Literal

from ollama_magic.foreign import repaired
from ollama_magic.notebook.notebook_file import CELL_ID

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from pathlib import Path

    from ollama_magic.store.records import NotebookRecord

VerdictKind = Literal["same", "renamed", "copy", "new", "in use", "none"]
VSCODE = "vscode-notebook-cell:"
_PROMPT, _KERNEL = "prompt:", "kernel:"  # no id in a file contains a colon
_GUESSABLE = re.compile(r"(?:[A-Za-z]+[-_]?)?\d{1,6}\Z|.{1,7}\Z")


@dataclass(frozen=True)
class Evidence:
    """The evidence about a notebook; `kernel` is this process and its start time.

    `elsewhere` has the marks of existing files at other paths that records name (None: an unreadable file). `aliases`
    are other paths of the same file.
    """

    path: Path | None = None
    ids_in_file: frozenset[str] = frozenset()
    prompts_in_file: frozenset[str] = frozenset()
    running_cell: str | None = None
    nbformat: tuple[int, int] = (4, 5)
    kernel: tuple[int, float] = (0, 0.0)
    inode: int = 0
    device: int = 0
    elsewhere: Mapping[str, frozenset[str] | None] = field(default_factory=dict)
    aliases: frozenset[str] = frozenset()

    @cached_property
    def marks(self) -> frozenset[str]:
        """Everything that may identify this notebook: its cells, and its prompts."""
        return file_marks(self.ids_in_file, self.prompts_in_file, self.nbformat, self.kernel) | self.running_marks

    @cached_property
    def running_marks(self) -> frozenset[str]:
        """The mark of the running cell, if known."""
        if not self.running_cell:
            return frozenset()
        return frozenset({cell_mark(self.running_cell, self.nbformat, self.kernel)})

    @cached_property
    def marks_to_store(self) -> frozenset[str]:
        """The marks for its record, with prompts only if no id is unique to this notebook."""
        if any(_is_unique(mark) for mark in self.marks):
            return frozenset(mark for mark in self.marks if not mark.startswith(_PROMPT))
        return self.marks

    def stands_at(self, path: str) -> bool:
        """Whether a record's path is this notebook's."""
        return bool(path) and (path == str(self.path) or path in self.aliases)


@dataclass(frozen=True)
class Verdict:
    """Which notebook it is: `record` is the one to continue ("same" and "renamed" only).

    `other` is the old conversation at this path that can be continued ("new"), the original ("copy"), or the notebook
    that another running kernel writes ("in use").
    """

    kind: VerdictKind
    record: NotebookRecord | None = None
    other: NotebookRecord | None = None


def identify(
    evidence: Evidence, records: Sequence[NotebookRecord], alive: Callable[[tuple[int, float]], bool]
) -> Verdict:
    """Decide which known notebook this is, if any; `alive` says whether a process still runs."""
    if evidence.path is None:
        return Verdict("none")
    at_path = [record for record in records if evidence.stands_at(record.path)]
    same = [record for record in at_path if evidence.marks & record.cells]
    if same:
        return _unless_written("same", _likeliest(evidence, same), evidence.kernel, alive)
    strangers = [record for record in records if record.path and not evidence.stands_at(record.path)]
    shared = [record for record in strangers if _known_elsewhere(evidence, record)]
    gone = [record for record in shared if _left_its_path(evidence, record)]
    if gone:
        return _unless_written("renamed", _likeliest(evidence, gone), evidence.kernel, alive)
    if shared:
        return Verdict("copy", other=_likeliest(evidence, shared))
    return Verdict("new", other=max(at_path, key=lambda record: record.seen_at, default=None))


def taken_up(
    verdict: Verdict,
    marks: Collection[str],
    kernel: tuple[int, float],
    alive: Callable[[tuple[int, float]], bool],
) -> NotebookRecord | None:
    """Return the old conversation at this path if one of its cells runs: a kernel died before the first save."""
    old = verdict.other
    if verdict.kind != "new" or old is None or old.cells.isdisjoint(marks):
        return None
    return None if _written_by_another(old, kernel, alive) else old


def cell_mark(cell: str, nbformat: tuple[int, int], kernel: tuple[int, float]) -> str:
    """Return the mark of a cell: its id, bound to this kernel if the front end changes ids each time."""
    if nbformat >= (4, 5) and CELL_ID.match(cell):
        return cell
    return f"{_KERNEL}{kernel[0]}:{kernel[1]!r}/{cell}"


def prompt_mark(prompt: str) -> str:
    """Return the mark of a prompt: a hash, because `--erase` must leave no byte of the text."""
    return _PROMPT + sha256(repaired(prompt).strip().encode()).hexdigest()[:20]


def file_marks(
    ids: Collection[str], prompts: Collection[str], nbformat: tuple[int, int], kernel: tuple[int, float]
) -> frozenset[str]:
    """Return the marks of a file's cells and prompts."""
    cells = {cell_mark(cell, nbformat, kernel) for cell in ids}
    return frozenset(cells | {prompt_mark(prompt) for prompt in prompts if prompt.strip()})


def _is_unique(mark: str) -> bool:
    """Whether no other notebook has this mark by chance: many tools write ids such as `cell-3`."""
    return not mark.startswith((_PROMPT, _KERNEL)) and not _GUESSABLE.match(mark)


def _known_elsewhere(evidence: Evidence, record: NotebookRecord) -> bool:
    """Whether a record at another path shares this notebook's cells: one id, or two prompts and half of all."""
    shared = evidence.marks & record.cells
    if any(_is_unique(mark) or mark.startswith(_KERNEL) for mark in shared):
        return True
    prompts = [mark for mark in shared if mark.startswith(_PROMPT)]
    of_record = sum(mark.startswith(_PROMPT) for mark in record.cells)
    return len(prompts) >= 2 and 2 * len(prompts) >= of_record


def _left_its_path(evidence: Evidence, record: NotebookRecord) -> bool:
    """Whether the record's notebook has left its path: the file is missing, or has none of its cells."""
    if record.path not in evidence.elsewhere:
        return True
    marks = evidence.elsewhere[record.path]
    return marks is not None and marks.isdisjoint(record.cells)


def _likeliest(evidence: Evidence, records: Sequence[NotebookRecord]) -> NotebookRecord:
    """Return the record with the running cell, or most of these cells; name, inode and time break ties."""
    name = evidence.path.name if evidence.path else ""

    def likeness(record: NotebookRecord) -> tuple[object, ...]:
        same_name = re.split(r"[/\\]", record.path)[-1] == name
        same_file = (record.inode, record.device) == (evidence.inode, evidence.device)
        running = bool(evidence.running_marks & record.cells)
        return running, len(evidence.marks & record.cells), same_name, same_file, record.seen_at

    return max(records, key=likeness)


def _unless_written(
    kind: VerdictKind, record: NotebookRecord, kernel: tuple[int, float], alive: Callable[[tuple[int, float]], bool]
) -> Verdict:
    if _written_by_another(record, kernel, alive):
        return Verdict("in use", other=record)
    return Verdict(kind, record=record)


def _written_by_another(
    record: NotebookRecord, kernel: tuple[int, float], alive: Callable[[tuple[int, float]], bool]
) -> bool:
    return record.writer is not None and record.writer != kernel and alive(record.writer)
