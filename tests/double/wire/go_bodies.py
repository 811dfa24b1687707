"""Request bodies: which fields there are, of what type, and what the server says when they are not; no I/O."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from ollama_magic.demo.transport.go_format import go_json, quoted
from tests.double.wire.go_errors import go_duration, read_json
from tests.double.wire.go_fields import MESSAGE, OPTIONS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.double.wire.go_fields import Kind

Body = dict[str, object]
_LEVELS = ("high", "medium", "low", "max")


class Refusal(Exception):
    """The server says no, with a status and a text; `late` is found when a stream has been prepared already."""

    def __init__(self, status: int, text: str, *, late: bool = False) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.late = late


def read_body(body: bytes, kind: Kind) -> Body:
    """The known fields of a body, names in lower case, nulls left out; Refusal with Go's text otherwise."""
    try:
        value = read_json(body)
    except ValueError as error:
        raise Refusal(400, str(error)) from None
    struct, fields = kind
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Refusal(400, f"json: cannot unmarshal {_kind(value)} into Go value of type api.{struct}")
    found = _fields(value, fields, f"{struct}.")
    if "messages" in found:
        found["messages"] = [_message(message, struct) for message in _list(found["messages"])]
    _read_scalars(found)
    return found


def _fields(value: Mapping[str, object], fields: Mapping[str, tuple[str, str]], path: str) -> Body:
    found: Body = {}
    for name, item in value.items():
        key = name.lower()
        if key not in fields or item is None:
            continue
        wanted, go_type = fields[key]
        if wanted and _kind(item) != wanted:
            text = f"json: cannot unmarshal {_kind(item)} into Go struct field {path}{key} of type {go_type}"
            raise Refusal(400, text)
        found[key] = item
    return found


def _message(value: object, struct: str) -> Body:
    if value is None:
        return {}
    if not isinstance(value, dict):
        text = f"json: cannot unmarshal {_kind(value)} into Go struct field {struct}.messages of type api.Message"
        raise Refusal(400, text)
    message = _fields(value, MESSAGE, f"{struct}.messages.")
    if "role" in message:
        message["role"] = str(message["role"]).lower()
    for image in _list(message.get("images")):
        check_image(image)
    for call in _list(message.get("tool_calls")):
        function = call.get("function") if isinstance(call, dict) else None
        if isinstance(function, dict) and isinstance(function.get("arguments"), str):
            raise Refusal(400, "Value looks like object, but can't find closing '}' symbol")
    return message


def check_image(image: object) -> None:
    """Refusal for what is no base64, in Go's words; a data URL is none."""
    text = re.sub(r"[\r\n]", "", str(image))
    good = re.match(r"[A-Za-z0-9+/]*", text)
    end = good.end() if good else 0
    if text[end:] != "=" * (-end % 4) or end % 4 == 1:
        raise Refusal(400, f"illegal base64 data at input byte {end}")


def _read_scalars(found: Body) -> None:
    if "keep_alive" in found:
        found["keep_alive"] = _keep_alive(found["keep_alive"])
    if "think" in found:
        _check_think(found["think"])
    top = found.get("top_logprobs", 0)
    if isinstance(top, (int, float)) and not 0 <= top <= 20:
        raise Refusal(400, "top_logprobs must be between 0 and 20")


def _keep_alive(value: object) -> float:
    """Seconds; infinity for ever (protocol.md §4)."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        name = {"bool": "bool", "array": "[]interface {}", "object": "map[string]interface {}"}[_kind(value)]
        raise Refusal(400, f"Unsupported type: '{name}'")
    try:
        seconds = go_duration(value) if isinstance(value, str) else float(value)
    except ValueError as error:
        raise Refusal(400, str(error)) from None
    return math.inf if seconds < 0 else seconds


def _check_think(value: object) -> None:
    choices = 'must be "high", "medium", "low", "max", true, or false'
    if isinstance(value, bool) or value in _LEVELS:
        return
    if isinstance(value, str):
        raise Refusal(400, f"invalid think value: {quoted(value)} ({choices})")
    raise Refusal(400, 'think must be a boolean or string ("high", "medium", "low", "max", true, or false)')


def check_options(options: object) -> Body:
    """The known options that are set; one of a wrong type is a 500, as on the real server."""
    found: Body = {}
    for key, value in options.items() if isinstance(options, dict) else ():
        wanted = OPTIONS.get(key)
        if wanted is None or value is None:
            continue
        kinds = {"integer": "number", "float32": "number", "boolean": "bool", "array": "array"}
        if _kind(value) != kinds[wanted]:
            raise Refusal(500, f"option {quoted(key)} must be of type {wanted}")
        if wanted == "array" and not all(isinstance(item, str) for item in _list(value)):
            raise Refusal(500, f"option {quoted(key)} must be of an array of strings")
        found[key] = int(value) if wanted == "integer" else value
    return found


def check_format(value: object) -> None:
    """`json`, a schema, nothing; all else is a 500."""
    if value is None or value in ("", "json") or isinstance(value, dict):
        return
    raise Refusal(
        500, f'invalid format: {quoted(go_json(value))}; expected "json" or a valid JSON Schema object', late=True
    )


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _kind(value: object) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, str):
        return "string"
    if isinstance(value, (int, float)):
        return "number"
    return "array" if isinstance(value, list) else "object"
