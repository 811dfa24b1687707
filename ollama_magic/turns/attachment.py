"""What goes along with a prompt: an image, sound, a table or text, as one frozen value. Reading sources is not here."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Final, Literal

Kind = Literal["image", "audio", "table", "text"]
TEXT_KINDS: Final = frozenset({"table", "text"})
_TYPES: Final = (
    (b"\x89PNG", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"ID3", "audio/mpeg"),
    (b"\xff\xfb", "audio/mpeg"),
    (b"\xff\xf3", "audio/mpeg"),
)


@dataclass(frozen=True)
class Attachment:
    """One attachment of a prompt, as it is sent.

    Args:
        name: What the user called it: a variable or a file name, on one line.
        kind: What it is; tables and texts are sent in the content of the message, the others beside it.
        media_type: The MIME type of the data, such as "image/png" or "text/markdown".
        data: The bytes that are sent, in UTF-8 for tables and texts. Empty, with a size above 0, where only the
            name and the size are known.
        note: What was changed on the way, such as "1,536 × 864, was 4,000 × 2,250"; empty for nothing.
        size: The size of the data in bytes.
        sha256: The hash of the data in hexadecimal.
    """

    name: str
    kind: Kind
    media_type: str
    data: bytes = field(repr=False, compare=False)
    note: str = ""
    size: int = 0
    sha256: str = ""

    @classmethod
    def of(cls, name: str, kind: Kind, media_type: str, data: bytes, note: str = "") -> Attachment:
        """Return the attachment of these bytes, with their size and hash.

        >>> Attachment.of("notes.txt", "text", "text/plain", b"one").size
        3
        """
        return cls(name, kind, media_type, data, note, len(data), sha256(data).hexdigest())

    @property
    def travelled(self) -> bool:
        """Whether its content is known, not only its name and size."""
        return bool(self.data) or not self.size

    @property
    def in_text(self) -> bool:
        """Whether it is sent in the text of the message."""
        return self.kind in TEXT_KINDS

    @property
    def text(self) -> str:
        """The content of a table or text; empty for any other kind."""
        return self.data.decode(errors="replace") if self.in_text else ""


def is_sound(data: bytes) -> bool:
    """Whether these bytes are sound that servers know by its beginning: WAV or MP3 (protocol.md §11)."""
    return _type_of(data).startswith("audio/")


def typed_by_content(attachment: Attachment) -> Attachment:
    """Return an image or sound of unknown origin with the kind and the media type that its first bytes show."""
    found = _type_of(attachment.data)
    return replace(attachment, kind="audio" if is_sound(attachment.data) else "image", media_type=found)


def _type_of(data: bytes) -> str:
    if data[:4] == b"RIFF":
        return {b"WAVE": "audio/wav", b"WEBP": "image/webp"}.get(data[8:12], "")
    return next((name for beginning, name in _TYPES if data.startswith(beginning)), "")
