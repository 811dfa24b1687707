"""Whether a JSON schema can constrain an answer: llama.cpp ignores one that it cannot read; no I/O."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from ollama_magic.demo.language_model import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_TYPES = ("object", "array", "string", "number", "integer", "boolean", "null")
_OF_NAMES = ("properties", "$defs", "definitions", "patternProperties")
_OF_SCHEMAS = ("anyOf", "oneOf", "allOf", "prefixItems")
_ONE_SCHEMA = ("items", "additionalProperties", "not")
_DEEPEST = 64


def check_schema(schema: Mapping[str, Any]) -> None:
    """Check a schema and those within it.

    Raises:
        ModelError: A type, reference, pattern or part is none; the text is that of llama.cpp's server.
    """
    for problem in _problems(schema, schema, "#", 0):
        reason = f"JSON schema error at {problem}"
        message = f"Field 'json_schema': \"json_schema\": JSON schema conversion failed:\n{reason}"
        error = {"code": 400, "message": message, "type": "invalid_request_error"}
        raise ModelError(400, json.dumps({"error": error}, ensure_ascii=False, separators=(",", ":")))


def _problems(schema: Any, root: Mapping[str, Any], place: str, depth: int) -> Iterator[str]:
    if isinstance(schema, bool):
        return
    if not isinstance(schema, dict) or depth > _DEEPEST:
        yield f"{place}: {'it is nested too deeply' if isinstance(schema, dict) else 'no schema'}"
        return
    yield from _own_problems(schema, root, place)
    for key, part in _parts(schema):
        yield from _problems(part, root, f"{place}/{key}", depth + 1)


def _own_problems(schema: Mapping[str, Any], root: Mapping[str, Any], place: str) -> Iterator[str]:
    types = schema.get("type", [])
    for one in types if isinstance(types, list) else [types]:
        if one not in _TYPES:
            yield f"{place}: unrecognized type {one}"
    if "$ref" in schema and not _resolves(schema["$ref"], root):
        yield f"{place}: cannot resolve $ref {schema['$ref']}"
    try:
        re.compile(schema.get("pattern", ""))
    except (re.error, TypeError):
        yield f"{place}: pattern is no regular expression"
    for key, kind in (*((name, dict) for name in _OF_NAMES), *((name, list) for name in (*_OF_SCHEMAS, "enum"))):
        if not isinstance(schema.get(key, kind()), kind):
            yield f"{place}: {key} is no {'object' if kind is dict else 'array'}"


def _parts(schema: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The schemas right within a schema."""
    for key in _OF_NAMES:
        parts = schema.get(key)
        yield from ((f"{key}/{name}", part) for name, part in (parts.items() if isinstance(parts, dict) else ()))
    for key in _OF_SCHEMAS:
        parts = schema.get(key)
        yield from ((f"{key}/{at}", part) for at, part in enumerate(parts if isinstance(parts, list) else ()))
    yield from ((key, schema[key]) for key in _ONE_SCHEMA if key in schema)


def _resolves(reference: Any, root: Mapping[str, Any]) -> bool:
    """Whether a reference leads to a place in the same schema; nothing is fetched."""
    if not isinstance(reference, str) or not reference.startswith("#"):
        return False
    found: Any = root
    for step in filter(None, reference[1:].split("/")):
        name = step.replace("~1", "/").replace("~0", "~")
        if not isinstance(found, dict) or name not in found:
            return False
        found = found[name]
    return True
