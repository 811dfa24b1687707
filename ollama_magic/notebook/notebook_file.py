"""Reads a notebook file without executing it: its cells' ids, and the turns in its chat cells.

The caller provides the function that reads a chat cell's first line.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple, get_args

from ollama_magic.errors import InputError
from ollama_magic.foreign import one_line, repaired, without_controls
from ollama_magic.notebook.text_files import LIMIT, parse_json, read_text, shown, text_of
from ollama_magic.turns.attachment_json import attachments_from
from ollama_magic.turns.column_text import split_columns
from ollama_magic.turns.step_json import steps_from_json
from ollama_magic.turns.turn_json import format_from, name_from, text_from, with_alternatives
from ollama_magic.turns.turn_value import COMPLETE, MAIN, RUNNING, Outcome, RequestSettings, State, Turn

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

CELL_ID = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")  # what nbformat 4.5 allows
# How display/settled.py marks an answer that is not complete; a reason stands on one line.
_MARKS = {
    "stopped": re.compile(r"(?:\A|\n\n)\[stopped\]\Z"),
    "cut": re.compile(r"(?:\A|\n\n)\[cut\]\Z"),
    "failed": re.compile(r"(?:\A|\n\n)\[failed(?:: (?P<reason>[^\n]*))?\]\Z"),
}
_MARK_LENGTH = 1000
_STATES: tuple[State, ...] = tuple(state for state in get_args(State) if state != RUNNING)


@dataclass(frozen=True)
class ChatCell:
    """A chat cell with its prompt as typed."""

    prompt: str


class _SlottedTurn(NamedTuple):
    """A turn and the slot of its output."""

    turn: Turn
    slot: str


ReadCell = Callable[[str], "ChatCell | None"]


@dataclass(frozen=True)
class NotebookFile:
    """The content of a notebook file: its format, cell ids in order, the prompts of its chat cells, and its turns.

    `unfinished` counts the answers that were still running when the file was saved, `promptless` those whose cell no
    longer has a prompt; neither is among the turns.
    """

    nbformat: tuple[int, int] = (4, 5)
    ids: tuple[str, ...] = ()
    prompts: tuple[str, ...] = ()
    turns: tuple[Turn, ...] = ()
    unfinished: int = 0
    promptless: int = 0


def read_notebook(path: Path, read_cell: ReadCell, limit: int = LIMIT) -> NotebookFile:
    """Read a notebook file without its broken cells; InputError says why it cannot be read."""
    return notebook_from(parse_json(read_text(path, limit), path), path, read_cell)


def notebook_from(data: Any, path: Path, read_cell: ReadCell) -> NotebookFile:
    """Read a notebook from its JSON; the path is for error messages only."""
    if not isinstance(data, dict) or not isinstance(data.get("nbformat"), int):
        raise InputError(f"{shown(path)} is not a notebook.")
    major, minor = data["nbformat"], data.get("nbformat_minor")
    if major != 4:
        age = "an older" if major < 4 else "a newer"
        raise InputError(f"{shown(path)} has {age} notebook format ({major}); save it as format 4 with Jupyter.")
    if not isinstance(data.get("cells"), list):
        raise InputError(f"{shown(path)} is a notebook without cells.")
    reading = _Reading(read_cell)
    for cell in data["cells"]:
        if isinstance(cell, dict):
            reading.read(cell)
    return reading.file((4, minor if isinstance(minor, int) else 0))


def answers_unknown(turns: Iterable[Turn], known: Iterable[str]) -> int:
    """Count the answers of a file that are not among the known answers."""
    texts = {_as_in_a_file(text) for text in known}
    return sum(_as_in_a_file(turn.text) not in texts for turn in turns)


def _as_in_a_file(text: str) -> str:
    return without_controls(repaired(text))


@dataclass
class _Reading:
    """Reads one notebook; the turns are in the order of their outputs."""

    read_cell: ReadCell
    ids: list[str] = field(default_factory=list)
    prompts: list[str] = field(default_factory=list)
    turns: list[_SlottedTurn] = field(default_factory=list)
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

    def file(self, nbformat: tuple[int, int]) -> NotebookFile:
        turns = tuple(_without_copies(self.turns))
        return NotebookFile(nbformat, tuple(self.ids), tuple(self.prompts), turns, self.unfinished, self.promptless)

    def _typed(self, source: str) -> str | None:
        if "%%" not in source:
            return None
        try:
            found = self.read_cell(source)
        except Exception:  # noqa: BLE001 (a broken cell must not lose the others)
            return None
        return None if found is None else repaired(found.prompt)

    def _read_answer(self, cell_id: str, typed: str | None, labels: dict[str, Any], text: str) -> None:
        state = next((known for known in _STATES if known == labels.get("state")), None)
        if state is None:
            self.unfinished += 1
            return
        prompt = text_from(labels["prompt"]) if isinstance(labels.get("prompt"), str) else typed
        turn = _answer_turn(prompt or "", labels, text)
        if turn is None:
            return  # it was not stored (design.md §4)
        if prompt is None:
            self.promptless += 1
            return
        turn = with_alternatives(replace(turn, cell=cell_id or None), turn.alternatives)
        self.turns.append(_SlottedTurn(turn, name_from(labels.get("slot"))))
        if isinstance(labels.get("prompt"), str):
            self.prompts.append(prompt)


def _answer_turn(prompt: str, labels: Mapping[str, Any], text: str) -> Turn | None:
    """Return the turn of an output, with the answers that stand beside it; None if nothing came of it."""
    columns = split_columns(text, labels.get("columns"))
    if columns is None:
        return _turn(prompt, labels, text)
    found = [_turn(prompt, {**labels, **label}, part, place) for place, (label, part) in enumerate(columns, 1)]
    turns = [turn for turn in found if turn is not None]
    main = next((turn for turn in turns if turn.column == labels.get("column")), None) or next(iter(turns), None)
    return main and with_alternatives(main, [turn for turn in turns if turn is not main])


def _turn(prompt: str, labels: Mapping[str, Any], text: str, column: int = 0) -> Turn | None:
    state: State = next((known for known in _STATES if known == labels.get("state")), COMPLETE)
    answer, error = _without_mark(text, state)
    turn = Turn(
        prompt,
        answer,
        settings=RequestSettings(
            model=name_from(labels.get("model")),
            system=text_from(labels.get("system")),
            format=format_from(labels.get("format")),
        ),
        outcome=Outcome(state, error),
        conversation=name_from(labels.get("conversation")) or MAIN,
        attachments=attachments_from(labels.get("attachments")),
        steps=() if column else steps_from_json(labels.get("steps")),
        column=column,
    )
    return None if turn.empty else turn


def _answers(outputs: Any) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield labels and text of each answer in a cell, in order; the newer one if a slot appears twice."""
    found: dict[object, tuple[dict[str, Any], str]] = {}
    for output in outputs if isinstance(outputs, list) else ():
        labels, text = _ours(output)
        if labels and text is not None:
            found[name_from(labels.get("slot")) or len(found)] = (labels, text)
    yield from found.values()


def _ours(output: Any) -> tuple[dict[str, Any], str | None]:
    """Return labels and text of an output, if it is an answer in a conversation: `--once` has none."""
    metadata, data = (output.get("metadata"), output.get("data")) if isinstance(output, dict) else (None, None)
    labels = metadata.get("ollama_magic") if isinstance(metadata, dict) else None
    if not isinstance(labels, dict) or not isinstance(data, dict) or labels.get("conversation", MAIN) is None:
        return {}, None
    return labels, text_of(data.get("text/plain"))


def _without_mark(text: str, state: str) -> tuple[str, str]:
    """Remove the mark at the end of an incomplete answer; return the text and the mark's reason."""
    if state not in _MARKS:
        return text, ""
    match = _MARKS[state].search(text, max(len(text) - _MARK_LENGTH, 0))
    if match is None:
        return text, ""
    return text[: match.start()], one_line(match.groupdict().get("reason") or "")


def _without_copies(turns: list[_SlottedTurn]) -> Iterator[Turn]:
    """Leave out answers of copied cells: the slot's own cell has them, else the first one."""
    owners: dict[str, int] = {}
    for place, (turn, slot) in enumerate(turns):
        cell, slash, _ = slot.rpartition("/")
        if slash and (slot not in owners or cell == turn.cell):
            owners[slot] = place
    yield from (turn for place, (turn, slot) in enumerate(turns) if owners.get(slot, place) == place)
