"""Pillow's images as they are sent: turned as EXIF says, without transparency, in 8 bits, within the longest side."""

from __future__ import annotations

from contextlib import suppress
from io import BytesIO
from typing import TYPE_CHECKING, Any

from ollama_magic.attachments.arrays import image_of_array
from ollama_magic.attachments.libraries import pillow

if TYPE_CHECKING:
    from ollama_magic.attachments.reading import Reading

_JPEG = {"quality": 90, "subsampling": 0}  # of one that had to be changed
_GREY = ("1", "L")
DEEP = ("I;16", "I;16L", "I;16B", "I;16N")


def fits(size: tuple[int, int], side: int) -> bool:
    """Whether an image of this size needs no scaling."""
    return not side or max(size) <= side


def is_opaque(image: Any) -> bool:
    """Whether no pixel of an image is transparent."""
    if not _may_be_transparent(image):
        return True
    channel = image if image.mode in ("LA", "PA", "RGBA") else image.convert("RGBA")
    return bool(channel.getchannel("A").getextrema()[0] == 255)


def prepared(image: Any, reading: Reading) -> tuple[Any, list[str]]:
    """Return an image of Pillow as it is sent, in mode L or RGB, and notes of what was changed.

    Args:
        image: The image; it is not changed.
        reading: The limits; the size of the image is checked already.
    """
    turned = _turned(image)
    notes = ["turned"] * (turned is not image)
    flat, note = _flat(turned, reading)
    notes.append(note)
    if not fits(flat.size, reading.limits.image_side):
        width, height = flat.size
        flat = flat.resize(scaled(flat.size, reading.limits.image_side), pillow().Resampling.LANCZOS)
        notes.insert(0, f"{flat.width:,} × {flat.height:,}, was {width:,} × {height:,}")
    return flat, [note for note in notes if note]


def scaled(size: tuple[int, int], side: int) -> tuple[int, int]:
    """Return the size with that longest side and the same proportions.

    >>> scaled((4000, 2250), 1536)
    (1536, 864)
    """
    factor = side / max(size)
    width, height = (max(1, round(one * factor)) for one in size)
    return width, height


def encoded(image: Any, form: str) -> bytes:
    """Return an image as PNG or JPEG, without metadata."""
    buffer = BytesIO()
    image.info = {}
    image.save(buffer, form, **(_JPEG if form == "JPEG" else {}))
    return buffer.getvalue()


def _turned(image: Any) -> Any:
    """Return the image as EXIF says that it is seen; the image itself if it says nothing."""
    from PIL import ImageOps

    with suppress(Exception):  # broken EXIF says nothing
        if image.getexif().get(0x0112, 1) in range(2, 9):
            return ImageOps.exif_transpose(image) or image
    return image


def _may_be_transparent(image: Any) -> bool:
    return image.mode in ("LA", "PA", "La", "RGBA", "RGBa") or "transparency" in image.info


def _flat(image: Any, reading: Reading) -> tuple[Any, str]:
    """Return a copy in mode L or RGB, and a note where that changed what is seen."""
    if image.mode in ("I", "F"):
        return image_of_array(image, reading)
    if image.mode in DEEP:
        return _in_bytes(image), "8 bits, was 16"
    if _may_be_transparent(image):
        return _on_white(image)
    note = "was CMYK" if image.mode == "CMYK" else ""
    return image.convert("L" if image.mode in _GREY else "RGB"), note


def _in_bytes(image: Any) -> Any:
    """Return an image of 16 bits with the upper 8, as Pillow does for colours."""
    return image.convert("I").point(lambda value: value * (1 / 256)).convert("L")


def _on_white(image: Any) -> tuple[Any, str]:
    grey = image.mode in ("LA", "La", "L", "1")
    colours = image.convert("LA").convert("RGBA") if image.mode == "La" else image.convert("RGBA")
    alpha = colours.getchannel("A")
    white = pillow().new("RGB", image.size, "white")
    white.paste(colours.convert("RGB"), mask=alpha)
    note = "" if alpha.getextrema()[0] == 255 else "on white"
    return white.convert("L") if grey else white, note
