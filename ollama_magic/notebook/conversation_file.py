"""Saves and opens conversations as files, in the format that their name or content shows."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ollama_magic.errors import InputError
from ollama_magic.notebook.conversation_markdown import markdown_of
from ollama_magic.notebook.messages import body_of, turns_of
from ollama_magic.notebook.notebook_file import notebook_from
from ollama_magic.notebook.notebook_text import notebook_of
from ollama_magic.notebook.text_files import full_path, parse_json, read_text, shown, write_text
from ollama_magic.turns.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from ollama_magic.notebook.notebook_file import ReadCell
    from ollama_magic.turns.turn_value import Turn


@dataclass(frozen=True)
class OpenedFile:
    """The turns of a file, notes about what was left out, and its path."""

    turns: tuple[Turn, ...]
    notes: tuple[str, ...]
    path: Path


def save_conversation(name: str | Path, turns: Sequence[Turn], *, force: bool = False) -> Path:
    """Write the turns as JSON, Markdown or a notebook, by the ending of the name; return the full path.

    Raises:
        InputError: The file exists, or cannot be written there.
        StoreError: Writing failed.
    """
    path = full_path(name)
    layout = _LAYOUTS.get(path.suffix.lower())
    if layout is None:
        raise InputError(f"{shown(path)} should end in .json, .md or .ipynb.")
    if not turns:
        raise InputError("There is no turn to save yet.")
    write_text(path, layout(turns), force=force)
    return path


def open_conversation(name: str | Path, read_cell: ReadCell) -> OpenedFile:
    """Read the turns of a file, whose format is found from its content; InputError says why it cannot be read."""
    path = full_path(name)
    text = read_text(path)
    turns, notes = _read(text, path, read_cell)
    if not turns:
        raise InputError("; ".join([f"{shown(path)} contains no turn of a conversation", *notes]) + ".")
    return OpenedFile(tuple(turns), tuple(notes), path)


def _read(text: str, path: Path, read_cell: ReadCell) -> tuple[Sequence[Turn], Sequence[str]]:
    if not text.lstrip().startswith(("{", "[")):
        raise InputError(
            f"{shown(path)} is not a saved conversation: `%ollama open` reads .json and .ipynb files, not Markdown."
        )
    body = parse_json(text, path)
    if isinstance(body, dict) and "nbformat" in body:
        return _read_notebook(body, path, read_cell)
    read = turns_of(body)
    if read is None:
        raise InputError(f"{shown(path)} is JSON, but has no list of messages.")
    return read


def _read_notebook(body: Any, path: Path, read_cell: ReadCell) -> tuple[Sequence[Turn], Sequence[str]]:
    file = notebook_from(body, path, read_cell)
    notes = []
    if file.unfinished:
        notes.append(f"left out: {counted(file.unfinished, 'answer')} still running when it was saved")
    if file.promptless:
        notes.append(f"left out: {counted(file.promptless, 'answer')} in a cell without a prompt")
    absent = dict.fromkeys(one.name for turn in file.turns for one in turn.attachments if not one.travelled)
    if absent:
        notes.append(f"not in the file, and no longer sent: {', '.join(absent)}; attach what is needed again")
    return file.turns, notes


def _json(turns: Sequence[Turn]) -> str:
    return json.dumps(body_of(turns), ensure_ascii=False, indent=1, allow_nan=False) + "\n"


_LAYOUTS: dict[str, Callable[[Sequence[Turn]], str]] = {
    ".json": _json,
    ".md": markdown_of,
    ".markdown": markdown_of,
    ".ipynb": notebook_of,
}
