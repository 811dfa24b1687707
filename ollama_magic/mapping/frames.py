"""The rows of a map with their answers, as a pandas frame and as the first rows of a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ollama_magic.answer_types.records import plain_data
from ollama_magic.errors import InputError
from ollama_magic.foreign import one_line
from ollama_magic.mapping.outcome import COMPLETE, FAILED, WAITING
from ollama_magic.mapping.rows import FrameRows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ollama_magic.display.tables import Shown
    from ollama_magic.mapping.outcome import Outcome
    from ollama_magic.mapping.tally import Tally
    from ollama_magic.mapping.task import MapTask

ANSWER, VALUE = "answer", "value"  # the column of a text, and of a value that has no fields
SHOWN, FIELDS = 10, 8  # rows and columns of the table of the first rows
CELL = 80  # characters
_EXACT = 2**53  # the largest number up to which a float holds every whole one


def frame_of_map(task: MapTask, tally: Tally, models: Sequence[str]) -> Any:
    """Return a DataFrame of the rows and their answers, with the index of the frame that they came from.

    Raises:
        InputError: pandas is not installed.
    """
    try:
        import pandas as pd  # type: ignore[import-untyped, unused-ignore]
    except ImportError:
        raise InputError("A frame needs pandas, which is not installed; `pip install pandas` brings it.") from None
    count = len(task.rows)
    columns = _columns(task, tally.outcomes, models, count)
    source = task.rows.frame if isinstance(task.rows, FrameRows) else None
    if source is not None and hasattr(source, "iloc"):
        frame = source.copy()
        index = frame.index
    else:
        frame = pd.DataFrame([task.rows.row(place) for place in range(count)], columns=list(task.rows.columns))
        index = frame.index
    series = {name: pd.Series(values, index=index, dtype=_dtype(values)) for name, values in columns.items()}
    added = pd.DataFrame(series, index=index)
    return pd.concat([frame, added], axis=1)


def records_of_map(task: MapTask, tally: Tally, models: Sequence[str]) -> list[dict[str, Any]]:
    """Return a dict for each row with what `frame_of_map` has in its columns."""
    count = len(task.rows)
    columns = _columns(task, tally.outcomes, models, count)
    return [
        {**task.rows.row(place), **{name: values[place] for name, values in columns.items()}} for place in range(count)
    ]


def _dtype(values: Sequence[Any]) -> str | None:
    """Return "object" where pandas would make floats of whole numbers that no float holds; None lets it choose."""
    large = any(type(value) is int and abs(value) > _EXACT for value in values)
    return "object" if large and None in values else None


def first_rows(task: MapTask, tally: Tally, models: Sequence[str]) -> Shown:
    """Return the first rows with their answers as a table."""
    from ollama_magic.display.tables import table

    count = len(task.rows)
    shown = min(count, SHOWN)
    places = [place + number * count for number in range(len(models) or 1) for place in range(shown)]
    columns = _columns(task, [tally.outcomes[place] for place in places], models, shown)
    *fields, state, error, _, _ = columns
    columns = {name: columns[name] for name in (*fields, *((state, error) if any(columns[error]) else ()))}
    names = list(task.rows.columns)[: max(1, FIELDS - len(columns))]
    rows = [task.rows.row(place) for place in range(shown)]
    cells = [
        [*(_cell(row.get(name)) for name in names), *(_cell(values[place]) for values in columns.values())]
        for place, row in enumerate(rows)
    ]
    return table([*names, *columns], cells, total=count)


def _columns(
    task: MapTask, outcomes: Sequence[Outcome | None], models: Sequence[str], count: int
) -> dict[str, list[Any]]:
    """Return the columns that the answers add: of `count` rows for each model."""
    several = len(task.models) > 1
    values: dict[str, list[Any]] = {}
    for number in range(max(1, len(task.models))):
        part = outcomes[number * count : (number + 1) * count]
        fields = _fields(task, part)
        for name, found in fields.items():
            model = [*models, *task.models, ""][number]
            single = name in (ANSWER, VALUE) and len(fields) == 1
            values[(model if single else f"{model}.{name}") if several else name] = found
    groups = [outcomes[place::count] for place in range(count)] if count else []
    went: dict[str, list[Any]] = {
        "state": [_state(group) for group in groups],
        "error": [_error(group, task.models) for group in groups],
        "tokens": [sum(one.tokens or 0 for one in group if one) or None for group in groups],
        "seconds": [sum(one.seconds for one in group if one) if any(group) else None for group in groups],
    }
    taken = set(task.rows.columns)
    last = {_free(name, taken): found for name, found in went.items()}  # first, so that a field "state" is not it
    return {**{_free(name, taken): found for name, found in values.items()}, **last}


def _free(name: str, taken: set[str]) -> str:
    """Return a name that no column has, and take it."""
    while name in taken:
        name = f"{name}_{ANSWER}"
    taken.add(name)
    return name


def _fields(task: MapTask, outcomes: Sequence[Outcome | None]) -> dict[str, list[Any]]:
    """Return the fields of the values, in the order in which they come first."""
    if task.answer_format is None:
        return {ANSWER: [one.text if one and one.state == COMPLETE else None for one in outcomes]}
    found = [one.value(task.answer_format) if one else None for one in outcomes]
    plain = [plain_data(value) for value in found]
    named = [value for value in plain if isinstance(value, dict)]
    complete = [one is not None and one.state == COMPLETE for one in outcomes]
    names = dict.fromkeys(name for value in named for name in value)
    fields = {name: [value.get(name) if isinstance(value, dict) else None for value in plain] for name in names}
    if len(named) < sum(complete) or not fields:
        fields[VALUE] = [value.get(VALUE) if isinstance(value, dict) else value for value in plain]
    return fields


def _state(group: Sequence[Outcome | None]) -> str:
    states = {one.state if one else WAITING for one in group}
    return next((state for state in (FAILED, WAITING) if state in states), COMPLETE)


def _error(group: Sequence[Outcome | None], models: Sequence[str]) -> str:
    if len(models) < 2:
        return next((one.error for one in group if one), "")
    named = zip(models, group, strict=False)
    return " · ".join(f"{model}: {one.error}" for model, one in named if one is not None and one.error)


def _cell(value: object) -> object:
    try:
        return "" if value is None else one_line(str(value), CELL)
    except Exception:  # noqa: BLE001 (the value's own code)
        return one_line(type(value).__name__, CELL)
