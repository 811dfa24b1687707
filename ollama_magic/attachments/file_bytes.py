"""Reads a file whole, within a limit and without ever waiting: a pipe or a device is refused, not opened."""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING

from ollama_magic.attachments.content import HEAD, content_of
from ollama_magic.attachments.reading import FILE_BYTES, IMAGE_BYTES, megabytes
from ollama_magic.foreign import one_line

if TYPE_CHECKING:
    from pathlib import PurePath

    from ollama_magic.attachments.reading import Reading

_CHUNK = 1 << 20
_FLAGS = os.O_RDONLY | sum(getattr(os, name, 0) for name in ("O_NONBLOCK", "O_NOCTTY", "O_CLOEXEC", "O_BINARY"))
_NO_FILES = (
    (stat.S_ISDIR, "it is a folder; name a file in it, or several with `*`"),
    (stat.S_ISFIFO, "it is a pipe, which may never end; save what it brings as a file"),
    (stat.S_ISSOCK, "it is a socket, not a file"),
    (lambda mode: not stat.S_ISREG(mode), "it is a device, not a file"),
)


def read_file(path: PurePath, reading: Reading) -> bytes:
    """Return the content of a file.

    Raises:
        InputError: It is missing, no file, not readable or too large, or it changed while it was read.
    """
    try:
        place = os.path.expanduser(path)  # noqa: PTH111  # Path raises for ~nobody
        _check_kind(os.stat(place), reading)  # noqa: PTH116  # to open a device may have effects
        descriptor = os.open(place, _FLAGS)
        try:
            return _read(descriptor, reading)
        finally:
            os.close(descriptor)
    except (OSError, ValueError) as error:
        raise reading.refusal(_reason(error)) from None


def _read(descriptor: int, reading: Reading) -> bytes:
    before = os.fstat(descriptor)
    _check_kind(before, reading)
    data = bytearray(os.read(descriptor, HEAD))
    most = check_size(bytes(data), before.st_size, reading)
    while chunk := os.read(descriptor, _CHUNK):
        data += chunk
        if len(data) > most:
            check_size(bytes(data[:HEAD]), len(data), reading)
        reading.check_stopped()
    after = os.fstat(descriptor)
    changed = (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns)
    if changed or len(data) != before.st_size != 0:  # the files of /proc have no size
        raise reading.refusal("it changed while it was read; attach it once it is complete")
    return bytes(data)


def check_size(head: bytes, size: int, reading: Reading) -> int:
    """Refuse content that is too large for what it is; return the most bytes that it may have."""
    image = content_of(head).kind in ("image", "audio")
    most = IMAGE_BYTES if image else FILE_BYTES
    if size > most:
        what = "an image or sound" if image else "a file"
        part = "make it smaller" if image else "attach a part of it"
        raise reading.refusal(f"it has {megabytes(size)}, and {what} may have {megabytes(most)}; {part}")
    return most


def _check_kind(facts: os.stat_result, reading: Reading) -> None:
    for matches, why in _NO_FILES:
        if matches(facts.st_mode):
            raise reading.refusal(why)


def _reason(error: Exception) -> str:
    """Return the reason of an error of the file system, with what to do next."""
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return "there is no such file; check its name and folder"
    if isinstance(error, PermissionError):
        return "you may not read it; check its permissions"
    if isinstance(error, OSError) and error.errno == errno.ELOOP:
        return "its links lead in a circle; name the file itself"
    if isinstance(error, BlockingIOError):
        return "it has nothing to read yet; attach it once it is complete"
    text = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return f"it cannot be read ({one_line(text, 100)})"
