"""What goes along with the prompt of a function: `attach=[…]`, and ollama-python's `images` in messages."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from ollama_magic.errors import InputError, TurnStopped
from ollama_magic.foreign import one_line
from ollama_magic.ollama.message_list import MessageList
from ollama_magic.ollama.protocol import ChatRequest
from ollama_magic.turns.turn_messages import user_message

if TYPE_CHECKING:
    from ollama_magic.conversation.session import Session
    from ollama_magic.ollama.messages import Message
    from ollama_magic.ollama.protocol import Request
    from ollama_magic.turns.attachment import Attachment

_PICTURES = (".png", ".jpg", ".jpeg", ".webp")  # such a text is a path for ollama-python, never base64
_LONGEST_PATH = 4096


def attachments_from(sources: object, ours: Session) -> tuple[Attachment, ...]:
    """Read `attach=`: figures, images, arrays, frames, paths (with `~` and `*`), bytes; or a list of them.

    Raises:
        InputError: One cannot be attached, or there are too many.
        TurnStopped: ■ was pressed while a file was read.
    """
    if sources is None:
        return ()
    from ollama_magic.attachments.reading import Limits
    from ollama_magic.line.attaching import attach, sources_of

    try:
        settings = ours.settings()
        return attach(sources_of(sources), Limits(settings.image_side, settings.attach_chars), ours.mask)
    except KeyboardInterrupt:
        raise TurnStopped("Stopped; nothing was sent.") from None


def request_with(request: Request, attachments: Iterable[Attachment]) -> Request:
    """Return the request with attachments of its last user message, or of its prompt."""
    attached = tuple(attachments)
    if not attached:
        return request
    if not isinstance(request, ChatRequest):
        asked = user_message(request.prompt, attached)
        return replace(request, prompt=asked.content, images=(*request.images, *asked.images))
    messages = list(request.messages)
    place = max((place for place, one in enumerate(messages) if one.role == "user"), default=None)
    if place is None:
        raise InputError("There is no message of the user to attach something to.")
    messages[place] = _message_with(messages[place], attached)
    return replace(request, messages=MessageList(messages))


def images_from(value: object, place: int) -> tuple[bytes, ...]:
    """Return the images of a message in the shape of ollama-python: paths, bytes, base64, as they are.

    Args:
        value: The list, or None.
        place: The number of the message, for an error.

    Raises:
        InputError: One is none of these, or its file cannot be read.
    """
    if value is None:
        return ()
    if not isinstance(value, Iterable) or isinstance(value, str | bytes | Mapping):
        raise InputError(f"Message {place}: images are a list of paths, bytes or base64 texts.")
    return tuple(_image(getattr(one, "value", one), place) for one in value)


def _message_with(message: Message, attachments: tuple[Attachment, ...]) -> Message:
    asked = user_message(message.content, attachments)
    return replace(message, content=asked.content, images=(*message.images, *asked.images))


def _image(value: object, place: int) -> bytes:
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    if isinstance(value, PurePath) or (isinstance(value, str) and _is_path(value)):
        from ollama_magic.line.attaching import file_bytes

        return file_bytes(Path(value))
    if isinstance(value, str):
        try:
            return base64.b64decode("".join(value.split()), validate=True)
        except (ValueError, binascii.Error):
            pass
    shown = f"“{one_line(value, 40)}”" if isinstance(value, str) else type(value).__name__
    raise InputError(f"Message {place} has an image that is no path, no bytes and no base64: {shown}.")


def _is_path(text: str) -> bool:
    if text.lower().endswith(_PICTURES):
        return True
    try:
        return len(text) < _LONGEST_PATH and Path(text).exists()
    except (OSError, ValueError):
        return False
