"""A conversation as a notebook: each turn a chat cell with its answer under it, as a run would have left them."""

from __future__ import annotations

import json
import shlex
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from ollama_magic.foreign import one_line, repaired, without_controls
from ollama_magic.notebook.notebook_file import MAIN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ollama_magic.notebook.saved_turn import SavedTurn


def notebook_of(turns: Sequence[SavedTurn]) -> str:
    """Return the turns as a notebook file; thinking, times and control characters are not kept in one."""
    name = sha256(repr([(turn.prompt, turn.text) for turn in turns]).encode("utf8", "surrogatepass")).hexdigest()
    cells = [_cell(f"{name[:12]}-{number}", turn) for number, turn in enumerate(turns, 1)]
    first = _code_cell(f"{name[:12]}-0", "%load_ext ollama_magic", [])
    kernel = {"kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}}
    notebook = {"cells": [first, *cells], "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}
    return repaired(json.dumps(notebook, ensure_ascii=False, indent=1)) + "\n"


def _cell(cell: str, turn: SavedTurn) -> dict[str, Any]:
    labels = {
        "slot": f"{cell}/1",
        "conversation": turn.conversation,
        "model": turn.model,
        "state": turn.state,
        "prompt": turn.prompt,
    }
    if turn.system:
        labels["system"] = turn.system
    output = {
        "output_type": "display_data",
        "data": {"text/plain": _lines(_answer(turn))},
        "metadata": {"ollama_magic": labels},
    }
    return _code_cell(cell, f"{_first_line(turn)}\n{turn.prompt}", [output])


def _code_cell(cell: str, source: str, outputs: list[dict[str, Any]]) -> dict[str, Any]:
    empty: dict[str, Any] = {"cell_type": "code", "execution_count": None, "id": cell, "metadata": {}}
    return empty | {"outputs": outputs, "source": _lines(source)}


def _first_line(turn: SavedTurn) -> str:
    """The magic that would ask the same: a prompt that was filled in is not filled again."""
    name = [] if turn.conversation == MAIN else ["-c", shlex.quote(one_line(turn.conversation))]
    return " ".join(["%%chat", *name, *["--verbatim"] * ("{{" in turn.prompt)])


def _answer(turn: SavedTurn) -> str:
    """The answer with the mark of its state, as display/settled.py leaves it."""
    text = without_controls(repaired(turn.text))
    if turn.state == "complete":
        return text
    why = f": {one_line(turn.error)}" if turn.state == "failed" and turn.error else ""
    return f"{text}\n\n[{turn.state}{why}]" if text else f"[{turn.state}{why}]"


def _lines(text: str) -> list[str]:
    r"""The text as notebooks keep it: lines with their ends, split at \n alone."""
    parts = text.split("\n")
    return [line for line in [*(f"{part}\n" for part in parts[:-1]), parts[-1]] if line]
