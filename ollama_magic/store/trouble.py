"""What can be wrong with a store, told by SQLite's errors, and how that reads in one line. No files here."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from ollama_magic.errors import StoreError
from ollama_magic.foreign import one_line

if TYPE_CHECKING:
    from pathlib import Path

# SQLite's messages: Python 3.10 knows no error codes.
_SAID = {
    "locked": ("locked",),
    "damaged": ("malformed", "not a database", "malformed database schema"),
    "full": ("is full",),
    "read-only": ("readonly", "unable to open", "access permission denied"),
}
_ERRNOS = {
    errno.ENOSPC: "full",
    errno.EDQUOT: "full",
    errno.EACCES: "read-only",
    errno.EPERM: "read-only",
    errno.EROFS: "read-only",
}
_KEPT = "the conversation goes on in memory"
_LINES = {
    "locked": "Another program keeps {path} locked: {kept}, and is saved when the lock is gone.",
    "full": "There is no space left for {path}: {kept}, and is saved when there is.",
    "read-only": "{path} cannot be written: {kept}, and is saved when it can; or tell another place with "
    "`%config OllamaMagic.store`.",
    "other": "{path} cannot be used ({error}): {kept}, and is saved when it can.",
}


class Damaged(Exception):
    """The file is not what SQLite, or the store, wrote."""


class Moved(Exception):
    """The file is no longer the one in use: it was deleted, or another took its place."""


class Unusable(StoreError):
    """The file is sound and not for us; the message says so in one line."""


def newer(path: Path) -> Unusable:
    """What to raise for a store whose schema we do not know."""
    return Unusable(f"{_named(path)} was written by a newer ollama_magic: {_KEPT}; update ollama_magic to use it.")


def stranger(path: Path) -> Unusable:
    """What to raise for an SQLite file that something else wrote."""
    told = "tell another place with `%config OllamaMagic.store`."
    return Unusable(f"{_named(path)} belongs to another program: {_KEPT}; {told}")


def kind(error: Exception) -> str:
    """`locked`, `full`, `read-only`, `damaged` or `other`."""
    if isinstance(error, Damaged):
        return "damaged"
    if isinstance(error, OSError):
        return _ERRNOS.get(error.errno or 0, "other")
    message = str(error)
    return next((kind for kind, marks in _SAID.items() if any(mark in message for mark in marks)), "other")


def line(error: Exception, path: Path) -> str:
    """One line for a person: what is wrong with the file, and what becomes of the conversation."""
    if isinstance(error, StoreError):
        return str(error)
    if kind(error) == "damaged":
        return damaged(path)
    return _LINES[kind(error)].format(path=_named(path), kept=_KEPT, error=one_line(str(error), 100))


def damaged(path: Path | str, instead: Path | None = None) -> str:
    """The line for a damaged file; `instead` is the one that is used from now on."""
    goes_on = f"; new turns go to {_named(instead)}" if instead else ""
    return f"{_named(path)} is damaged: what cannot be trusted in it is left out, and the file stays as it is{goes_on}."


def _named(path: Path | str) -> str:
    return one_line(str(path))
