"""Asks for a confirmation with `input()`, where there are no buttons: in a terminal, and in kernels that can ask."""

from __future__ import annotations

import builtins
import sys
import types


def ask(question: str) -> bool | None:
    """Return the user's answer; None if nobody can be asked."""
    if not _somebody_is_there():
        return None
    try:
        return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")
    except (NotImplementedError, EOFError, OSError, RuntimeError):  # the first is how IPython says that it cannot ask
        return None


def _somebody_is_there() -> bool:
    """Whether `input()` reaches a person: a kernel puts its own in its place while a cell runs."""
    if not isinstance(builtins.input, types.BuiltinFunctionType):
        return True
    try:
        return bool(sys.stdin.isatty())
    except (AttributeError, ValueError):
        return False
