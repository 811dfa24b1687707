"""What a name on a line stands for: a variable of the notebook, else the files at a path, with `~` and globs."""

from __future__ import annotations

import glob
import os
import re
from difflib import get_close_matches
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ollama_magic.attachments.sources import is_image
from ollama_magic.errors import InputError
from ollama_magic.foreign import one_line
from ollama_magic.prompt.resolve import NotFilled, resolve

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST: Final = 40  # attachments of a turn
_URL = re.compile(r"(?:[a-z][a-z0-9+.-]*://|data:)", re.IGNORECASE)
_LOOKED_AT = 2_000  # names of a folder, for the nearest one
_SHOWN = 120  # characters


def expand(text: str, variables: Mapping[str, object]) -> list[tuple[str, object]]:
    """Return the sources that a name stands for, each with the name to show.

    A variable of the notebook, by a path such as `plots[0]`, wins over a file; a list of images or paths stands for
    each of them. A file is a `Path`, and `read_source` says what is wrong with it.

    Args:
        text: The name as typed, without its quotes.
        variables: The variables of the notebook.

    Raises:
        InputError: It is a URL, or there is neither such a variable nor such a file.
    """
    name = text.strip()
    if not name:
        raise InputError("Nothing is named to attach; name a variable or a file.")
    if _URL.match(name):
        raise InputError(f"{one_line(name, _SHOWN)} is an address, and nothing is fetched; download it first.")
    try:
        found = resolve(name, variables)
        items = [] if found is None else _items(name, found.value)
    except NotFilled as why:
        return _files(name, str(why))
    except InputError:
        raise
    except (Exception, SystemExit) as error:  # noqa: BLE001  # anything that a user's object raises
        shown = one_line(name, _SHOWN)
        raise InputError(f"{shown} cannot be attached: looking at it fails with {type(error).__name__}.") from None
    return items or _files(name, "")


def _items(name: str, value: object) -> list[tuple[str, object]]:
    """Return the items of a list of images or paths, each with its own name; any other value as it is."""
    if not isinstance(value, list | tuple) or not value or not all(_is_source(one) for one in value[: MOST + 1]):
        return [(name, value)]
    if len(value) > MOST:
        raise InputError(f"{one_line(name, _SHOWN)} has {len(value):,} items; name at most {MOST} of them.")
    return [(f"{name}[{number}]", one) for number, one in enumerate(value)]


def _is_source(value: object) -> bool:
    return isinstance(value, os.PathLike) or is_image(value)


def _files(name: str, why: str) -> list[tuple[str, object]]:
    """Return the files at a path; `why` says why it is no variable."""
    try:
        place = os.path.expanduser(name)  # noqa: PTH111  # Path raises for ~nobody
        if os.path.lexists(place):
            return [(name, Path(place))]
        if glob.has_magic(place):
            return _matching(name, place, why)
    except ValueError as error:
        raise InputError(f"{one_line(name, _SHOWN)} cannot be the name of a file ({error}).") from None
    raise InputError(_nothing(name, Path(place), why))


def _matching(name: str, pattern: str, why: str) -> list[tuple[str, object]]:
    """Return the files that match, sorted, without folders."""
    found = islice((path for path in glob.iglob(pattern, recursive=True) if not os.path.isdir(path)), MOST + 1)  # noqa: PTH112, PTH207
    paths = sorted(found)
    if not paths and why:  # `plots["by year"]` is no pattern
        raise InputError(_nothing(name, Path(pattern), why))
    if not paths:
        raise InputError(f"No file matches {one_line(name, _SHOWN)}; check its folder and name.")
    if len(paths) > MOST:
        raise InputError(f"{one_line(name, _SHOWN)} matches more than {MOST} files; name fewer of them.")
    home = os.path.expanduser("~")  # noqa: PTH111
    return [(path.replace(home, "~", 1) if name.startswith("~") else path, Path(path)) for path in paths]


def _nothing(name: str, path: Path, why: str) -> str:
    """Return why a name stands for nothing, with the nearest file or variable."""
    shown = one_line(name, _SHOWN)
    try:
        with os.scandir(path.parent) as entries:
            names = [entry.name for entry in islice(entries, _LOOKED_AT)]
    except (OSError, ValueError):  # such as a NUL in the folder's name
        names = []
    nearest = get_close_matches(path.name, names, 1, 0.7)
    if nearest:
        return f"There is no file {shown}; nearest: {one_line(str(Path(name).parent / nearest[0]), _SHOWN)}."
    reason = f": {one_line(why, 200)}" if why else "; check its name and folder"
    return f"There is no variable and no file {shown}{reason}."
