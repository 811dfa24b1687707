"""Which store has the answers of a map: the notebook's, a file of the user's, or none."""

from __future__ import annotations

import os
from functools import cache as once
from pathlib import Path
from typing import TYPE_CHECKING

from ollama_magic.errors import InputError
from ollama_magic.foreign import one_line
from ollama_magic.store.store import Store

if TYPE_CHECKING:
    from ollama_magic.conversation.session import Session


_SQLITE = b"SQLite format 3\0"


def store_of(session: Session, cache: object) -> Store | None:
    """Return the store that a map reads and writes; None where nothing is saved.

    Args:
        session: Whose store it is by default, where the notebook is known.
        cache: A path names a file; None and True are the notebook's own store, and so is False, which only reads
            nothing of it.

    Raises:
        InputError: It is True and there is no store, or it is no path.
    """
    if isinstance(cache, (str, os.PathLike)):
        text = os.fspath(cache)
        if not isinstance(text, str) or not text.strip() or "\0" in text:
            raise InputError("cache is a path such as 'answers.sqlite', or True, False or None.")
        path = _absolute(text)
        _refuse_other_files(path)
        return _store_at(str(path))
    if not isinstance(cache, bool | None):
        raise InputError(f"cache is a path, True, False or None, not {one_line(type(cache).__name__, 40)}.")
    persistence = session.persistence
    if persistence is not None and persistence.path is not None:
        return persistence.store
    if cache is True:
        raise InputError("This program has no store of its own; name a file: cache='answers.sqlite'.")
    return None


def _absolute(text: str) -> Path:
    try:
        return Path(text).expanduser().absolute()
    except RuntimeError:
        raise InputError(f"cache={one_line(text, 80)!r} names a home folder that does not exist.") from None
    except FileNotFoundError:
        raise InputError("The kernel's folder is gone; change it with `%cd`, or give cache a whole path.") from None


def _refuse_other_files(path: Path) -> None:
    """Refuse a file that is something else, such as the rows: it must not be taken for a damaged store."""
    try:
        if path.exists() and not (path.is_file() or path.is_dir()):  # to open a pipe would wait
            raise InputError(f"{one_line(str(path), 200)} is not a regular file; name one that does not exist yet.")
        with path.open("rb") as file:
            begin = file.read(len(_SQLITE))
    except OSError:  # none yet, a folder, or one that the store itself explains
        return
    if begin and begin != _SQLITE:
        raise InputError(f"{one_line(str(path), 200)} is no file of answers; name one that does not exist yet.")


@once
def _store_at(path: str) -> Store:
    return Store(Path(path))


def _after_fork() -> None:
    """A child process opens its own connections."""
    _store_at.cache_clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
