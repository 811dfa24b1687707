"""Text files as text: UTF-8, what a byte order mark names, else Latin-1 with a note."""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING

from ollama_magic.attachments.content import UNKNOWN, encoding_of
from ollama_magic.foreign import repaired

if TYPE_CHECKING:
    from ollama_magic.attachments.reading import Reading

_NO_TEXT = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")  # a text may have escapes of a terminal
_WINDOWS = re.compile(rb"[\x80-\x9f]")  # letters in Windows-1252, controls in Latin-1


def decoded(data: bytes, reading: Reading) -> tuple[str, str]:
    """Return the text of a file, and a note if its encoding was guessed; InputError for binary data."""
    encoding = encoding_of(data)
    if not encoding:
        raise reading.refusal(UNKNOWN.label)
    try:
        return _checked(data.decode(encoding), reading), ""
    except UnicodeDecodeError as error:
        if encoding != "utf-8":
            raise reading.refusal("it begins like a text and goes on as none; save it as UTF-8") from None
        begins, cut = data[: error.start], error.reason == "unexpected end of data"
    if cut and not begins.isascii():  # ASCII before it would be Latin-1 that ends with an accent
        return _checked(begins.decode() + "\ufffd", reading), "it ends within a character"
    if _NO_TEXT.search(data):
        raise reading.refusal(UNKNOWN.label)
    if not _WINDOWS.search(data):
        return data.decode("latin-1"), "read as Latin-1"
    return codecs.decode(data, "cp1252", "replace"), "read as Windows-1252"


def _checked(text: str, reading: Reading) -> str:
    if "\0" in text:
        raise reading.refusal(UNKNOWN.label)
    return repaired(text)
