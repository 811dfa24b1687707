"""Gathering what can be seen of a notebook: its path, its cells, the files at other paths. Nothing is decided here."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ollama_magic.errors import InputError
from ollama_magic.notebook.notebook import Evidence, file_marks
from ollama_magic.notebook.notebook_file import NotebookFile, read_notebook

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ollama_magic.notebook.notebook_file import ReadCell
    from ollama_magic.store.values import NotebookRecord

VSCODE_VARIABLE = "__vsc_ipynb_file__"
SERVER_VARIABLE = "JPY_SESSION_NAME"
_SCHEME = re.compile(r"[A-Za-z][\w+-]+:(?!\\)")  # `untitled:…`; one letter is a drive


def no_cell(source: str) -> None:
    """Read no cell as a chat cell."""


def find_path(
    setting: str,
    user_ns: Mapping[str, Any],
    environ: Mapping[str, str],
    records: Sequence[NotebookRecord] = (),
    read_cell: ReadCell = no_cell,
    running_cell: str | None = None,
) -> Path | None:
    """Return where the notebook is: the setting, else VS Code's variable, else the session's name; None if unknown.

    A restarted kernel keeps the environment of its first start: where that file is missing, it may be the one in its
    folder that has the inode last seen, if it holds one of the cells last seen; or the one that it was found to be at
    an earlier restart, if the running cell belongs to that.
    """
    if setting.strip():
        return _resolved(Path(setting.strip()))
    told = user_ns.get(VSCODE_VARIABLE)
    if isinstance(told, str) and told and not _SCHEME.match(told):
        return _resolved(Path(told))
    name = environ.get(SERVER_VARIABLE, "")
    if not name.endswith(".ipynb"):
        return None
    path = _session_path(name)
    if path is None or os.path.lexists(path):
        return path
    return _moved(path, records, read_cell) or _moved_before(path, records, running_cell) or path


def find_again(path: Path, record: NotebookRecord, read_cell: ReadCell = no_cell) -> Path:
    """Where the notebook of a record is that was at this path: it may be renamed since, and the name used again."""
    marks = _marks_at(path, (0, 0.0), read_cell)
    if marks is not None and not marks.isdisjoint(record.cells):
        return path
    return _moved(path, [replace(record, path=str(path))], read_cell) or path


def gather(
    path: Path | None,
    running_cell: str | None,
    kernel: tuple[int, float],
    records: Sequence[NotebookRecord],
    read_cell: ReadCell = no_cell,
) -> Evidence:
    """Look at the notebook, and at the files of records that share a cell with it.

    The file is not read where the running cell alone tells that it is the same notebook.
    """
    if path is None:
        return Evidence(running_cell=running_cell, kernel=kernel)
    inode, device = _place(path)
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
    """When the file was written, in Unix seconds; 0.0 if there is none."""
    try:
        return path.stat().st_mtime if path is not None else 0.0
    except (OSError, ValueError):
        return 0.0


def ids_in(path: Path | None, read_cell: ReadCell = no_cell) -> frozenset[str]:
    """The ids of a file's cells."""
    file = _file(path, read_cell) if path is not None else None
    return frozenset(file.ids) if file is not None else frozenset()


def _moved(path: Path, records: Sequence[NotebookRecord], read_cell: ReadCell) -> Path | None:
    """The file in the folder of a missing one that has its inode and holds one of its cells."""
    for record in sorted(records, key=lambda one: -one.seen_at):
        if record.path != str(path) or not record.inode:
            continue
        for near in _notebooks_in(path.parent):
            marks = _place(near) == (record.inode, record.device) and _marks_at(near, (0, 0.0), read_cell)
            if marks and marks & record.cells:
                return near
    return None


def _moved_before(path: Path, records: Sequence[NotebookRecord], running_cell: str | None) -> Path | None:
    """The one notebook in the folder of a missing one to which the running cell belongs, if it is known by now."""
    holders = [Path(record.path) for record in records if record.path and running_cell in record.cells]
    near = [one for one in holders if one.parent == path.parent and (one == path or os.path.lexists(one))]
    return near[0] if len(near) == 1 else None


def _marks_at(path: Path, kernel: tuple[int, float], read_cell: ReadCell) -> frozenset[str] | None:
    """The marks of a file, None if it cannot be read."""
    file = _file(path, read_cell)
    return None if file is None else file_marks(file.ids, file.prompts, file.nbformat, kernel)


def _file(path: Path, read_cell: ReadCell) -> NotebookFile | None:
    try:
        return read_notebook(path, read_cell)
    except InputError:
        return None


def _resolved(path: Path) -> Path | None:
    try:
        return Path(os.path.realpath(path.expanduser()))
    except (OSError, ValueError, RuntimeError):
        return None


def _session_path(name: str) -> Path | None:
    """The session's name as a path; a relative one begins at the server's root, and the kernel in its own folder."""
    path = Path(name)
    with suppress(OSError, ValueError):
        return _resolved(path if path.is_absolute() or os.path.lexists(path) else Path(path.name))
    return None


def _place(path: Path) -> tuple[int, int]:
    try:
        facts = path.stat()
    except (OSError, ValueError):
        return 0, 0
    return facts.st_ino, facts.st_dev


def _same_file(record: NotebookRecord, path: Path, inode: int) -> bool:
    """Whether a record's other path leads to this very file: a hard link, or other letters on a Mac."""
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
