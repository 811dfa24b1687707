"""What a request's messages become before an answer: the model's own in front, what does not fit dropped; no I/O."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ollama_magic.demo.recordings.text_pieces import pieces as tokens
from ollama_magic.demo.transport.go_format import go_json
from tests.double.wire.go_bodies import Body, Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.double.library.scripted_models import DemoModel
    from tests.double.library.versions import Age

Message = tuple[str, str]  # role, content
_TOO_LONG = (
    "the prompt is longer than the context length currently available to the model; shorten the prompt, "
    "adjust the context length in settings, or use a model with a longer context length"
)


@dataclass(frozen=True)
class Prompt:
    """What is asked: messages, and the text itself where the model's template does not make it."""

    messages: list[Message] = field(default_factory=list)
    text: str | None = None
    stored: bool = True  # the model's own messages come first
    suffix: str | None = None


def fitted(model: DemoModel, prompt: Prompt, options: Body, body: Body, age: Age) -> list[Message]:
    """The messages that the model reads: front ones that do not fit are dropped without a word (protocol.md §13)."""
    messages = [*(model.messages if prompt.stored else ()), *prompt.messages]
    if model.system and prompt.stored and prompt.messages[0][0] != "system":
        messages.insert(0, ("system", model.system))
    window = model.window(options)
    total = token_count(messages)
    if total > window and body.get("truncate") is False:
        text = _exceeds(total, window) if age.has("native") else "the input length exceeds the context length"
        raise Refusal(400, text, late=True)
    dropped = set[int]()
    for place, message in enumerate(messages[:-1]):
        if total <= window:
            break
        if message[0] != "system":
            total -= token_count([message])
            dropped.add(place)
    kept = [message for place, message in enumerate(messages) if place not in dropped]
    return kept if total <= window else _cut(kept, total, window, body, age)


def _cut(messages: list[Message], total: int, window: int, body: Body, age: Age) -> list[Message]:
    """The middle of the last message goes: half the window is used from v0.30, all of it before."""
    if age.has("native") and body.get("shift") is False:
        raise Refusal(400, _TOO_LONG, late=True)
    role, content = messages[-1]
    pieces = tokens(content)
    wanted = window // 2 if age.has("native") else window
    room = max(0, len(pieces) - max(0, total - wanted))
    front = min(4, room)
    end = room - front
    return [*messages[:-1], (role, "".join([*pieces[:front], *(pieces[-end:] if end else [])]))]


def _exceeds(total: int, window: int) -> str:
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


def templated(template: str, prompt: str, system: str) -> str:
    """A template of the request's own, as far as it has plain fields; every other action says nothing."""
    places = {".Prompt": prompt, ".System": system}
    return re.sub(r"\{\{-?\s*(.*?)\s*-?\}\}", lambda place: places.get(place.group(1), ""), template)
