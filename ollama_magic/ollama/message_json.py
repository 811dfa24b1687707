"""Messages, and any object of a request, as JSON; without I/O."""

from __future__ import annotations

import base64
import json
import numbers
from typing import TYPE_CHECKING

from ollama_magic.errors import InputError
from ollama_magic.foreign import one_line, repaired

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ollama_magic.ollama.messages import Message, ToolCall


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
    return body | without_empty(optional)


def base64_texts(images: Iterable[bytes]) -> list[str]:
    """Return images as servers read them: standard base64, padded, without a prefix (protocol.md §11)."""
    return [base64.b64encode(image).decode() for image in images]


def call_body(call: ToolCall, index: int) -> dict[str, object]:
    """Return the JSON object of a tool call; its arguments are an object, for a server refuses a text."""
    function = {"index": index, "name": call.name, "arguments": dict(call.arguments)}
    return without_empty({"id": call.id}) | {"function": function}


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


def without_empty(fields: Mapping[str, object]) -> dict[str, object]:
    """Return the fields that have a value which is not empty."""
    return {name: value for name, value in fields.items() if value}
