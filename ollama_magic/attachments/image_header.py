"""The header of a PNG or JPEG: its size, whether a server can read it as it is, and the image without its metadata."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_PNG_START: Final = 8
_XMP: Final = b"XML:com.adobe.xmp\0"
_RAW_EXIF: Final = b"Raw profile type exif\0"
_SIZES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # markers with the size of a JPEG
_BARE = frozenset({0x01, *range(0xD0, 0xD9)})  # markers without a length
_DROPPED = frozenset({0xE1, 0xED})  # EXIF and XMP, IPTC
_ORIENTATION: Final = 0x0112
_PARTS: Final = 100_000


@dataclass(frozen=True)
class ImageHeader:
    """The header of a PNG or JPEG.

    Args:
        width: In pixels, as it is stored.
        height: In pixels, as it is stored.
        simple: Whether it is coded in a usual way, in grey or in the colours of a screen.
        deep: Whether it has more than 8 bits for each colour.
        alpha: Whether it may be transparent.
        turned: Whether EXIF says that it has to be turned.
    """

    width: int
    height: int
    simple: bool
    deep: bool = False
    alpha: bool = False
    turned: bool = False


def header_of(data: bytes) -> ImageHeader | None:
    """Read the header of a PNG or JPEG; None for anything else, and for a broken one."""
    try:
        return _png_header(data) if data.startswith(b"\x89PNG") else _jpeg_header(data)
    except (struct.error, IndexError):
        return None


def without_metadata(data: bytes) -> bytes:
    """Return a PNG or JPEG without EXIF, XMP and IPTC; its pixels are not touched, nor is an image without them."""
    if data.startswith(b"\x89PNG"):
        parts = [part for name, part in _chunks(data) if not _is_metadata(name, part)]
        return data[:_PNG_START] + b"".join(parts) if len(parts) < sum(1 for _ in _chunks(data)) else data
    parts, place = [], 0
    for marker, start, end in _segments(data):
        if marker in _DROPPED:
            parts.append(data[place:start])
            place = end
    return b"".join([*parts, data[place:]]) if parts else data


def _png_header(data: bytes) -> ImageHeader | None:
    width, height, depth, colour = struct.unpack_from(">IIBB", data, 16)
    if data[12:16] != b"IHDR":
        return None
    alpha, turned = colour in (4, 6), False
    for name, part in _chunks(data):
        alpha |= name == b"tRNS"
        turned |= (name == b"eXIf" and _orientation(part[8:-4]) > 1) or _RAW_EXIF in part[:40]
    return ImageHeader(width, height, simple=True, deep=depth > 8, alpha=alpha, turned=turned)


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield name and bytes of each chunk of a PNG."""
    place, left = _PNG_START, _PARTS
    while place + 12 <= len(data):
        left = _counted_down(left)
        (length,) = struct.unpack_from(">I", data, place)
        end = place + 12 + length
        yield data[place + 4 : place + 8], data[place:end]
        place = end


def _is_metadata(name: bytes, part: bytes) -> bool:
    return name == b"eXIf" or part[8:].startswith((_XMP, _RAW_EXIF))


def _jpeg_header(data: bytes) -> ImageHeader | None:
    turned = False
    for marker, start, end in _segments(data):
        if marker == 0xE1 and data[start + 4 : start + 10] == b"Exif\0\0":
            turned |= _orientation(data[start + 10 : end]) > 1
        if marker in _SIZES:
            depth, height, width, colours = struct.unpack_from(">BHHB", data, start + 4)
            coding_known = marker <= 0xC2  # lossless and arithmetic coding are rare, and few can read them
            simple = colours in (1, 3) and coding_known
            return ImageHeader(width, height, simple, deep=depth > 8, turned=turned)
    return None


def _segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield marker, start and end of each segment of a JPEG before its pixels."""
    place, left = 2, _PARTS
    while place + 4 <= len(data) and data[place] == 0xFF:
        left = _counted_down(left)
        marker = data[place + 1]
        if marker == 0xFF or marker in _BARE:
            place += 1 if marker == 0xFF else 2
            continue
        if marker == 0xDA:
            return
        end = place + 2 + int.from_bytes(data[place + 2 : place + 4], "big")
        yield marker, place, end
        place = max(end, place + 4)


def _counted_down(left: int) -> int:
    """Count the parts of an image; one with more than any encoder writes is broken."""
    if not left:
        raise struct.error
    return left - 1


def _orientation(exif: bytes) -> int:
    """Return how EXIF says that the image is turned; 1 for not at all."""
    exif = exif.removeprefix(b"Exif\0\0")
    order = {b"II": "<", b"MM": ">"}.get(exif[:2])
    if order is None:
        return 1
    try:
        (place,) = struct.unpack_from(f"{order}I", exif, 4)
        (entries,) = struct.unpack_from(f"{order}H", exif, place)
        for number in range(min(entries, 1_000)):
            tag, _, _, value = struct.unpack_from(f"{order}HHIH", exif, place + 2 + 12 * number)
            if tag == _ORIENTATION:
                return int(value) if 1 <= value <= 8 else 1
    except struct.error:
        return 1
    return 1
