"""Ollama's wire format as values: bytes in, frozen dataclasses out, and back. No I/O lives here."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ollama_magic.errors import InputError
from ollama_magic.foreign import one_line, repaired

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Message:
    """One message of a conversation as the server takes it."""

    role: str
    content: str
    thinking: str = ""


@dataclass(frozen=True)
class ChatRequest:
    """What one turn sends (dossier §6.1); fields that are None or empty are left out of the body."""

    model: str
    messages: tuple[Message, ...]
    options: Mapping[str, object] = field(default_factory=dict)
    think: bool | str | None = None
    format: object = None
    keep_alive: float | str | None = None


@dataclass(frozen=True)
class Stats:
    """What the last chunk says of an answer (dossier §6.3): tokens and nanoseconds; every field may be missing."""

    total_ns: int | None = None
    load_ns: int | None = None
    prompt_tokens: int | None = None
    prompt_ns: int | None = None
    answer_tokens: int | None = None
    answer_ns: int | None = None


@dataclass(frozen=True)
class ChatChunk:
    """One line of a stream: text to append, then perhaps the end, or an error instead of either.

    `cut` is a clause that says why the stream ends here without its end mark («the connection was reset»).
    """

    content: str = ""
    thinking: str = ""
    done: bool = False
    done_reason: str | None = None
    stats: Stats | None = None
    error: str | None = None
    model: str = ""
    cut: str = ""


@dataclass(frozen=True)
class ModelSummary:
    """One model of `/api/tags` (dossier §15.1); capabilities are None on servers before v0.30."""

    name: str
    size: int = 0
    modified_at: str = ""
    digest: str = ""
    family: str = ""
    families: tuple[str, ...] = ()
    parameter_size: str = ""
    quantization: str = ""
    capabilities: frozenset[str] | None = None
    context_length: int | None = None
    remote_host: str = ""


@dataclass(frozen=True)
class RunningModel:
    """One loaded model of `/api/ps` (dossier §15.2); models that share their weights show up under one name only."""

    name: str
    size: int = 0
    size_vram: int = 0
    expires_at: str = ""
    context_length: int | None = None
    digest: str = ""


@dataclass(frozen=True)
class Tensor:
    """One tensor of a model's file."""

    name: str
    type: str = ""
    shape: tuple[int, ...] = ()


@dataclass(frozen=True)
class ModelFacts:
    """What `/api/show` says of one model (§15.3); context_length is the one it was trained with.

    `info` and `projector` are the file's own keys; `tensors` are there if asked for with verbose. `weights` is the
    digest of the weights file, as far as the Modelfile tells it: models that share it share one runner (§15.2).
    """

    capabilities: frozenset[str] | None = None
    context_length: int | None = None
    parameters: str = ""
    template: str = ""
    system: str = ""
    license: str = ""
    family: str = ""
    families: tuple[str, ...] = ()
    parameter_size: str = ""
    quantization: str = ""
    format: str = ""
    parent_model: str = ""
    modified_at: str = ""
    remote_host: str = ""
    remote_model: str = ""
    modelfile: str = ""
    requires: str = ""
    weights: str = ""
    parameter_count: int | None = None
    embedding_length: int | None = None
    info: Mapping[str, object] = field(default_factory=dict)
    projector: Mapping[str, object] = field(default_factory=dict)
    tensors: tuple[Tensor, ...] = ()


def chat_body(request: ChatRequest) -> dict[str, object]:
    """Return the JSON object of a streamed `/api/chat` request."""
    body: dict[str, object] = {
        "model": request.model,
        "messages": [message_body(message) for message in request.messages],
        "stream": True,
    }
    optional = {
        "options": dict(request.options) or None,
        "think": request.think,
        "format": request.format,
        "keep_alive": request.keep_alive,
    }
    return body | {name: value for name, value in optional.items() if value is not None}


def message_body(message: Message) -> dict[str, str]:
    """Return a message as JSON has it."""
    body = {"role": message.role, "content": message.content}
    return body | {"thinking": message.thinking} if message.thinking else body


def body_bytes(body: Mapping[str, object]) -> bytes:
    """Return a request's body; lone surrogates become U+FFFD, what JSON cannot say is an InputError."""
    try:
        text = json.dumps(body, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        problem = InputError(f"This request cannot be written as JSON ({one_line(str(error))}); look at its options.")
    else:
        return repaired(text).encode()
    raise problem


def count(value: object) -> int | None:
    """Return a count or a time as the server means it, None for anything that cannot be one."""
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return value if 0 <= value < 2**63 else None
