"""The kinds of trouble with a store, and one line for the user about each."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Literal

from ollama_magic.errors import StoreError
from ollama_magic.foreign import one_line

if TYPE_CHECKING:
    from pathlib import Path

Kind = Literal["locked", "damaged", "full", "read-only", "other"]

# SQLite's messages: Python 3.10 knows no error codes.
_MESSAGES: dict[Kind, tuple[str, ...]] = {
    "locked": ("locked",),
    "damaged": ("malformed", "not a database", "malformed database schema"),
    "full": ("is full",),
    "read-only": ("readonly", "unable to open", "access permission denied"),
}
_ERRNOS: dict[int, Kind] = {
    errno.ENOSPC: "full",
    errno.EDQUOT: "full",
    errno.EACCES: "read-only",
    errno.EPERM: "read-only",
    errno.EROFS: "read-only",
}
_IN_MEMORY = "the conversation continues in memory"
_ELSEWHERE = "set another path with `%config OllamaMagic.store`"
_LINES: dict[Kind, str] = {
    "locked": f"Another program has locked {{path}}: {_IN_MEMORY}, and is saved when the lock is released.",
    "damaged": "{path} is damaged: turns that cannot be trusted are left out.",
    "full": f"There is no space left for {{path}}: {_IN_MEMORY}, and is saved when there is space.",
    "read-only": f"{{path}} cannot be written: {_IN_MEMORY}, and is saved when it can be; or {_ELSEWHERE}.",
    "other": f"{{path}} cannot be used ({{error}}): {_IN_MEMORY}, and is saved when it can be.",
}


class Damaged(Exception):
    """The content of the file is not what was written."""


class Replaced(Exception):
    """The file was deleted or replaced."""


class Unusable(StoreError):
    """The file is intact but cannot be used as a store; the message says why."""


def newer_schema(path: Path) -> Unusable:
    """Return the error for a store with a newer schema."""
    return Unusable(f"{_named(path)} was written by a newer ollama_magic: {_IN_MEMORY}; update ollama_magic to use it.")


def another_program(path: Path) -> Unusable:
    """Return the error for an SQLite file of another program."""
    return Unusable(f"{_named(path)} belongs to another program: {_IN_MEMORY}; {_ELSEWHERE}.")


def no_file(path: Path) -> Unusable:
    """Return the error for a pipe, a device or a folder."""
    return Unusable(f"{_named(path)} is not a regular file: {_IN_MEMORY}; {_ELSEWHERE}.")


def kind_of(error: Exception) -> Kind:
    """Return the kind of trouble that an error means."""
    if isinstance(error, Damaged):
        return "damaged"
    if isinstance(error, OSError):
        return _ERRNOS.get(error.errno or 0, "other")
    message = str(error)
    return next((kind for kind, marks in _MESSAGES.items() if any(mark in message for mark in marks)), "other")


def line(error: Exception, path: Path) -> str:
    """Return one line: what is wrong with the file, and what happens to the conversation."""
    if isinstance(error, StoreError):
        return str(error)
    return _LINES[kind_of(error)].format(path=_named(path), error=one_line(str(error), 100))


def damaged(path: Path, aside: Path | None = None) -> str:
    """Return the line for a damaged file; `aside` is its new name, if a new file has replaced it."""
    if aside is None:
        return line(Damaged(), path)
    return f"{_named(path)} was damaged: it was renamed to {_named(aside)}, and a new store was created."


def unless_damaged(error: Exception) -> None:
    """Raise an error of the lock or the disk; others come from damaged values."""
    from sqlite3 import OperationalError

    if isinstance(error, OperationalError):
        raise error


def _named(path: Path) -> str:
    return one_line(str(path))
