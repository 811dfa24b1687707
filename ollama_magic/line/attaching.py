"""Reads what goes along with a prompt: files in a thread of their own, so that ■ is never blocked by a disk."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from pathlib import Path, PurePath
from types import GeneratorType
from typing import TYPE_CHECKING, Any, TypeVar

from ollama_magic.attachments.file_bytes import read_file
from ollama_magic.attachments.reading import Limits, Reading
from ollama_magic.attachments.source_names import MOST, expand
from ollama_magic.attachments.sources import read_source
from ollama_magic.errors import InputError
from ollama_magic.foreign import one_line
from ollama_magic.loop_thread import wait_for
from ollama_magic.turns.attachment import Attachment
from ollama_magic.turns.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    Source = tuple[str, object]  # the name to show, and the value: a `Path` is a file, a `str` a text

T = TypeVar("T")
_NAME = 120  # characters of a path in an error
SEVERAL = (list, tuple, set, frozenset, GeneratorType, map, filter)  # such as what `Path.glob` returns


def attach(sources: Sequence[Source], limits: Limits, mask: Callable[[str], str]) -> tuple[Attachment, ...]:
    """Read sources, in order; the same one counts once. Call it in the thread of the user's objects.

    Args:
        sources: The names and values.
        limits: How much of each is sent.
        mask: Hides keys in texts.

    Raises:
        InputError: One cannot be attached, or there are too many.
        KeyboardInterrupt: ■ was pressed while a file was read.
    """
    if len(sources) > MOST:
        raise InputError(f"{len(sources)} attachments are too many: at most {MOST} go along with a prompt; name fewer.")
    read = [_read(name, source, limits, mask) for name, source in sources]
    return tuple({(one.name, one.sha256): one for one in read}.values())


def sources_of(values: object) -> list[Source]:
    """Return the sources in an argument `attach=[…]`: paths, patterns, objects; a text with line breaks is a text.

    Raises:
        InputError: A path leads nowhere.
    """
    if values is None:
        return []
    each: Iterable[Any] = values if isinstance(values, SEVERAL) else [values]
    return [source for place, value in enumerate(each, 1) for source in _sources(value, place)]


def attached_line(attachments: Iterable[Attachment]) -> tuple[str, ...]:
    """Return the line above the answer that says what goes along; empty for nothing."""
    parts = [f"{one.name} ({', '.join(filter(None, (one.kind, size_of(one), one.note)))})" for one in attachments]
    return (f"attached {', '.join(parts)}",) if parts else ()


def size_of(attachment: Attachment) -> str:
    """Return the size of an attachment: characters of text, bytes of anything else."""
    if attachment.in_text and attachment.travelled:
        return counted(len(attachment.text), "character")
    return f"{max(1, round(attachment.size / 1000)):,} kB"


def file_bytes(path: Path) -> bytes:
    """Return the bytes of a file as they are; InputError says why it cannot be read."""
    return _in_a_thread(lambda stopped: read_file(path, Reading(one_line(str(path), _NAME), Limits(), str, stopped)))


def _sources(value: object, place: int) -> list[Source]:
    if isinstance(value, Attachment):
        return [(value.name, value)]
    if isinstance(value, str) and "\n" not in value:
        return expand(value, {})
    if isinstance(value, PurePath):
        return [(value.name, Path(value))]
    return [(f"attachment {place}", value)]


def _read(name: str, source: object, limits: Limits, mask: Callable[[str], str]) -> Attachment:
    if not isinstance(source, PurePath):
        return read_source(source, name, limits, mask=mask)
    return _in_a_thread(lambda stopped: read_source(source, name, limits, mask=mask, stopped=stopped))


def _in_a_thread(read: Callable[[Callable[[], bool]], T]) -> T:
    """Return what a function reads, which is passed whether ■ was pressed meanwhile; ■ ends only the waiting."""
    stopped, future = threading.Event(), Future[T]()

    def run() -> None:
        try:
            future.set_result(read(stopped.is_set))
        except BaseException as error:  # noqa: BLE001 (raised by who waits)
            future.set_exception(error)

    threading.Thread(target=run, name="ollama_magic-attach", daemon=True).start()
    try:
        return wait_for(future)
    except KeyboardInterrupt:
        stopped.set()
        raise
