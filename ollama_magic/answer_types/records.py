"""Values as plain data: records for a data frame, and JSON."""

from __future__ import annotations

import dataclasses
import enum
import json
from collections.abc import Mapping
from typing import Any

from ollama_magic.errors import InputError

_SINGLE = "value"  # the column of what has no names


def frame_of(value: object) -> Any:
    """Return a pandas DataFrame: a row for each element of a list, one row for an object.

    Raises:
        InputError: pandas is not installed.
    """
    try:
        import pandas as pd  # type: ignore[import-untyped, unused-ignore]
    except ImportError:
        raise InputError("A frame needs pandas, which is not installed; `pip install pandas` brings it.") from None
    return pd.DataFrame(records_of(value))


def records_of(value: object) -> list[dict[str, Any]]:
    """Return a record for each element of a list, or the one of a single value; nested values are plain data."""
    value = _bare(value)
    listed = isinstance(value, (list, tuple, set, frozenset)) and not hasattr(value, "_fields")
    found = [plain_data(one) for one in (value if listed else [value])]  # type: ignore[attr-defined]
    return [one if isinstance(one, dict) else {_SINGLE: one} for one in found]


def plain_data(value: Any) -> Any:
    """Return dicts and lists in the place of models, dataclasses and named tuples, and the values of Enums."""
    value = _bare(value)
    if isinstance(value, type):
        return value
    if isinstance(value, enum.Enum):
        return value.value
    if (fields := _fields(value)) is not None:
        return {str(plain_data(name)): plain_data(inner) for name, inner in fields.items()}
    if isinstance(value, (list, tuple)):
        return [plain_data(one) for one in value]
    return _sorted([plain_data(one) for one in value]) if isinstance(value, (set, frozenset)) else value


def value_json(value: object) -> str:
    """Return a value as JSON text; dates and the like as people write them."""
    return json.dumps(plain_data(value), ensure_ascii=False, default=str)


def is_model(value: object) -> bool:
    """Whether this is an instance of a pydantic model, or a list of such."""
    first = next(iter(value), None) if isinstance(value, list) else value
    return hasattr(type(first), "__pydantic_fields__") and not isinstance(first, type)


def _sorted(items: list[Any]) -> list[Any]:
    """Return the items of a set in an order of their own, where they have one: a set has another in each kernel."""
    try:
        return sorted(items)
    except TypeError:
        return items


def _bare(value: Any) -> Any:
    """Return what a pydantic RootModel is made of; anything else as it is."""
    return value.root if getattr(type(value), "__pydantic_root_model__", False) else value


def _fields(value: Any) -> Mapping[Any, Any] | None:
    if isinstance(value, Mapping):
        return value
    names = getattr(type(value), "__pydantic_fields__", None) or getattr(value, "_fields", None)
    if dataclasses.is_dataclass(value):
        names = [one.name for one in dataclasses.fields(value)]
    if names is None:
        return None
    extra = getattr(value, "__pydantic_extra__", None) or {}
    return {**{name: getattr(value, name) for name in names}, **extra}
