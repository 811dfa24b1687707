"""Requests as JSON objects and as bytes, without I/O."""

from __future__ import annotations

import base64
import json
import numbers
from typing import TYPE_CHECKING

from ollama_magic.errors import InputError
from ollama_magic.foreign import one_line, repaired

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ollama_magic.ollama.messages import Message, ToolCall
    from ollama_magic.ollama.protocol import ChatRequest, CreateRequest, GenerateRequest, Request


def chat_body(request: ChatRequest) -> dict[str, object]:
    """Return the JSON object of a streamed `/api/chat` request."""
    messages = [message_body(message) for message in request.messages]
    return {"model": request.model, "messages": messages} | _behind_messages(request)


def chat_bytes(request: ChatRequest) -> bytes:
    """Return what `body_bytes` makes of `chat_body`; each text of a long history is written once for all turns.

    Raises:
        InputError: It contains a value that JSON does not have.
    """
    head, tail = body_bytes({"model": request.model}), body_bytes(_behind_messages(request))
    messages = b", ".join([_message_bytes(message) for message in request.messages])
    return b"".join([head[:-1], b', "messages": [', messages, b"], ", tail[1:]])


def _message_bytes(message: Message) -> bytes:
    if not message.is_text:  # images are large, and kept as they are
        return body_bytes(message_body(message))
    found: bytes | None = message.memo.get("bytes")
    if found is None:
        found = message.memo["bytes"] = body_bytes(message_body(message))
    return found


def _behind_messages(request: ChatRequest) -> dict[str, object]:
    return {"stream": True} | _filled({"tools": list(request.tools)}) | _settings(request)


def message_body(message: Message) -> dict[str, object]:
    """Return the JSON object of a message."""
    body: dict[str, object] = {"role": message.role, "content": message.content}
    if message.is_text:
        return body
    optional = {
        "thinking": message.thinking,
        "images": base64_texts(message.images),
        "tool_calls": [call_body(call, index) for index, call in enumerate(message.tool_calls)],
        "tool_name": message.tool_name,
        "tool_call_id": message.tool_call_id,
    }
    return body | _filled(optional)


def base64_texts(images: Iterable[bytes]) -> list[str]:
    """Return images as servers read them: standard base64, padded, without a prefix (protocol.md §11)."""
    return [base64.b64encode(image).decode() for image in images]


def call_body(call: ToolCall, index: int) -> dict[str, object]:
    """Return the JSON object of a tool call; its arguments are an object, for a server refuses a text."""
    function = {"index": index, "name": call.name, "arguments": dict(call.arguments)}
    return _filled({"id": call.id}) | {"function": function}


def body_bytes(body: Mapping[str, object]) -> bytes:
    """Return a request's body; lone surrogates become U+FFFD, NumPy's numbers plain ones.

    Raises:
        InputError: It contains a value that JSON does not have.
    """
    try:
        text = json.dumps(body, ensure_ascii=False, allow_nan=False, default=plain_number)
    except (TypeError, ValueError, RecursionError) as error:
        problem = InputError(f"This request cannot be written as JSON ({one_line(str(error))}); check its options.")
    else:
        return repaired(text).encode()
    raise problem


def generate_body(request: GenerateRequest) -> dict[str, object]:
    """Return the JSON object of a streamed `/api/generate` request."""
    body: dict[str, object] = {"model": request.model, "prompt": request.prompt, "stream": True}
    texts = {"suffix": request.suffix, "system": request.system, "template": request.template, "raw": request.raw}
    return body | _filled({**texts, "images": base64_texts(request.images)}) | _settings(request)


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
    return body | _filled(optional)


def pull_body(name: str, *, insecure: bool) -> dict[str, object]:
    """Return the JSON object of a streamed `/api/pull` request."""
    return {**named(name), "stream": True} | _filled({"insecure": insecure})


def embed_body(model: str, inputs: Sequence[str], more: Mapping[str, object]) -> dict[str, object]:
    """Return the JSON object of an `/api/embed` request, without fields that are None."""
    return {"model": model, "input": list(inputs)} | _set(more)


def old_embed_body(model: str, text: str, more: Mapping[str, object]) -> dict[str, object]:
    """Return the JSON object of an `/api/embeddings` request, which takes one text."""
    return {"model": model, "prompt": text} | _set(more)


def named(name: str) -> dict[str, object]:
    """Return the model's name in both fields that servers have used (protocol.md §22)."""
    return {"model": name, "name": name}


def plain_number(value: object) -> int | float | bool:
    """Return a number of another library, such as NumPy's, as Python's own; for `json.dumps(default=…)`.

    Raises:
        TypeError: It is not a number.
    """
    if isinstance(value, bool):
        return value
    if isinstance(value, numbers.Integral):
        return int(value)
    if isinstance(value, numbers.Real):
        return float(value)
    item = getattr(value, "item", None)
    found = item() if callable(item) and getattr(value, "shape", None) == () else None
    if isinstance(found, bool | int | float):  # NumPy's booleans, and arrays of no dimension
        return found
    raise TypeError(f"{type(value).__name__} is not a number")


def _settings(request: Request) -> dict[str, object]:
    """Return the settings of either kind of request, without those that are None or empty."""
    options = dict(request.options) or None
    settings = {"options": options, "think": request.think, "format": request.format, "keep_alive": request.keep_alive}
    return _set(settings)


def _set(fields: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in fields.items() if value is not None}


def _filled(fields: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in fields.items() if value}
