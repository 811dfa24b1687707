"""Conversations as files, for `save` and `open`: which kind a file is. Each kind is laid out in a room of its own."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ollama_magic.errors import InputError
from ollama_magic.notebook.conversation_markdown import is_markdown_of_ours, markdown_of, turns_of_markdown
from ollama_magic.notebook.files import full_path, parse_json, read_text, shown, write_text
from ollama_magic.notebook.messages import body_of, turns_of
from ollama_magic.notebook.notebook_file import notebook_from
from ollama_magic.notebook.notebook_text import notebook_of
from ollama_magic.notebook.saved_turn import SavedTurn, counted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from ollama_magic.notebook.notebook_file import ReadCell

__all__ = ["OpenedFile", "SavedTurn", "open_conversation", "save_conversation"]


@dataclass(frozen=True)
class OpenedFile:
    """What a file held: its turns, what was left out of them (a clause each), and where it is."""

    turns: tuple[SavedTurn, ...]
    notes: tuple[str, ...]
    path: Path


def save_conversation(name: str | Path, turns: Sequence[SavedTurn], *, force: bool = False) -> Path:
    """Write the turns as JSON, Markdown or a notebook, as the name ends; return the full path.

    InputError if it exists, or cannot be written there; StoreError if writing failed.
    """
    path = full_path(name)
    layout = _LAYOUTS.get(path.suffix.lower())
    if layout is None:
        raise InputError(f"{shown(path)} should end in .json, .md or .ipynb, for that is what can be saved.")
    if not turns:
        raise InputError("There is no turn to save yet.")
    write_text(path, layout(turns), force=force)
    return path


def open_conversation(name: str | Path, read_cell: ReadCell) -> OpenedFile:
    """Read the turns of a file, which its content tells the kind of; InputError says in one line why it cannot be."""
    path = full_path(name)
    text = read_text(path)
    turns, notes = _read(text, path, read_cell)
    if not turns:
        raise InputError("; ".join([f"{shown(path)} holds no turn of a conversation", *notes]) + ".")
    return OpenedFile(tuple(turns), tuple(notes), path)


def _read(text: str, path: Path, read_cell: ReadCell) -> tuple[Sequence[SavedTurn], Sequence[str]]:
    if is_markdown_of_ours(text):
        return turns_of_markdown(text, path), ()
    if not text.lstrip().startswith(("{", "[")):
        raise InputError(f"{shown(path)} is no conversation that `%ollama save` wrote, and no list of messages.")
    body = parse_json(text, path)
    if isinstance(body, dict) and "nbformat" in body:
        return _read_notebook(body, path, read_cell)
    read = turns_of(body)
    if read is None:
        raise InputError(f"{shown(path)} is JSON, but holds no list of messages.")
    return read


def _read_notebook(body: Any, path: Path, read_cell: ReadCell) -> tuple[Sequence[SavedTurn], Sequence[str]]:
    file = notebook_from(body, path, read_cell)
    notes = []
    if file.unfinished:
        notes.append(f"left out: {counted(file.unfinished, 'answer')} on the way when it was saved")
    if file.promptless:
        notes.append(f"left out: {counted(file.promptless, 'answer')} under a cell without a prompt")
    return file.turns, notes


def _json(turns: Sequence[SavedTurn]) -> str:
    return json.dumps(body_of(turns), ensure_ascii=False, indent=1, allow_nan=False) + "\n"


_LAYOUTS: dict[str, Callable[[Sequence[SavedTurn]], str]] = {
    ".json": _json,
    ".md": markdown_of,
    ".markdown": markdown_of,
    ".ipynb": notebook_of,
}
