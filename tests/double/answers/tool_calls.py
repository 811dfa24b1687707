"""Scripted calls of tools: those a prompt names, with arguments taken from its numbers and names; no I/O."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.double.answers.deltas import Call
from tests.double.answers.schema_examples import example_value

if TYPE_CHECKING:
    from collections.abc import Sequence

_PARTS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|\d+")
_NAME = re.compile(r"(?<!^)(?<![.!?] )\b[A-Z][\w-]+|[\"'“](.+?)[\"'”]")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_MANNERS = frozenset({"get", "set", "the", "and", "for", "tool", "call", "use", "find", "make", "run", "two"})
_OTHER_WORDS = {
    "add": {"plus", "sum", "total", "+"},
    "subtract": {"minus", "difference"},
    "multiply": {"times", "product"},
    "time": {"clock", "hour"},
    "weather": {"temperature", "forecast", "rain"},
    "search": {"find", "look"},
}


def calls_for(prompt: str, tools: Sequence[object]) -> tuple[Call, ...]:
    """A call of every tool that the prompt has a word of; nothing if it has none."""
    functions = [
        tool["function"] for tool in tools if isinstance(tool, dict) and isinstance(tool.get("function"), dict)
    ]
    said = set(re.findall(r"\w+", prompt.lower()))
    named = [one for one in functions if _words(str(one.get("name", ""))) & said]
    return tuple(Call(str(one["name"]), _arguments(prompt, one.get("parameters"))) for one in named)


def _words(name: str) -> set[str]:
    words = {part.lower() for part in _PARTS.findall(name) if len(part) > 2} - _MANNERS
    return words.union(*(_OTHER_WORDS.get(word, set()) for word in words))


def _arguments(prompt: str, parameters: object) -> dict[str, object]:
    """Numbers and names of the prompt in their order, for the properties in theirs."""
    numbers = [float(one) for one in _NUMBER.findall(prompt)]
    names = [match.group(1) or match.group() for match in _NAME.finditer(prompt)]
    properties = parameters.get("properties") if isinstance(parameters, dict) else None
    found: dict[str, object] = {}
    for name, schema in (properties or {}).items() if isinstance(properties, dict) else ():
        kind = schema.get("type") if isinstance(schema, dict) else None
        if kind in ("integer", "number") and numbers:
            number = numbers.pop(0)
            found[name] = int(number) if kind == "integer" or number == int(number) else number
        elif kind == "string" and not schema.get("enum") and names:
            found[name] = names.pop(0)
        else:
            found[name] = example_value(schema, "demo")
    return found
