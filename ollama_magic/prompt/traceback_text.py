"""A traceback as text for a prompt: bounded, masked, without the frames of IPython and of this package."""

from __future__ import annotations

import inspect
import linecache
import re
import sys
import sysconfig
import traceback
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType, TracebackType

    Mask = Callable[[str], str]

LINKS, FIRST, LAST = 3, 3, 7  # exceptions in a chain; frames of each, from both ends
MESSAGE, LINE = 2_000, 300  # characters
AROUND = 3  # lines of a module before and after its failing line
MOST_FRAMES = 5_000
_HIDDEN = ("IPython.", "ollama_magic.", "ipykernel.", "traitlets.", "decorator.")
_LIBRARIES = tuple(str(Path(path)) for name in ("stdlib", "purelib", "platlib") if (path := sysconfig.get_path(name)))
_CELL = re.compile(r"<ipython-input-(\d+)-|[\\/]ipykernel_\d+[\\/]\d+\.py$")


@dataclass(frozen=True)
class Place:
    """One frame of a traceback: the code that ran, and the line of it."""

    frame: FrameType
    line: int

    @property
    def file(self) -> str:
        """The name of the file that Python knows."""
        return self.frame.f_code.co_filename

    @property
    def in_library(self) -> bool:
        """Whether it belongs to Python or to an installed package."""
        return self.file.startswith((*_LIBRARIES, "<frozen")) or "site-packages" in self.file


def places_of(trace: TracebackType | None) -> list[Place]:
    """Return the frames of a traceback from the outside in, without those of IPython and of this package."""
    steps = islice(traceback.walk_tb(trace), MOST_FRAMES)
    return [Place(frame, line) for frame, line in steps if not _hidden(frame)]


def failing_place(error: BaseException) -> Place | None:
    """Return the innermost frame of the user's own code, else the innermost one; None without any."""
    places = places_of(_plain(error, "__traceback__"))
    own = [place for place in places if not place.in_library]
    found = own or places
    return found[-1] if found else None


def traceback_text(error: BaseException, mask: Mask) -> str:
    """Return an exception with its causes, oldest first, at most `LINKS` of them.

    Args:
        error: The exception, with its traceback.
        mask: Hides keys.
    """
    failing = failing_place(error)
    parts: list[str] = []
    for one, joint in _chain(error):
        places = places_of(_plain(one, "__traceback__"))
        lines = [*_frames(places, failing if one is error else None), _named(one, mask)]
        parts.append("\n".join(lines) + joint)
    return mask("\n\n".join(parts[::-1]))


def exception_line(error: BaseException, mask: Mask) -> str:
    """Return the type of an exception and the first line of its message."""
    lines = mask(_named(error, mask)).split("\n")
    shown = next((line for line in lines if line.startswith(type(error).__name__)), lines[0])  # below a place in code
    return shown[:LINE]


def name_of_file(file: str) -> str:
    """Return a file's name without the folders of this machine: `a cell`, or its last two parts."""
    if _CELL.search(file) or file.startswith("<ipython"):
        return "a cell"
    path = Path(file)
    for folder in _roots():
        if folder and path.is_relative_to(folder):
            return path.relative_to(folder).as_posix()
    return "/".join(path.parts[-2:])


def _roots() -> list[str]:
    """Return the folders from which modules are imported, and the working folder, if it is still there."""
    roots = [*_LIBRARIES, *sys.path]
    with suppress(OSError):
        roots.append(str(Path.cwd()))
    return roots


def source_of(place: Place) -> list[str]:
    """Return the lines of the file that a frame runs; empty if they are not known."""
    return linecache.getlines(place.file, place.frame.f_globals)


def function_of(place: Place) -> str:
    """Return the source of the function that a frame runs; empty for a module, a cell, and where it is not known."""
    if place.frame.f_code.co_name == "<module>":
        return ""
    try:
        return inspect.getsource(place.frame.f_code)
    except (OSError, TypeError, SyntaxError, IndexError):
        return ""


def _hidden(frame: FrameType) -> bool:
    return f"{frame.f_globals.get('__name__', '')}.".startswith(_HIDDEN)


def _chain(error: BaseException) -> Iterator[tuple[BaseException, str]]:
    """Yield an exception and what it came from, newest first, with the words that lead to the next newer one."""
    found: BaseException | None = error
    joint, seen = "", set[int]()
    while found is not None and id(found) not in seen and len(seen) < LINKS:
        seen.add(id(found))
        yield found, joint
        cause = _plain(found, "__cause__")
        if cause is not None:
            found, joint = cause, "\n\nThis exception caused the next one:"
        else:
            joint = "\n\nWhile it was handled, the next one was raised:"
            found = None if _plain(found, "__suppress_context__") else _plain(found, "__context__")


def _plain(error: BaseException, name: str) -> Any:
    """Return what Python itself knows of an exception, whatever its class does when it is asked for an attribute."""
    return vars(BaseException)[name].__get__(error)


def _frames(places: list[Place], failing: Place | None) -> Iterator[str]:
    if not places:
        return
    yield "Traceback (most recent call last):"
    cut = len(places) - FIRST - LAST
    for at, place in enumerate(places):
        if cut > 0 and FIRST <= at < FIRST + cut:
            if at == FIRST:
                yield f"  … {cut:,} more frames"
            continue
        yield f"  {name_of_file(place.file)}, line {place.line}, in {place.frame.f_code.co_name}"
        around = AROUND if place == failing and name_of_file(place.file) != "a cell" else 0
        yield from _lines(place, around)


def _lines(place: Place, around: int) -> Iterator[str]:
    """Yield the line that ran, and those around it; the former has a mark if there are others."""
    lines = source_of(place)
    first, last = max(1, place.line - around), min(len(lines), place.line + around)
    for number in range(first, last + 1):
        text = lines[number - 1].rstrip("\n")[:LINE]
        if around:
            yield f"    {'>' if number == place.line else ' '} {number} {text}".rstrip()
        elif text.strip():
            yield f"    {text.strip()}"


def _named(error: BaseException, mask: Mask) -> str:
    """Return the type and the message of an exception, with its notes; a message may itself raise, or be huge."""
    try:
        with_place = issubclass(type(error), SyntaxError)  # isinstance may ask the exception itself
        lines = traceback.format_exception_only(type(error), error) if with_place else _message(error)
        text = "".join(lines).rstrip("\n")
    except Exception:  # noqa: BLE001 (an exception of the user's may do anything when it is written)
        return f"{type(error).__name__}: <it has no message>"
    if with_place and isinstance(error, SyntaxError) and error.filename:
        text = text.replace(f'"{error.filename}"', name_of_file(error.filename))
    if len(text) <= MESSAGE:
        return text
    return f"{mask(text[: 2 * MESSAGE])[:MESSAGE]}… of {len(text):,} characters"


def _message(error: BaseException) -> list[str]:
    name, text = type(error).__qualname__, str(error)
    if type(error).__module__ not in ("builtins", "__main__"):
        name = f"{type(error).__module__}.{name}"
    lines = [f"{name}: {text}" if text else name]
    with suppress(Exception):  # these attributes may be anything, or raise; the message stays
        lines += [f"\n- {type(one).__name__}: {str(one)[:LINE]}" for one in getattr(error, "exceptions", ())[:LINKS]]
    with suppress(Exception):
        lines += [f"\n{note}" for note in getattr(error, "__notes__", ()) if isinstance(note, str)]
    return lines
