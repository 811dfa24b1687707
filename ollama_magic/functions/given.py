"""What callers hand over, read: messages in the shape of ollama-python, texts, model options. Nothing is sent here."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from ollama_magic.errors import InputError
from ollama_magic.foreign import one_line
from ollama_magic.ollama.protocol import Message

_NOT_YET = ("images", "tool_calls", "tool_name", "tool_call_id")


def messages_from(given: object, system: str = "") -> tuple[Message, ...]:
    """A text is the user's message; else dicts with role and content, ollama-python's messages, or ours."""
    found: tuple[Message, ...]
    if isinstance(given, str):
        found = (Message("user", text_from(given, "prompt")),)
    elif isinstance(given, Iterable) and not isinstance(given, (Mapping, bytes)):
        found = tuple(_message(message, place) for place, message in enumerate(given, 1))
    else:
        raise InputError("Messages are a text, or a list such as [{'role': 'user', 'content': '…'}].")
    if not found:
        raise InputError("There is no message to answer; the list is empty.")
    return (Message("system", system), *found) if system else found


def text_from(given: object, what: str) -> str:
    """A prompt, which must be a text with something in it."""
    if not isinstance(given, str):
        raise InputError(f"The {what} must be a text, not {_kind(given)}.")
    if not given.strip():
        raise InputError(f"The {what} is empty; there is nothing to answer.")
    return given


def texts_from(given: object) -> list[str]:
    """One text, or several."""
    texts = [given] if isinstance(given, str) or not isinstance(given, Iterable) else list(given)
    wrong = next((text for text in texts if not isinstance(text, str)), None)
    if wrong is not None:
        raise InputError(f"Only texts can be embedded, not {_kind(wrong)}.")
    return [text for text in texts if isinstance(text, str)]


def options_from(given: object) -> dict[str, object]:
    """Model options by their known names; a dict, or ollama-python's Options."""
    if given is None:
        return {}
    if hasattr(given, "model_dump"):
        given = given.model_dump(exclude_none=True)
    if not isinstance(given, Mapping):
        raise InputError(f"Options are a dict such as {{'temperature': 0.2}}, not {_kind(given)}.")
    from ollama_magic.line.model_options import known_name, typed_value

    texts = {known_name(str(name)): _written(value) for name, value in given.items() if value is not None}
    return {name: typed_value(name, text) for name, text in texts.items()}


def _message(given: object, place: int) -> Message:
    if isinstance(given, Message):
        return given
    role, content = _field(given, "role"), _field(given, "content")
    if not isinstance(role, str) or not role or not isinstance(content, (str, type(None))):
        raise InputError(f"Message {place} needs a role and a text as its content: {{'role': 'user', 'content': '…'}}.")
    for name in _NOT_YET:
        if _field(given, name):
            raise InputError(f"Message {place} has {name}, which cannot be sent from here yet.")
    thinking = _field(given, "thinking")
    return Message(role, content or "", thinking if isinstance(thinking, str) else "")


def _field(given: object, name: str) -> Any:
    return given.get(name) if isinstance(given, Mapping) else getattr(given, name, None)


def _written(value: object) -> str:
    try:
        return value if isinstance(value, str) else json.dumps(value)
    except (TypeError, ValueError):
        raise InputError(f"An option is a number, a text or a list of texts, not {_kind(value)}.") from None


def _kind(given: object) -> str:
    return one_line(type(given).__name__, 40)
