"""Reads tool calls out of a server's JSON: whatever is wrong with one is noted in it, and it will not run."""

from __future__ import annotations

import json
from collections.abc import Mapping

from ollama_magic.foreign import one_line, repaired
from ollama_magic.ollama.messages import ToolCall

DEEPEST = 32  # levels of arguments
LONGEST = 200_000  # characters of arguments as JSON
_NAME, _ID = 200, 200


def calls_from(value: object) -> tuple[ToolCall, ...]:
    """Return the calls of a message's `tool_calls`; a call with a problem has no arguments."""
    if not isinstance(value, list):
        return (ToolCall("", problem="the calls are not a list"),) if value else ()
    return tuple(_call(one) for one in value)


def _call(value: object) -> ToolCall:
    function = value.get("function") if isinstance(value, Mapping) else None
    if not isinstance(value, Mapping) or not isinstance(function, Mapping):
        return ToolCall("", problem="the call has no function")
    name, identity = function.get("name"), value.get("id")
    arguments, problem = _arguments(function.get("arguments"))
    if not isinstance(name, str) or not name:
        name, problem = "", "the call has no name"
    return ToolCall(
        name=repaired(name)[:_NAME],
        arguments=arguments,
        id=one_line(identity, _ID) if isinstance(identity, str) else "",
        problem=problem,
    )


def _arguments(value: object) -> tuple[dict[str, object], str]:
    """Return arguments that can be sent back, and what is wrong with them."""
    if value is None:
        return {}, ""
    if not isinstance(value, Mapping):
        kind = "a text" if isinstance(value, str) else "a list" if isinstance(value, list) else "no object"
        return {}, f"the arguments are {kind}, not an object"
    if _deeper(value, DEEPEST):
        return {}, f"the arguments are nested more than {DEEPEST} levels deep"
    try:
        text = repaired(json.dumps(value, ensure_ascii=False, allow_nan=False))
    except ValueError:
        return {}, "the arguments contain a number that JSON does not have"
    if len(text) > LONGEST:
        return {}, f"the arguments have {len(text):,} characters, and at most {LONGEST:,} are read"
    found: dict[str, object] = json.loads(text)
    return found, ""


def _deeper(value: object, levels: int) -> bool:
    if not isinstance(value, Mapping | list):
        return False
    items = value.values() if isinstance(value, Mapping) else value
    return levels == 0 or any(_deeper(one, levels - 1) for one in items)
