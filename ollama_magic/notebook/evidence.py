"""Gathers the evidence about a notebook: its path, its cells, the files at other paths. `identity` decides."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ollama_magic.errors import InputError
from ollama_magic.notebook.declared_path import declared_path
from ollama_magic.notebook.identity import Evidence, file_marks
from ollama_magic.notebook.notebook_file import NotebookFile, read_notebook

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ollama_magic.notebook.notebook_file import ReadCell
    from ollama_magic.store.records import NotebookRecord


def no_cell(source: str) -> None:
    """Treat no cell as a chat cell."""


def find_path(
    setting: str,
    user_ns: Mapping[str, Any],
    environ: Mapping[str, str],
    records: Sequence[NotebookRecord] = (),
    read_cell: ReadCell = no_cell,
    running_cell: str | None = None,
    kernel_name: str = "",
) -> Path | None:
    """Return the path of the notebook: the setting, else VS Code's variable, else the session's name; None if unknown.

    A restarted kernel keeps its name and its first environment, although the notebook may have been renamed and its old
    name reused. So the notebook that a kernel of this name wrote comes first. If there is none and the session's file
    is missing, it is the only notebook that had this path, else the one that has the running cell.
    """
    path, lasts = declared_path(setting, user_ns, environ)
    if path is None or lasts:
        return path
    possible = [record for record in records if running_cell and running_cell in record.cells] or records
    written = [record for record in possible if kernel_name and kernel_name in record.known_as]
    found = _one_of(written, path, read_cell)
    if found is not None or os.path.lexists(path):
        return found or path
    named = [record for record in possible if str(path) in {record.path, *record.known_as}]
    return _one_of(named, path, read_cell) or _with_cell(path, records, running_cell) or path


def find_renamed(path: Path, record: NotebookRecord, read_cell: ReadCell = no_cell) -> Path:
    """Return the current path of a notebook that was at this path: it may have been renamed, and the name reused."""
    return _whereabouts(replace(record, path=str(path)), read_cell) or path


def gather(
    path: Path | None,
    running_cell: str | None,
    kernel: tuple[int, float],
    records: Sequence[NotebookRecord],
    read_cell: ReadCell = no_cell,
) -> Evidence:
    """Examine the notebook, and the files of records that share a cell with it.

    The file is not read if the running cell alone shows that it is the same notebook.
    """
    if path is None:
        return Evidence(running_cell=running_cell, kernel=kernel)
    inode, device = _inode_of(path)
    aliases = frozenset(record.path for record in records if _same_file(record, path, inode))
    seen = Evidence(path, running_cell=running_cell, kernel=kernel, inode=inode, device=device, aliases=aliases)
    if any(seen.stands_at(record.path) and seen.marks & record.cells for record in records):
        return seen
    file = _file(path, read_cell) or NotebookFile()
    ids, prompts = frozenset(file.ids), frozenset(file.prompts)
    found = replace(seen, ids_in_file=ids, prompts_in_file=prompts, nbformat=file.nbformat)
    others = [one for one in records if one.path and not found.stands_at(one.path) and found.marks & one.cells]
    elsewhere = {one.path: _marks_at(Path(one.path), kernel, read_cell) for one in others if os.path.lexists(one.path)}
    return replace(found, elsewhere=elsewhere)


def saved_at(path: Path | None) -> float:
    """Return when the file was written, in Unix seconds; 0.0 if there is none."""
    try:
        return path.stat().st_mtime if path is not None else 0.0
    except (OSError, ValueError):
        return 0.0


def ids_in(path: Path | None, read_cell: ReadCell = no_cell) -> frozenset[str]:
    """Return the ids of a file's cells."""
    file = _file(path, read_cell) if path is not None else None
    return frozenset(file.ids) if file is not None else frozenset()


def _one_of(records: Sequence[NotebookRecord], path: Path, read_cell: ReadCell) -> Path | None:
    """Return the path of the only notebook that the records lead to; None if there is none, or several."""
    if [(record.path, record.inode, record.device) for record in records] == [(str(path), *_inode_of(path))]:
        return path  # it need not be read
    found = {near for record in records if (near := _whereabouts(record, read_cell))}
    return found.pop() if len(found) == 1 else None


def _whereabouts(record: NotebookRecord, read_cell: ReadCell) -> Path | None:
    """Return the file at a record's path, or with its inode in the same folder, if it has one of its cells."""
    path, inode = Path(record.path), (record.inode, record.device)
    if not record.path:
        return None
    same_inode = (near for near in _notebooks_in(path.parent) if record.inode and _inode_of(near) == inode)
    for near in (path, *same_inode):
        marks = _marks_at(near, (0, 0.0), read_cell)
        if marks and marks & record.cells:
            return near
    return None


def _with_cell(path: Path, records: Sequence[NotebookRecord], running_cell: str | None) -> Path | None:
    """Return the only known notebook in the same folder that has the running cell."""
    holders = [Path(record.path) for record in records if record.path and running_cell in record.cells]
    near = [one for one in holders if one.parent == path.parent and (one == path or os.path.lexists(one))]
    return near[0] if len(near) == 1 else None


def _marks_at(path: Path, kernel: tuple[int, float], read_cell: ReadCell) -> frozenset[str] | None:
    """Return the marks of a file, None if it cannot be read."""
    file = _file(path, read_cell)
    return None if file is None else file_marks(file.ids, file.prompts, file.nbformat, kernel)


def _file(path: Path, read_cell: ReadCell) -> NotebookFile | None:
    try:
        return read_notebook(path, read_cell)
    except InputError:
        return None


def _inode_of(path: Path) -> tuple[int, int]:
    try:
        facts = path.stat()
    except (OSError, ValueError):
        return 0, 0
    return facts.st_ino, facts.st_dev


def _same_file(record: NotebookRecord, path: Path, inode: int) -> bool:
    """Whether a record's other path is this same file: a hard link, or another spelling on a Mac."""
    if not inode or record.inode != inode or record.path == str(path):
        return False
    try:
        return path.samefile(record.path)
    except (OSError, ValueError):
        return False


def _notebooks_in(folder: Path) -> list[Path]:
    try:
        return sorted(folder.glob("*.ipynb"))
    except OSError:
        return []
