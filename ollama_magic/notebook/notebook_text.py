"""A conversation as a notebook: each turn is a chat cell with its answer as output."""

from __future__ import annotations

import json
import shlex
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from ollama_magic.foreign import one_line, repaired, without_controls
from ollama_magic.turns.attachment_json import whole
from ollama_magic.turns.column_text import column_label, column_titles, joined_columns
from ollama_magic.turns.step_json import steps_in_file
from ollama_magic.turns.turn_value import MAIN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ollama_magic.turns.turn_value import Turn


def notebook_of(turns: Sequence[Turn]) -> str:
    """Return the turns as a notebook file, without thinking, times and control characters."""
    name = sha256(repr([(turn.prompt, turn.text) for turn in turns]).encode("utf8", "surrogatepass")).hexdigest()
    cells = [_cell(f"{name[:12]}-{number}", turn) for number, turn in enumerate(turns, 1)]
    first = _code_cell(f"{name[:12]}-0", "%load_ext ollama_magic", [])
    kernel = {"kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}}
    notebook = {"cells": [first, *cells], "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}
    return repaired(json.dumps(notebook, ensure_ascii=False, indent=1)) + "\n"


def _cell(cell: str, turn: Turn) -> dict[str, Any]:
    labels: dict[str, object] = {
        "slot": f"{cell}/1",
        "conversation": turn.conversation,
        "model": turn.model,
        "state": turn.state,
        "prompt": turn.prompt,
    }
    if turn.settings.system:
        labels["system"] = turn.settings.system
    if turn.settings.format is not None:
        labels["format"] = turn.settings.format
    if turn.attachments:
        labels["attachments"] = [whole(one) for one in turn.attachments]
    if turn.steps:
        labels["steps"] = steps_in_file(turn.steps)
    text = _answer(turn)
    if turn.alternatives:
        text, beside = _beside(turn)
        labels |= beside
    output = {
        "output_type": "display_data",
        "data": {"text/plain": _lines(text)},
        "metadata": {"ollama_magic": labels},
    }
    return _code_cell(cell, f"{_first_line(turn)}\n{turn.prompt}", [output])


def _beside(turn: Turn) -> tuple[str, dict[str, object]]:
    """Return the text of answers side by side, and its labels, like display/settled_columns.py."""
    columns = turn.columns
    titles = column_titles([one.model for one in columns], [one.settings.host for one in columns])
    texts = [_answer(one) for one in columns]
    labels = [
        column_label(title, text, one.model, one.state) for title, text, one in zip(titles, texts, columns, strict=True)
    ]
    place = next(place for place, one in enumerate(columns, 1) if one is turn)
    return joined_columns([*zip(titles, texts, strict=True)]), {"columns": labels, "column": place}


def _code_cell(cell: str, source: str, outputs: list[dict[str, Any]]) -> dict[str, Any]:
    empty: dict[str, Any] = {"cell_type": "code", "execution_count": None, "id": cell, "metadata": {}}
    return empty | {"outputs": outputs, "source": _lines(source)}


def _first_line(turn: Turn) -> str:
    """Return the magic that would ask the same; a filled prompt must not be filled twice."""
    name = [] if turn.conversation == MAIN else ["-c", shlex.quote(one_line(turn.conversation))]
    models = [word for one in turn.columns if turn.alternatives for word in ("-m", shlex.quote(one_line(one.model)))]
    return " ".join(["%%chat", *name, *models, *["--verbatim"] * ("{{" in turn.prompt)])


def _answer(turn: Turn) -> str:
    """Return the answer with the mark of its state, like display/settled.py."""
    text = without_controls(repaired(turn.text))
    if turn.state == "complete":
        return text
    why = f": {one_line(turn.outcome.error)}" if turn.state == "failed" and turn.outcome.error else ""
    return f"{text}\n\n[{turn.state}{why}]" if text else f"[{turn.state}{why}]"


def _lines(text: str) -> list[str]:
    r"""Return the text as notebooks store it: lines with their ends, split at \n alone."""
    parts = text.split("\n")
    return [line for line in [*(f"{part}\n" for part in parts[:-1]), parts[-1]] if line]
