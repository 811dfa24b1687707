"""Requests as JSON objects and as bytes, without I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ollama_magic.ollama.message_json import base64_texts, body_bytes, message_body, without_empty
from ollama_magic.ollama.message_list import json_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ollama_magic.ollama.protocol import ChatRequest, CreateRequest, GenerateRequest, Request


def chat_body(request: ChatRequest) -> dict[str, object]:
    """Return the JSON object of a streamed `/api/chat` request."""
    messages = [message_body(message) for message in request.messages]
    return {"model": request.model, "messages": messages} | _behind_messages(request)


def chat_bytes(request: ChatRequest) -> bytes:
    """Return what `body_bytes` makes of `chat_body`; the JSON of a long history is written once for all turns.

    Raises:
        InputError: It contains a value that JSON does not have.
    """
    head, tail = body_bytes({"model": request.model}), body_bytes(_behind_messages(request))
    return json_of(request.messages, head[:-1] + b', "messages": [', b"], " + tail[1:])


def _behind_messages(request: ChatRequest) -> dict[str, object]:
    return {"stream": True} | without_empty({"tools": list(request.tools)}) | _settings(request)


def generate_body(request: GenerateRequest) -> dict[str, object]:
    """Return the JSON object of a streamed `/api/generate` request."""
    body: dict[str, object] = {"model": request.model, "prompt": request.prompt, "stream": True}
    texts = {"suffix": request.suffix, "system": request.system, "template": request.template, "raw": request.raw}
    return body | without_empty({**texts, "images": base64_texts(request.images)}) | _settings(request)


def create_body(request: CreateRequest) -> dict[str, object]:
    """Return the JSON object of a streamed `/api/create` request, for servers from v0.5.5 on."""
    body = {**named(request.name), "from": request.base, "stream": True}
    optional = {
        "system": request.system,
        "template": request.template,
        "parameters": dict(request.parameters),
        "messages": [message_body(message) for message in request.messages],
        "license": request.license,
    }
    return body | without_empty(optional)


def pull_body(name: str, *, insecure: bool) -> dict[str, object]:
    """Return the JSON object of a streamed `/api/pull` request."""
    return {**named(name), "stream": True} | without_empty({"insecure": insecure})


def embed_body(model: str, inputs: Sequence[str], more: Mapping[str, object]) -> dict[str, object]:
    """Return the JSON object of an `/api/embed` request, without fields that are None."""
    return {"model": model, "input": list(inputs)} | _set(more)


def old_embed_body(model: str, text: str, more: Mapping[str, object]) -> dict[str, object]:
    """Return the JSON object of an `/api/embeddings` request, which takes one text."""
    return {"model": model, "prompt": text} | _set(more)


def named(name: str) -> dict[str, object]:
    """Return the model's name in both fields that servers have used (protocol.md §22)."""
    return {"model": name, "name": name}


def _settings(request: Request) -> dict[str, object]:
    """Return the settings of either kind of request, without those that are None or empty."""
    options = dict(request.options) or None
    settings = {"options": options, "think": request.think, "format": request.format, "keep_alive": request.keep_alive}
    return _set(settings)


def _set(fields: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in fields.items() if value is not None}
