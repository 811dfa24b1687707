"""Images and sound in a request: what the model must perceive, what it cannot, and how large a request may be."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ollama_magic.errors import InputError
from ollama_magic.foreign import one_line
from ollama_magic.turns.attachment import is_sound
from ollama_magic.turns.turn_messages import messages_of
from ollama_magic.turns.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ollama_magic.conversation.interfaces import ChatServer
    from ollama_magic.ollama.messages import Message
    from ollama_magic.turns.attachment import Attachment
    from ollama_magic.turns.turn_value import Turn

REQUEST_BYTES = 64_000_000


def senses_for(media: Iterable[bytes]) -> frozenset[str]:
    """The capabilities that a model needs for these bytes: "vision" for an image, "audio" for sound."""
    return frozenset("audio" if is_sound(data) else "vision" for data in media)


def media_in(turns: Iterable[Turn]) -> list[bytes]:
    """Return the images and sound that are sent with these turns."""
    perhaps = [turn for turn in turns if turn.attachments or turn.steps]
    return [data for message in messages_of(perhaps) for data in message.images]


async def perceived(turns: Sequence[Turn], model: str, server: ChatServer) -> Sequence[Turn]:
    """Return the earlier turns without the images and sound that this model is known not to perceive."""
    media = media_in(turns)
    lacking = await server.lacks(model, senses_for(media)) if media else frozenset[str]()
    return [_without(turn, lacking) for turn in turns] if lacking else turns


def unperceived_note(turns: Iterable[Turn], messages: Sequence[Message], model: str) -> tuple[str, ...]:
    """Return the note about images and sound of earlier turns that were left out for the model."""
    media = media_in(turns)
    left = len(media) - sum(len(message.images) for message in messages[:-1]) if media else 0
    if left <= 0:
        return ()
    return (f"{counted(left, 'image')} of earlier turns left out: {one_line(model, 80)} cannot see",)


def check_size(messages: Sequence[Message]) -> None:
    """Raise InputError if a request with these messages is too large to be sent."""
    images = sum(len(data) for one in messages if one.images for data in one.images)
    earlier = images - sum(map(len, messages[-1].images if messages else ()))
    size = images * 4 // 3 + sum([len(one.content) for one in messages])
    if size > REQUEST_BYTES:
        helps = "send fewer earlier turns with `--turns N`, or " * bool(earlier)
        most = f"at most {REQUEST_BYTES // 1_000_000} MB are sent"
        raise InputError(f"This request has {size / 1e6:.0f} MB with its attachments, and {most}; {helps}attach less.")


def _without(turn: Turn, lacking: frozenset[str]) -> Turn:
    def known(attachments: Iterable[Attachment]) -> tuple[Attachment, ...]:
        return tuple(one for one in attachments if one.in_text or not senses_for([one.data]) & lacking)

    steps = tuple(replace(step, images=known(step.images)) for step in turn.steps)
    return replace(turn, attachments=known(turn.attachments), steps=steps)
