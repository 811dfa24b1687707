"""Reads a source, such as an object of the notebook or a path, into an attachment: by what it is, not by its name."""

from __future__ import annotations

import io
import logging
import os
import types
from dataclasses import replace
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from ollama_magic.attachments.cells_text import cells_of
from ollama_magic.attachments.content import content_of
from ollama_magic.attachments.figures import (
    drawn_elsewhere,
    figure_of,
    figure_png,
    loaded,
    own_image,
    plotting_library,
)
from ollama_magic.attachments.file_bytes import check_size, read_file
from ollama_magic.attachments.reading import Limits, Reading
from ollama_magic.attachments.text_bytes import decoded
from ollama_magic.errors import OllamaMagicError
from ollama_magic.foreign import one_line
from ollama_magic.prompt.describe import describe
from ollama_magic.prompt.frames import is_table
from ollama_magic.prompt.resolve import NotFilled, is_environment
from ollama_magic.turns.attachment import Attachment

if TYPE_CHECKING:
    from collections.abc import Callable

_log = logging.getLogger("ollama_magic.attachments")
_NAME, _PATH = 120, 500  # characters
_SMALLEST = 8  # pixels; smaller arrays are numbers, and stand in a prompt as such


def read_source(
    source: object,
    name: str,
    limits: Limits | None = None,
    *,
    mask: Callable[[str], str] = str,
    stopped: Callable[[], bool] = lambda: False,
) -> Attachment:
    """Read a source into an attachment.

    Call it in the main thread for objects of the notebook: they are not thread-safe, and describing them may run code.

    Args:
        source: A figure, an image, an array, a table, a text, bytes or a path; any other object is described as
            `{{value}}` is. A `str` is a text; a file is named by a `Path`.
        name: What the user called it: a variable or a path as typed.
        limits: How much is sent; the standard limits if None.
        mask: Hides keys in texts and tables.
        stopped: Whether the user has stopped the turn; asked while a file is read.

    Raises:
        InputError: It cannot be attached; the line says why, and what to do.

    >>> read_source("Lima 18, Oslo 4", "notes").kind
    'text'
    """
    reading = Reading(one_line(name, _NAME) or "The source", limits or Limits(), mask, stopped)
    try:
        return _read(source, reading)
    except OllamaMagicError:
        raise
    except NotFilled as why:
        raise reading.refusal(str(why)) from None
    except (Exception, SystemExit) as error:  # noqa: BLE001  # anything that a user's object or a library raises
        _log.debug("%s cannot be read", type(source).__name__, exc_info=True)
        raise reading.fault("it cannot be read", error) from None


def is_image(value: object) -> bool:
    """Whether a value of the notebook is an image, so that `{{value}}` attaches it; nothing is imported or drawn.

    An array is one if it looks like one: bytes, or three or four floats for each pixel, and not tiny. Any other array
    stands in a prompt as its numbers, and can still be attached.
    """
    try:
        if isinstance(value, bytes):
            return content_of(value).kind == "image"
        if loaded("numpy", "ndarray", value):
            return _looks_like_pixels(value)
        known = loaded("PIL.Image", "Image", value) or loaded("IPython.core.display", "Image", value)
        return known or figure_of(value) is not None or bool(plotting_library(value))
    except Exception:  # noqa: BLE001  # properties of an unknown object may raise
        return False


def _looks_like_pixels(array: Any) -> bool:
    if array.ndim not in (2, 3) or min(array.shape[:2]) < _SMALLEST:
        return False
    if str(array.dtype) == "uint8":
        return array.shape[2:] in ((), (1,), (3,), (4,))
    return array.dtype.kind == "f" and array.shape[2:] in ((3,), (4,))


def _read(source: Any, reading: Reading) -> Attachment:
    if isinstance(source, Attachment):
        return source
    if isinstance(source, os.PathLike):
        path = PurePath(source)
        return _from_bytes(read_file(path, reading), replace(reading, file=path.name))
    if isinstance(source, io.BytesIO):
        source = source.getvalue()
    if isinstance(source, bytes | bytearray | memoryview):
        return _from_bytes(bytes(source), reading)
    if isinstance(source, str):
        return reading.text(source, notes=["the text itself, not the file of that name"] * _names_a_file(source))
    return _from_object(source, reading)


def _names_a_file(text: str) -> bool:
    """Whether a text may have been meant as the path that it is."""
    return len(text) <= _PATH and text.isprintable() and os.path.isfile(text)  # noqa: PTH113  # Path raises for some texts


def _from_object(source: Any, reading: Reading) -> Attachment:
    """Read any object but text and bytes."""
    _refuse_object(source, reading)
    if loaded("PIL.Image", "Image", source):
        return _from_picture(source, reading)
    if loaded("IPython.core.display", "DisplayObject", source):
        return _from_display(source, reading)
    if is_table(source):
        return reading.described(describe(source, reading.mask, reading.limits.fill_chars), "text/markdown")
    if loaded("numpy", "ndarray", source):
        return _from_array(source, reading)
    if (drawing := _drawing(source, reading)) is not None:
        return _from_bytes(drawing, reading)
    return reading.described(describe(source, reading.mask, reading.limits.attach_chars), "text/plain")


def _drawing(source: object, reading: Reading) -> bytes | None:
    """Return the image that a figure or another object makes of itself; None if it makes none."""
    if (figure := figure_of(source)) is not None:
        return figure_png(figure, reading)
    if library := plotting_library(source):
        return drawn_elsewhere(source, library, reading)
    return None if hasattr(source, "_repr_llm_") else own_image(source)


def _refuse_object(source: object, reading: Reading) -> None:
    if is_environment(source):
        raise reading.refusal("the environment is never sent")
    if isinstance(source, types.ModuleType):
        raise reading.refusal("it is a module; attach its file by its path")
    if isinstance(source, io.IOBase) or (hasattr(source, "read") and hasattr(source, "close")):
        raise reading.refusal("it is an open file; attach its path")


def _from_picture(image: Any, reading: Reading) -> Attachment:
    from ollama_magic.attachments.pixels import encoded, prepared

    reading.check_pixels(*image.size)
    picture, notes = prepared(image, reading)
    return reading.image(encoded(picture, "PNG"), "image/png", notes)


def _from_array(array: Any, reading: Reading) -> Attachment:
    """Read an array of numbers, or the plots that pandas returns in one."""
    first = array.flat[0] if array.dtype == object and array.size else None
    if (figure := figure_of(first)) is not None:
        return _from_bytes(figure_png(figure, reading), reading)
    from ollama_magic.attachments.arrays import image_of_array
    from ollama_magic.attachments.pixels import encoded, prepared

    image, note = image_of_array(array, reading)
    picture, notes = prepared(image, reading)
    return reading.image(encoded(picture, "PNG"), "image/png", [note, *notes])


def _from_display(source: Any, reading: Reading) -> Attachment:
    """Read an image or a sound of IPython by its data or its file; nothing is fetched."""
    data, filename = getattr(source, "data", None), getattr(source, "filename", None)
    if isinstance(data, bytes) and data:
        return _from_bytes(data, reading)
    if isinstance(filename, str) and filename:
        return _from_bytes(read_file(PurePath(filename), reading), reading)
    if getattr(source, "url", None):
        raise reading.refusal("it is an address, and nothing is fetched; download it first, then attach the file")
    if isinstance(data, str):
        return reading.text(data)
    raise reading.refusal("it holds no data")


def _from_bytes(data: bytes, reading: Reading) -> Attachment:
    """Read the content of a file, or bytes of the notebook."""
    check_size(data, len(data), reading)
    kind, label = content_of(data)
    if kind == "image":
        from ollama_magic.attachments.image_bytes import image_from_bytes

        return image_from_bytes(data, label, reading)
    if kind == "audio":
        return Attachment.of(reading.name, "audio", "audio/wav", data)
    if kind == "refused":
        raise reading.refusal(label)
    if kind == "text":
        return _from_text(data, reading)
    return _from_document(data, kind, reading)


def _from_document(data: bytes, kind: str, reading: Reading) -> Attachment:
    from ollama_magic.attachments import pdf_text, table_bytes, word_text

    readers = {
        "pdf": pdf_text.pdf_attachment,
        "zip": word_text.word_attachment,
        "parquet": table_bytes.table_from_parquet,
    }
    return readers[kind](data, reading)


def _from_text(data: bytes, reading: Reading) -> Attachment:
    from ollama_magic.attachments.table_bytes import table_from_text

    text, guess = decoded(data, reading)
    cells = cells_of(text)
    if cells is not None:
        return reading.text(cells, "text/markdown", [guess])
    return table_from_text(text, reading, [guess]) or reading.text(text, notes=[guess])
