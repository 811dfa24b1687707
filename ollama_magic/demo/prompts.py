"""What a request's messages become before an answer: the model's own in front, what does not fit dropped; no I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ollama_magic.demo.bodies import Body, Refusal
from ollama_magic.demo.deltas import tokens
from ollama_magic.demo.go import go_json

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ollama_magic.demo.models import DemoModel

Message = tuple[str, str]  # role, content


def fitted(model: DemoModel, given: list[Message], options: Body, body: Body) -> list[Message]:
    """The messages that the model reads: front ones that do not fit are dropped without a word (dossier §13)."""
    messages = [*model.messages, *given]
    if model.system and messages[0][0] != "system":
        messages.insert(0, ("system", model.system))
    window = model.window(options)
    total = token_count(messages)
    if total > window and body.get("truncate") is False:
        raise Refusal(400, _too_long(total, window), late=True)
    dropped = set[int]()
    for place, message in enumerate(messages[:-1]):
        if total <= window:
            break
        if message[0] != "system":
            total -= token_count([message])
            dropped.add(place)
    return [message for place, message in enumerate(messages) if place not in dropped]


def _too_long(total: int, window: int) -> str:
    """The runner's own reply: JSON inside the text."""
    words = f"request ({total} tokens) exceeds the available context size ({window} tokens), try increasing it"
    error = {
        "code": 400,
        "message": words,
        "type": "exceed_context_size_error",
        "n_prompt_tokens": total,
        "n_ctx": window,
    }
    return go_json({"error": error})


def token_count(messages: Iterable[Message]) -> int:
    """Tokens of the whole prompt, with four for each message's frame."""
    return sum(len(tokens(content)) + 4 for _, content in messages)


def rendered(messages: list[Message], thinks: bool) -> str:
    """The prompt as the model's template makes it."""
    turns = "".join(f"<|im_start|>{role}\n{content}<|im_end|>\n" for role, content in messages)
    return turns + "<|im_start|>assistant\n" + ("<think>\n" if thinks else "")
