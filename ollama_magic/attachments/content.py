"""Says by its first bytes what content is, whatever its name says."""

from __future__ import annotations

import codecs
from typing import Final, Literal, NamedTuple

ContentKind = Literal["image", "audio", "pdf", "zip", "parquet", "text", "refused"]
HEAD: Final = 65_536  # bytes that are enough to say what it is
_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_BMP_HEADERS = {12, 16, 40, 52, 56, 64, 108, 124}  # sizes of the second header


class Content(NamedTuple):
    """What content is; `label` is Pillow's name of an image's format, or why the content is refused."""

    kind: ContentKind
    label: str = ""


_SIGNATURES: tuple[tuple[bytes, Content], ...] = (
    (b"\x89PNG\r\n\x1a\n", Content("image", "PNG")),
    (b"\xff\xd8\xff", Content("image", "JPEG")),
    (b"GIF87a", Content("image", "GIF")),
    (b"GIF89a", Content("image", "GIF")),
    (b"II*\0", Content("image", "TIFF")),
    (b"MM\0*", Content("image", "TIFF")),
    (b"II+\0", Content("image", "TIFF")),
    (b"MM\0+", Content("image", "TIFF")),
    (b"%PDF-", Content("pdf")),
    (b"PK\x03\x04", Content("zip")),
    (b"PAR1", Content("parquet")),
    (b"ID3", Content("refused", "it is MP3 sound; convert it to WAV")),
    (b"OggS", Content("refused", "it is Ogg sound; convert it to WAV")),
    (b"fLaC", Content("refused", "it is FLAC sound; convert it to WAV")),
    (b"\x1f\x8b", Content("refused", "it is compressed with gzip; unpack it first")),
    (b"BZh", Content("refused", "it is compressed with bzip2; unpack it first")),
    (b"\xfd7zXZ\0", Content("refused", "it is compressed with xz; unpack it first")),
    (b"7z\xbc\xaf", Content("refused", "it is an archive; unpack it first")),
    (b"PK\x05\x06", Content("refused", "it is an empty archive")),
    (b"Rar!\x1a", Content("refused", "it is an archive; unpack it first")),
    (b"\x93NUMPY", Content("refused", "it is a saved array; attach what `numpy.load` returns")),
    (b"\x89HDF", Content("refused", "it is an HDF5 file; attach a frame or an array out of it")),
    (b"ARROW1", Content("refused", "it is an Arrow file; attach the frame that pandas reads from it")),
    (b"SQLite format 3\0", Content("refused", "it is a database; attach a frame out of it")),
    (b"\xd0\xcf\x11\xe0", Content("refused", "it is an old Office file; save it as .docx or .csv")),
)
_PICKLE = Content("refused", "it is a pickle, and reading one runs code; attach the value itself")
_MOVIE = Content("refused", "it is a film, HEIC or AVIF; convert it to PNG, JPEG or WAV")
UNKNOWN = Content(
    "refused", "it is binary data of an unknown kind; images, tables, text, PDF, Word and WAV can be attached"
)


def content_of(data: bytes) -> Content:
    """Say what content is by its first bytes; binary data of no known kind is refused."""
    for signature, content in _SIGNATURES:
        if data.startswith(signature) and (b"\0" in data[:HEAD] or not signature.isalnum() or not signature.isascii()):
            return content
    if data[:4] in (b"RIFF", b"RF64"):
        inner = {b"WEBP": Content("image", "WEBP"), b"WAVE": Content("audio", "WAV")}
        return inner.get(data[8:12], UNKNOWN)
    if data[:2] == b"BM" and int.from_bytes(data[14:18], "little") in _BMP_HEADERS and b"\0" in data[:18]:
        return Content("image", "BMP")
    if data[4:8] == b"ftyp":
        return _MOVIE
    if data[:1] == b"\x80" and data[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return _PICKLE
    return Content("text") if encoding_of(data[:HEAD]) else UNKNOWN


def encoding_of(data: bytes) -> str:
    """Return the encoding that a byte order mark names, else "utf-8"; empty for data that is no text."""
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return encoding
    return "" if b"\0" in data else "utf-8"
