"""Images and sound in a request: what the model must perceive, what it cannot, and how large a request may be."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ollama_magic.errors import InputError
from ollama_magic.foreign import one_line
from ollama_magic.turns.attachment import is_sound
from ollama_magic.turns.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ollama_magic.ollama.message_list import MessageList
    from ollama_magic.turns.attachment import Attachment
    from ollama_magic.turns.turn_value import Turn

REQUEST_BYTES = 64_000_000


def senses_for(media: Iterable[bytes]) -> frozenset[str]:
    """The capabilities that a model needs for these bytes: "vision" for an image, "audio" for sound."""
    return frozenset("audio" if is_sound(data) else "vision" for data in media)


def without_media(turns: Iterable[Turn], lacking: frozenset[str]) -> list[Turn]:
    """Return turns without the images and sound that a model lacks the capabilities for."""
    return [_without(turn, lacking) if turn.attachments or turn.steps else turn for turn in turns]


def left_out_note(count: int, model: str) -> tuple[str, ...]:
    """Return the note that so many images and sounds of earlier turns were left out for the model."""
    return (f"{counted(count, 'image')} of earlier turns left out: {one_line(model, 80)} cannot see",) if count else ()


def check_size(messages: MessageList) -> None:
    """Raise InputError if a request with these messages is too large to be sent."""
    images = sum(map(len, messages.images))
    earlier = images - sum(map(len, messages[-1].images if messages else ()))
    size = images * 4 // 3 + messages.size
    if size > REQUEST_BYTES:
        helps = "send fewer earlier turns with `--turns N`, or " * bool(earlier)
        most = f"at most {REQUEST_BYTES // 1_000_000} MB are sent"
        raise InputError(f"This request has {size / 1e6:.0f} MB with its attachments, and {most}; {helps}attach less.")


def _without(turn: Turn, lacking: frozenset[str]) -> Turn:
    def known(attachments: Iterable[Attachment]) -> tuple[Attachment, ...]:
        return tuple(one for one in attachments if one.in_text or not senses_for([one.data]) & lacking)

    steps = tuple(replace(step, images=known(step.images)) for step in turn.steps)
    return replace(turn, attachments=known(turn.attachments), steps=steps)
