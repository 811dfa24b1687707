"""What every reader of a source is passed: the limits, and how it refuses a source in one line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ollama_magic.errors import InputError
from ollama_magic.foreign import message_of, one_line, repaired
from ollama_magic.prompt.describe import describe
from ollama_magic.turns.attachment import Attachment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ollama_magic.prompt.describe import Description

IMAGE_BYTES: Final = 20_000_000  # of an image before it is scaled, and of sound
FILE_BYTES: Final = 64_000_000  # of any other file
PIXELS: Final = 80_000_000  # below the number at which Pillow itself warns


@dataclass(frozen=True)
class Limits:
    """How much of a source is sent.

    Args:
        image_side: The longest side of an image in pixels; 0 leaves every image as it is.
        attach_chars: Most characters of a text.
        fill_chars: Most characters of a table.
    """

    image_side: int = 1_536
    attach_chars: int = 32_000
    fill_chars: int = 8_000


@dataclass(frozen=True)
class Reading:
    """The reading of one source.

    Args:
        name: What the user called the source, on one line.
        limits: How much of it is sent.
        mask: Hides keys in a text.
        stopped: Whether the user has stopped the turn.
        file: The name of the file that is read, which may be in a variable; empty without one.
    """

    name: str
    limits: Limits
    mask: Callable[[str], str]
    stopped: Callable[[], bool]
    file: str = ""

    def refusal(self, why: str) -> InputError:
        """Return the error that says why this source cannot be attached."""
        return InputError(f"{self.name} cannot be attached: {why.rstrip('.')}.")

    def fault(self, what: str, error: BaseException) -> InputError:
        """Return the error for an exception of a library or of the user's object."""
        reason = one_line(message_of(error), 160).rstrip(".")
        return self.refusal(f"{what} ({type(error).__name__}{': ' if reason else ''}{reason})")

    def check_stopped(self) -> None:
        """Raise InputError if the turn was stopped meanwhile."""
        if self.stopped():
            raise InputError(f"Reading {self.name} was stopped; nothing was sent.")

    def check_pixels(self, width: int, height: int) -> None:
        """Refuse an image by its declared size, before it is decoded."""
        if width <= 0 or height <= 0:
            raise self.refusal("it is an image without pixels")
        if width * height > PIXELS:
            size = f"{width:,} × {height:,} pixels"
            raise self.refusal(f"it has {size}, and at most {PIXELS // 1_000_000} million are read; make it smaller")

    def image(self, data: bytes, media_type: str, notes: Iterable[str] = ()) -> Attachment:
        """Return the attachment of an image that is encoded."""
        return Attachment.of(self.name, "image", media_type, data, joined(notes))

    def text(self, text: str, media_type: str = "text/plain", notes: Iterable[str] = ()) -> Attachment:
        """Return the attachment of a text, masked and cut at the limit."""
        described = describe(text, self.mask, self.limits.attach_chars)
        return self.described(described, media_type, notes)

    def described(self, described: Description, media_type: str, notes: Iterable[str] = ()) -> Attachment:
        """Return the attachment of a description; one that needs lines of its own is a table."""
        kind, note = ("table" if described.block else "text"), described.note.strip().strip("()")
        data = repaired(described.text).encode()
        return Attachment.of(self.name, kind, media_type, data, joined([*notes, note]))  # type: ignore[arg-type]


def joined(notes: Iterable[str]) -> str:
    """Return notes as one, without empty ones."""
    return ", ".join(note for note in notes if note)


def megabytes(size: int) -> str:
    """Return a size for an error message, such as `25 MB`."""
    return f"{max(1, round(size / 1_000_000)):,} MB"
