"""What Tab offers behind `-t`: the notebook's own functions, and those of its objects, found without running code."""

from __future__ import annotations

import types
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


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
        found = (name for name, value in list(variables.items()) if _is_tool(name, value) and name not in hidden)
    return sorted(name for name in found if name.startswith(typed))


def _is_tool(name: object, value: object) -> bool:
    function = value.__func__ if type(value) is types.MethodType else value
    named = type(name) is str and not name.startswith("_")
    return named and type(function) is types.FunctionType and function.__name__ != "<lambda>"


def _methods(owner: object) -> Iterator[str]:
    """Yield the functions of a module, or of an object's class, as they are stored."""
    if issubclass(type(owner), types.ModuleType):
        holders = [types.ModuleType.__getattribute__(owner, "__dict__")]
    else:
        kind: Any = owner if issubclass(type(owner), type) else type(owner)
        holders = [type.__getattribute__(one, "__dict__") for one in type.mro(kind)]
    functions = {name: value for holder in reversed(holders) for name, value in list(holder.items())}
    yield from (name for name, value in functions.items() if _is_tool(name, value))
