"""What a tool returned, or raised, as the text that the model is sent."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from ollama_magic.attachments.sources import is_image, read_source
from ollama_magic.foreign import one_line, repaired
from ollama_magic.prompt.describe import describe
from ollama_magic.prompt.resolve import NotFilled

if TYPE_CHECKING:
    from ollama_magic.turns.attachment import Attachment

LIMIT = 8_000  # characters of a result
ITEMS = 1_000  # of a generator
_ROOM = 100  # characters for what says how much was cut
_ERROR = 500
_QUOTED_PATH = re.compile(r"""(['"])(?:[A-Za-z]:)?[/\\](?:(?!\1)[^\n])*[/\\]((?:(?!\1)[^/\\\n])+)[/\\]?\1""")
_PATH = re.compile(r"""(?:\bfile:|(?<![\w.:/\\])(?:~|[A-Za-z]:)?)[/\\]+(?:[^\s/\\'"<>|:;,()]+[/\\])+""")

Mask = Callable[[str], str]


@dataclass(frozen=True)
class Result:
    """A result as text, a note of what was cut from it, and the images that it is."""

    text: str = ""
    note: str = ""
    images: tuple[Attachment, ...] = ()


class NoResult(Exception):  # no error of a turn: the model is sent its text
    """Why what a tool returned cannot be described."""


def result_of(value: object, mask: Mask, name: str) -> Result:
    """Return what a tool of that name returned as text, described as `{{value}}` is; an image is attached.

    Raises:
        NoResult: It cannot be described.
    """
    try:
        if is_image(value):
            image = read_source(value, name, mask=mask)
            return Result(f"[{image.name}: {image.media_type}, attached]", image.note, (image,))
        found = describe(value, mask, LIMIT - _ROOM)
    except NotFilled as why:
        raise NoResult(f"the result cannot be described: {why}") from None
    except Exception as error:  # noqa: BLE001 (the value's own code)
        raise NoResult(f"the result cannot be described ({type(error).__name__})") from None
    text = repaired(found.text)
    if found.block and found.note:
        text = f"{text}\n{found.note.strip()}"
    return Result(text[:LIMIT], found.note.strip(" ()") if found.cut else "")


def error_line(error: BaseException, mask: Mask) -> str:
    """Return an exception of a tool on one line, without paths of this machine."""
    kind = type(error).__name__
    try:
        words = one_line(without_paths(mask(str(error)[: 20 * _ERROR])), _ERROR)
    except Exception:  # noqa: BLE001 (the exception's own code)
        words = ""
    return f"{kind}: {words}" if words else kind


def without_paths(text: str) -> str:
    """Return a text with the names of files and folders, and without the folders that they are in."""
    return _PATH.sub("", _QUOTED_PATH.sub(r"\1\2\1", text))


def listed(items: Iterator[Any]) -> list[Any]:
    """Return what a generator yields, as far as `ITEMS`."""
    return list(islice(items, ITEMS))


async def listed_async(items: AsyncIterator[Any]) -> list[Any]:
    """Return what an asynchronous generator yields, as far as `ITEMS`."""
    found: list[Any] = []
    async for item in items:
        found.append(item)
        if len(found) == ITEMS:
            break
    return found
