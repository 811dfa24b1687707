"""The decorator `ollama_magic.tool`, which marks a function and leaves it as it is."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar, overload

F = TypeVar("F", bound=Callable[..., Any])

_CONFIRM = "__ollama_magic_confirm__"


@overload
def tool(function: F) -> F: ...
@overload
def tool(*, confirm: bool = ...) -> Callable[[F], F]: ...
def tool(function: F | None = None, *, confirm: bool = False) -> F | Callable[[F], F]:
    """Mark a function as a tool; it stays as it is, and is run only where it is listed.

    Args:
        function: The function.
        confirm: Whether the user is asked before each call.

    Example:
        >>> from ollama_magic import tool
        >>> @tool(confirm=True)
        ... def delete(name: str) -> str:
        ...     "Delete a file."
        ...     return f"{name} is gone"
        >>> delete("notes.txt")
        'notes.txt is gone'
    """

    def mark(marked: F) -> F:
        setattr(marked, _CONFIRM, confirm)
        return marked

    return mark if function is None else mark(function)


def asks_first(function: object) -> bool:
    """Whether the user is asked before each call of a function."""
    while isinstance(function, functools.partial):
        function = function.func
    return getattr(function, _CONFIRM, False) is True
