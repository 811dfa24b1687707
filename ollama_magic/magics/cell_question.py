"""The prompts of `%ollama fix` and `%ollama explain`: a cell, what it raised or showed, and its variables."""

from __future__ import annotations

import re
from collections import ChainMap
from dataclasses import dataclass
from textwrap import dedent
from typing import TYPE_CHECKING, Any, Literal

from ollama_magic.errors import InputError
from ollama_magic.foreign import printable
from ollama_magic.magics.executed_cells import outputs_of
from ollama_magic.prompt.line_variables import (
    names_of_code,
    names_of_line,
    secret_texts,
    variables_text,
    without_secrets,
)
from ollama_magic.prompt.traceback_text import (
    exception_line,
    failing_place,
    function_of,
    name_of_file,
    source_of,
    traceback_text,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from ollama_magic.magics.last_cells import LastCells, RanCell

    Mask = Callable[[str], str]
    Question = Literal["fix", "explain"]

CODE, OUTPUT = 8_000, 4_000  # characters of a cell, and of what it showed
_FENCE = re.compile(r"`{3,}")
_FIX = "This cell of my notebook raised an exception. Say in a sentence or two why, and give the corrected code."
_EXPLAIN = "Explain what this cell of my notebook does, and what came of it."


@dataclass(frozen=True)
class CellQuestion:
    """A prompt about a cell, and the line above the answer that says what goes along."""

    prompt: str
    note: str


def question_about(kind: Question, words: str, cells: LastCells, shell: Any, mask: Mask) -> CellQuestion:
    """Return the question about the last cell that failed, or about the one that ran last.

    Args:
        kind: `fix` for the former, `explain` for the latter.
        words: What the user adds.
        cells: The cells that are remembered.
        shell: The shell that ran them.
        mask: Hides keys.

    Raises:
        InputError: There is no such cell.
    """
    cell = cells.failed if kind == "fix" else cells.ran
    if cell is None:
        raise InputError(_missing(kind))
    hide = _hiding(cell, shell, mask)
    name = "a cell" if cell.number is None else f"cell {cell.number}"
    sections = [("The cell:", _fenced(_cut(cell.source.rstrip(), CODE, hide), "python"))]
    notes = [name]
    if cell.error is not None:
        sections.append(("What it raised:", _fenced(traceback_text(cell.error, hide), "text")))
        notes.append(f"its traceback ({exception_line(cell.error, hide)})")
        elsewhere, name = _function_elsewhere(cell, cell.error)
        if elsewhere:
            sections.append((f"The function that raised it, {name}:", _fenced(_cut(elsewhere, CODE, hide), "python")))
            notes.append(f"the function {name}")
    elif cell.number is not None and (shown := "".join(outputs_of(shell, cell.number)).strip()):
        sections.append(("What it showed:", _fenced(_cut(shown, OUTPUT, hide), "text")))
        notes.append("what it showed")
    title, text, names = _variables(cell, shell, hide)
    if names:
        sections.append((title, text))
        notes.append(f"the variable{'s' * (len(names) > 1)} {', '.join(names)}")
    intro = _FIX if kind == "fix" else _EXPLAIN
    parts = [intro, *filter(None, [words.strip()]), *(f"{head}\n\n{body}" for head, body in sections)]
    return CellQuestion(printable("\n\n".join(parts)), f"goes along: {', '.join(notes)}")


def _hiding(cell: RanCell, shell: Any, mask: Mask) -> Mask:
    """Return what hides keys, and the texts of variables whose names say that they are secret."""
    place = failing_place(cell.error) if cell.error is not None else None
    secrets = secret_texts({**shell.user_ns, **(place.frame.f_locals if place is not None else {})})

    def hide(text: str) -> str:
        text = mask(text)
        for secret in secrets:
            text = text.replace(secret, "•••")
        return without_secrets(text)

    return hide


def _missing(kind: Question) -> str:
    if kind == "fix":
        return "No cell has failed so far; `%ollama explain` asks about the cell that ran last."
    return "No other cell has run so far; run one, then `%ollama explain`."


def _function_elsewhere(cell: RanCell, error: BaseException) -> tuple[str, str]:
    """Return the source and the name of the user's function that raised, if the cell itself does not hold it."""
    place = failing_place(error)
    source = "" if place is None or place.in_library else dedent(function_of(place)).rstrip()
    if place is None or not source or " ".join(source.split()) in " ".join(cell.source.split()):
        return "", ""
    return source, f"{place.frame.f_code.co_name} of {name_of_file(place.file)}"


def _variables(cell: RanCell, shell: Any, mask: Mask) -> tuple[str, str, list[str]]:
    """Return a title, the lines and the names of the variables of the failing line, else of the whole cell."""
    if cell.error is None:
        names, variables = names_of_code(cell.source), shell.user_ns
        return ("Its variables now:", *variables_text(names, variables, mask))
    place = failing_place(cell.error)
    if place is None:
        return "", "", []
    names = names_of_line("".join(source_of(place)), place.line)
    scopes = ChainMap(dict(place.frame.f_locals), place.frame.f_globals)
    return ("The variables of the failing line:", *variables_text(names, scopes, mask))


def _cut(text: str, limit: int, mask: Mask) -> str:
    masked = mask(text)
    return masked if len(masked) <= limit else f"{masked[:limit]}\n… of {len(masked):,} characters"


def _fenced(text: str, language: str) -> str:
    """Return a text in a fence that is longer than any fence inside."""
    fence = "`" * max([3, *(len(found) + 1 for found in _FENCE.findall(text))])
    return f"{fence}{language}\n{text}\n{fence}"
