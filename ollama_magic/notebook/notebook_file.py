"""A notebook file read as data, never executed: its cells' ids, and the turns that its chat cells show.

What a chat cell's first line says is read by the magics, which hand their reader in.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ollama_magic.errors import InputError
from ollama_magic.foreign import one_line, repaired, without_controls
from ollama_magic.notebook.files import LIMIT, parse_json, read_text, shown, text_of
from ollama_magic.notebook.saved_turn import STATES, SavedTurn, said

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

MAIN = "main"
CELL_ID = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")  # what nbformat 4.5 allows
# How display/settled.py marks an answer that is not complete; a reason stands on one line.
_MARKS = {
    "stopped": re.compile(r"(?:\A|\n\n)\[stopped\]\Z"),
    "cut": re.compile(r"(?:\A|\n\n)\[cut\]\Z"),
    "failed": re.compile(r"(?:\A|\n\n)\[failed(?:: (?P<reason>[^\n]*))?\]\Z"),
}
_MARK_LENGTH = 1000


@dataclass(frozen=True)
class ChatCell:
    """What a chat cell says: its prompt as it was typed."""

    prompt: str


ReadCell = Callable[[str], "ChatCell | None"]


@dataclass(frozen=True)
class NotebookFile:
    """What a notebook file tells: its format, its cells' ids in order, the prompts of its chat cells, and its turns.

    `unfinished` counts the answers that were on their way when the file was saved, `promptless` those whose cell
    no longer holds a prompt; neither is among the turns.
    """

    nbformat: tuple[int, int] = (4, 5)
    ids: tuple[str, ...] = ()
    prompts: tuple[str, ...] = ()
    turns: tuple[SavedTurn, ...] = ()
    unfinished: int = 0
    promptless: int = 0


def read_notebook(path: Path, read_cell: ReadCell, limit: int = LIMIT) -> NotebookFile:
    """Read a notebook file; InputError says in one line why it cannot be. A broken cell is left out."""
    return notebook_from(parse_json(read_text(path, limit), path), path, read_cell)


def notebook_from(data: Any, path: Path, read_cell: ReadCell) -> NotebookFile:
    """Read a notebook from its JSON; the path is for error texts only."""
    if not isinstance(data, dict) or not isinstance(data.get("nbformat"), int):
        raise InputError(f"{shown(path)} is not a notebook.")
    major, minor = data["nbformat"], data.get("nbformat_minor")
    if major != 4:
        older = "older" if major < 4 else "newer"
        raise InputError(f"{shown(path)} has an {older} notebook format ({major}); save it as format 4 with Jupyter.")
    if not isinstance(data.get("cells"), list):
        raise InputError(f"{shown(path)} is a notebook without cells.")
    reading = _Reading(read_cell)
    for cell in data["cells"]:
        if isinstance(cell, dict):
            reading.read(cell)
    return reading.told((4, minor if isinstance(minor, int) else 0))


def answers_unknown(turns: Iterable[SavedTurn], known: Iterable[str]) -> int:
    """How many answers of a file are not among the answers that the store knows, set aside ones included."""
    texts = {_as_in_a_file(text) for text in known}
    return sum(_as_in_a_file(turn.text) not in texts for turn in turns)


def _as_in_a_file(text: str) -> str:
    return without_controls(repaired(text))


@dataclass
class _Reading:
    """One reading of one notebook; turns by the place of their output."""

    read_cell: ReadCell
    ids: list[str] = field(default_factory=list)
    prompts: list[str] = field(default_factory=list)
    turns: list[SavedTurn] = field(default_factory=list)
    unfinished: int = 0
    promptless: int = 0

    def read(self, cell: dict[str, Any]) -> None:
        cell_id = cell.get("id")
        cell_id = cell_id if isinstance(cell_id, str) and CELL_ID.match(cell_id) else ""
        if cell_id:
            self.ids.append(cell_id)
        if cell.get("cell_type") != "code":
            return
        typed = self._typed(text_of(cell.get("source")) or "")
        if typed is not None:
            self.prompts.append(typed)
        for labels, text in _answers(cell.get("outputs")):
            self._read_answer(cell_id, typed, labels, text)

    def told(self, nbformat: tuple[int, int]) -> NotebookFile:
        turns = tuple(_without_copies(self.turns))
        return NotebookFile(nbformat, tuple(self.ids), tuple(self.prompts), turns, self.unfinished, self.promptless)

    def _typed(self, source: str) -> str | None:
        if "%%" not in source:
            return None
        try:
            found = self.read_cell(source)
        except Exception:  # noqa: BLE001 (a cell of unknown origin; whatever its reading breaks, the others count)
            return None
        return None if found is None else repaired(found.prompt)

    def _read_answer(self, cell_id: str, typed: str | None, labels: dict[str, Any], text: str) -> None:
        if labels.get("state") not in STATES:
            self.unfinished += 1
            return
        prompt = said(labels["prompt"]) if isinstance(labels.get("prompt"), str) else typed
        answer, error = _without_mark(text, labels["state"])
        if not answer and labels["state"] != "complete":
            return  # nothing was remembered of it (design §4)
        if prompt is None:
            self.promptless += 1
            return
        self.turns.append(
            SavedTurn(
                prompt=prompt,
                text=answer,
                state=labels["state"],
                model=_name(labels.get("model")),
                system=said(labels.get("system")),
                error=error,
                conversation=_name(labels.get("conversation")) or MAIN,
                cell=cell_id,
                slot=_name(labels.get("slot")),
            )
        )
        if isinstance(labels.get("prompt"), str):
            self.prompts.append(prompt)


def _answers(outputs: Any) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield labels and text of each answer in a cell, in order; of a slot that stands there twice the newer text."""
    found: dict[object, tuple[dict[str, Any], str]] = {}
    for output in outputs if isinstance(outputs, list) else ():
        labels, text = _ours(output)
        if labels and text is not None:
            found[_name(labels.get("slot")) or len(found)] = (labels, text)
    yield from found.values()


def _ours(output: Any) -> tuple[dict[str, Any], str | None]:
    """Labels and text of an output, if it is an answer that was remembered: `--once` has no conversation."""
    metadata, data = (output.get("metadata"), output.get("data")) if isinstance(output, dict) else (None, None)
    labels = metadata.get("ollama_magic") if isinstance(metadata, dict) else None
    if not isinstance(labels, dict) or not isinstance(data, dict) or labels.get("conversation", MAIN) is None:
        return {}, None
    return labels, text_of(data.get("text/plain"))


def _without_mark(text: str, state: str) -> tuple[str, str]:
    """Take the mark off that an answer in this state ends with; return the text and the reason that the mark gave."""
    if state not in _MARKS:
        return text, ""
    match = _MARKS[state].search(text, max(len(text) - _MARK_LENGTH, 0))
    if match is None:
        return text, ""
    return text[: match.start()], one_line(match.groupdict().get("reason") or "")


def _without_copies(turns: list[SavedTurn]) -> Iterator[SavedTurn]:
    """Leave out answers of cells that were copied within the notebook: the slot's own cell shows them, or the first."""
    owners: dict[str, int] = {}
    for place, turn in enumerate(turns):
        cell, slash, _ = turn.slot.rpartition("/")
        if slash and (turn.slot not in owners or cell == turn.cell):
            owners[turn.slot] = place
    yield from (turn for place, turn in enumerate(turns) if owners.get(turn.slot, place) == place)


def _name(value: object) -> str:
    return one_line(value, 500) if isinstance(value, str) else ""
