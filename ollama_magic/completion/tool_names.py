"""What Tab offers behind `-t`: the notebook's own functions, and those of its objects, found without running code."""

from __future__ import annotations

import inspect
import types
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_FUNCTIONS = (types.FunctionType, types.MethodType)


def tool_names(typed: str, variables: Mapping[str, object], hidden: Mapping[str, object]) -> list[str]:
    """Return the functions whose names begin like this; after a dot, the methods of that object.

    Args:
        typed: What stands behind `-t` so far.
        variables: Those of the notebook.
        hidden: Those of them that are not the user's own.
    """
    owner, dot, _ = typed.rpartition(".")
    if dot:
        found = (f"{owner}.{name}" for name in _methods(variables.get(owner)))
    else:
        found = (name for name, value in list(variables.items()) if name not in hidden and _is_tool(name, value))
    return sorted(name for name in found if name.startswith(typed))


def _is_tool(name: str, value: object) -> bool:
    if name.startswith("_") or getattr(value, "__name__", "") == "<lambda>":
        return False
    return isinstance(value, _FUNCTIONS)


def _methods(owner: object) -> Iterator[str]:
    kind = owner if isinstance(owner, type | types.ModuleType) else type(owner)
    if owner is None or kind.__module__ == "builtins":
        return
    for name in dir(kind):
        if not name.startswith("_") and isinstance(inspect.getattr_static(kind, name, None), _FUNCTIONS):
            yield name
