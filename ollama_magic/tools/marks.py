"""The decorator `ollama_magic.tool`, which marks a function and leaves it as it is."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar, overload

from ollama_magic.errors import InputError
from ollama_magic.foreign import one_line

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

    Raises:
        InputError: It cannot be marked, such as `len`.

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
        function: Any = getattr(marked, "__func__", marked)  # of a method, static or not: the mark of a method is lost
        try:
            setattr(function, _CONFIRM, bool(confirm))
        except (AttributeError, TypeError):
            name = one_line(str(getattr(marked, "__name__", type(marked).__name__)), 60)
            raise InputError(f"{name} cannot be marked as a tool; write a function of yours that calls it.") from None
        return marked

    return mark if function is None else mark(function)


def asks_first(function: object) -> bool:
    """Whether the user is asked before each call of a function; a mark anywhere on the way to it counts."""
    while not _marked(function):
        if not isinstance(function, functools.partial):
            return not isinstance(function, type) and _marked(type(function).__call__)  # of an object that is called
        function = function.func
    return True


def _marked(function: object) -> bool:
    return getattr(function, _CONFIRM, False) is True
