"""What Tab offers for a variable of the notebook that has to be of a kind, found by its class without running code."""

from __future__ import annotations

import inspect
import types
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_ROWS = (list, tuple, range, types.GeneratorType)


def row_names(variables: Mapping[str, object], hidden: Mapping[str, object]) -> list[str]:
    """Return the variables that may hold rows: frames first, then series, lists and generators."""
    frames = _own(variables, hidden, "columns")
    series = [name for name in _own(variables, hidden, "iloc") if name not in frames]
    lists = [name for name, value in _shown(variables, hidden) if issubclass(type(value), _ROWS)]
    return [*frames, *series, *sorted(lists)]


def executor_names(variables: Mapping[str, object], hidden: Mapping[str, object]) -> list[str]:
    """Return the variables that work can be submitted to."""
    return _own(variables, hidden, "submit")


def _own(variables: Mapping[str, object], hidden: Mapping[str, object], attribute: str) -> list[str]:
    """Return the variables whose class has an attribute of this name."""
    return sorted(
        name
        for name, value in _shown(variables, hidden)
        if inspect.getattr_static(type(value), attribute, None) is not None
    )


def _is_own(name: object) -> bool:
    return type(name) is str and not name.startswith("_")  # globals() takes anything for a name


def _shown(variables: Mapping[str, object], hidden: Mapping[str, object]) -> list[tuple[str, object]]:
    """Return what is the user's own; `In` and `Out` are not."""
    return [(name, value) for name, value in list(variables.items()) if _is_own(name) and name not in hidden]
