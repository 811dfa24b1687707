"""The text of a PDF, read by pypdf within a time and a number of characters; its images are not read."""

from __future__ import annotations

import time
from io import BytesIO
from typing import TYPE_CHECKING, Any

from ollama_magic.attachments.libraries import EXTRA, quiet
from ollama_magic.errors import InputError
from ollama_magic.prompt.describe import BEYOND, Description

if TYPE_CHECKING:
    from ollama_magic.attachments.reading import Reading
    from ollama_magic.turns.attachment import Attachment

_SECONDS = 20.0  # after which nothing more is read


class _TooSlow(Exception):  # the pages before it are sent
    """The time for a document is over."""


def pdf_attachment(data: bytes, reading: Reading) -> Attachment:
    """Return the text of a PDF, page by page, until the limit is reached.

    Raises:
        InputError: pypdf is missing, or the file is broken, locked or without text.
    """
    try:
        import pypdf
    except ImportError:
        raise reading.refusal(f"reading a PDF needs pypdf; {EXTRA}") from None
    with quiet("pypdf"):
        try:
            text, read, pages = _pages(pypdf.PdfReader(BytesIO(data)), reading)
        except InputError:
            raise
        except Exception as error:  # noqa: BLE001  # pypdf raises what its parsers raise
            raise reading.fault("it is no PDF that can be read", error) from None
    if not text.strip():
        raise reading.refusal("this PDF has no text, as a scanned one has none; attach its pages as images")
    note = f"{pages:,} page{'s' * (pages != 1)}"
    if read == pages:
        return reading.text(text, notes=[note])
    masked = reading.mask(text)[: reading.limits.attach_chars]
    cut = Description(f"{masked}… of {note}", f" (the first {read:,} … of {note})")
    return reading.described(cut, "text/plain")


def _pages(reader: Any, reading: Reading) -> tuple[str, int, int]:
    """Return the text of the first pages, how many they are, and how many there are."""
    if reader.is_encrypted and not reader.decrypt(""):
        raise reading.refusal("this PDF needs a password; save it without one")
    most, until = reading.limits.attach_chars + BEYOND, time.monotonic() + _SECONDS
    texts: list[str] = []

    def check(*_: object) -> None:
        reading.check_stopped()
        if time.monotonic() > until:
            raise _TooSlow

    for page in reader.pages:
        try:
            check()
            texts.append(page.extract_text(visitor_operand_before=check))
        except _TooSlow:
            break
        if sum(map(len, texts)) > most:
            break
    if not texts and len(reader.pages):
        raise reading.refusal(f"its first page takes more than {_SECONDS:g} s to read; save its text as a file")
    return "\n\n".join(texts), len(texts), len(reader.pages)
