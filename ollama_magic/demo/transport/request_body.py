"""Request bodies: the fields that each request has, checked and made plain; no I/O."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from ollama_magic.demo.transport.go_format import go_duration, go_json, quoted

if TYPE_CHECKING:
    from collections.abc import Mapping

Body = dict[str, Any]
Fields = dict[str, str]  # name of a field: name of its type, or nothing where several are right

_LEVELS = ("high", "medium", "low", "max")
_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "boolean": (bool,),
    "integer": (int, float),
    "float32": (int, float),
    "array": (list,),
    "object": (dict,),
}
_ASKING: Fields = {
    **dict.fromkeys(("format", "keep_alive", "think"), ""),
    **dict.fromkeys(("stream", "truncate", "shift", "_debug_render_only"), "boolean"),
    "model": "string",
    "options": "object",
}
CHAT: Fields = {**_ASKING, "messages": "array", "tools": "array"}
GENERATE: Fields = {
    **_ASKING,
    **dict.fromkeys(("prompt", "suffix", "system", "template"), "string"),
    **dict.fromkeys(("images", "context"), "array"),
    "raw": "boolean",
}
MESSAGE: Fields = {"role": "string", "content": "string", "thinking": "string", "images": "array"}
EMBED: Fields = {
    **dict.fromkeys(("input", "keep_alive"), ""),
    "model": "string",
    "truncate": "boolean",
    "dimensions": "integer",
    "options": "object",
}
NAMED: Fields = {"model": "string", "name": "string", "stream": "boolean"}
SHOW: Fields = {**NAMED, "system": "string", "verbose": "boolean", "options": "object"}
COPY: Fields = {"source": "string", "destination": "string"}
CREATE: Fields = {
    **NAMED,
    **dict.fromkeys(("from", "template", "system", "quantize"), "string"),
    **dict.fromkeys(("files", "adapters", "parameters"), "object"),
    "messages": "array",
    "license": "",
}
_INTEGERS = ("top_k", "seed", "num_predict", "num_keep", "repeat_last_n", "num_ctx", "num_batch", "num_gpu", "main_gpu")
OPTIONS: Fields = {
    **dict.fromkeys((*_INTEGERS, "num_thread", "draft_num_predict"), "integer"),
    **dict.fromkeys(("temperature", "top_p", "min_p", "typical_p"), "float32"),
    **dict.fromkeys(("repeat_penalty", "presence_penalty", "frequency_penalty"), "float32"),
    "use_mmap": "boolean",
    "stop": "array",
}


class Refusal(Exception):
    """The server says no, with a status and a text; `late` is found when a stream has been prepared already."""

    def __init__(self, status: int, text: str, *, late: bool = False) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.late = late


def read_body(data: bytes, fields: Fields) -> Body:
    """The known fields of a body, names in lower case, nulls left out, `keep_alive` in seconds.

    Raises:
        Refusal: The body is no JSON object, or a field has a wrong type.
    """
    try:
        value = _decode(data.decode("utf-8", "replace")) if data.strip() else ""
    except (ValueError, RecursionError) as error:
        raise Refusal(400, f"invalid JSON in the request body: {error}") from None
    if not isinstance(value, (dict, type(None))):
        raise Refusal(400, "the request body must be a JSON object" if value else "missing request body")
    found = _known(value or {}, fields)
    if "messages" in found:
        found["messages"] = [_message(message) for message in found["messages"]]
    if "keep_alive" in found:
        found["keep_alive"] = _keep_alive(found["keep_alive"])
    if "think" in found:
        _check_think(found["think"])
    return found


def _number(text: str) -> float:
    """A number of JSON that a float can be; ValueError for any other, and for NaN, which is none."""
    if not math.isfinite(float(text)):
        raise ValueError(f"a number is out of range: {text[:20]}")
    return int(text) if text.lstrip("-").isdecimal() else float(text)


_decode = json.JSONDecoder(parse_int=_number, parse_float=_number, parse_constant=_number).decode


def _known(value: Mapping[str, Any], fields: Fields) -> Body:
    found = {name.lower(): item for name, item in value.items() if name.lower() in fields and item is not None}
    for name, item in found.items():
        if fields[name] and not _is(item, fields[name]):
            raise Refusal(400, f"{name} must be of type {fields[name]}")
    return found


def _is(value: object, kind: str) -> bool:
    return isinstance(value, _TYPES[kind]) and isinstance(value, bool) == (kind == "boolean")


def _message(value: object) -> Body:
    if not isinstance(value, dict):
        raise Refusal(400, "a message must be of type object")
    message = _known(value, MESSAGE)
    return {**message, "role": str(message.get("role", "")).lower()}


def _keep_alive(value: object) -> float:
    """Seconds; infinity for ever (protocol.md §4)."""
    if not isinstance(value, str) and not _is(value, "float32"):
        raise Refusal(400, "keep_alive must be a duration such as 5m, or a number of seconds")
    try:
        seconds = go_duration(value) if isinstance(value, str) else float(value)  # type: ignore[arg-type]
    except ValueError as error:
        raise Refusal(400, str(error)) from None
    return math.inf if seconds < 0 else seconds


def _check_think(value: object) -> None:
    choices = 'must be "high", "medium", "low", "max", true, or false'
    if isinstance(value, str) and value not in _LEVELS:
        raise Refusal(400, f"invalid think value: {quoted(value)} ({choices})")
    if not isinstance(value, (bool, str)):
        raise Refusal(400, f"think {choices}")


def check_options(options: object) -> Body:
    """The known options that are set; one of a wrong type is a 500, as on a real server."""
    found: Body = {}
    for key, value in options.items() if isinstance(options, dict) else ():
        wanted = OPTIONS.get(key)
        if wanted is None or value is None:
            continue
        if not _is(value, wanted):
            raise Refusal(500, f"option {quoted(key)} must be of type {wanted}")
        if wanted == "array" and not all(isinstance(item, str) for item in value):
            raise Refusal(500, f"option {quoted(key)} must be of an array of strings")
        found[key] = int(value) if wanted == "integer" else value
    return found


def check_format(value: object) -> None:
    """Refusal for a `format` that is neither `json` nor a schema nor nothing."""
    if value is not None and value not in ("", "json") and not isinstance(value, dict):
        choices = 'expected "json" or a valid JSON Schema object'
        raise Refusal(500, f"invalid format: {quoted(go_json(value))}; {choices}", late=True)
