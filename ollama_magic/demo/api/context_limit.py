"""The messages that a model reads: what does not fit its window is dropped, cut or refused (protocol.md §13)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ollama_magic.demo.transport.go_format import go_json
from ollama_magic.demo.transport.request_body import Body, Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ollama_magic.demo.language_model import LanguageModel, Message

_FRAME = 4  # tokens of a message's marks
_TOO_LONG = (
    "the prompt is longer than the context length currently available to the model; shorten the prompt, "
    "adjust the context length in settings, or use a model with a longer context length"
)


def count_tokens(model: LanguageModel, messages: Iterable[Message]) -> int:
    """Tokens of a conversation, with the marks of each message."""
    return sum(len(model.tokenize(message.content)) + _FRAME for message in messages)


def within_window(model: LanguageModel, messages: list[Message], window: int, body: Body) -> list[Message]:
    """The messages that fit, the last one among them.

    Args:
        model: What counts the tokens.
        messages: The conversation, oldest first.
        window: The size of the context window in tokens.
        body: The request: `truncate` and `shift` say whether something may be dropped.

    Raises:
        Refusal: Something does not fit, and nothing may be dropped.
    """
    total = count_tokens(model, messages)
    if total > window and body.get("truncate") is False:
        raise Refusal(400, _exceeds(total, window), late=True)
    fitting = list(messages)
    for message in messages[:-1]:
        if total > window and message.role != "system":
            total -= count_tokens(model, [message])
            fitting.remove(message)
    if total <= window:
        return fitting
    if body.get("shift") is False:
        raise Refusal(400, _TOO_LONG, late=True)
    return [*fitting[:-1], _cut(model, fitting[-1], total - window // 2)]


def _cut(model: LanguageModel, message: Message, surplus: int) -> Message:
    """Cut tokens out of the middle of a message; like a real server, use half the window."""
    tokens = model.tokenize(message.content)
    room = max(0, len(tokens) - surplus)
    front = min(_FRAME, room)
    rest = tokens[:front] + tokens[len(tokens) - (room - front) :]
    return replace(message, content=model.detokenize(rest))


def _exceeds(total: int, window: int) -> str:
    """The runner's own reply: JSON inside the text."""
    message = f"request ({total} tokens) exceeds the available context size ({window} tokens), try increasing it"
    error = {"code": 400, "message": message, "type": "exceed_context_size_error"}
    return go_json({"error": {**error, "n_prompt_tokens": total, "n_ctx": window}})
