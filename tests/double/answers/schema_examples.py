"""Replies where JSON was asked for: a small value that fits a schema; no I/O."""

from __future__ import annotations

import json
from typing import Any

Schema = Any  # JSON that a client sent
_SIMPLE: dict[str, object] = {"boolean": True, "null": None}
_KINDS = ("object", "array", "string", "integer", "number", "boolean", "null")
_FORMATS = {
    "date": "2025-04-22",
    "date-time": "2025-04-22T10:00:00Z",
    "time": "10:00:00Z",
    "email": "ada@example.org",
    "uri": "https://example.org/",
    "uuid": "123e4567-e89b-12d3-a456-426614174000",
}


class BadSchema(Exception):
    """The schema cannot be used; the text is the runner's."""


def example(form: object, label: str) -> str:
    """JSON text for `format`: an object for `"json"`, else a value of the schema; its texts are the label.

    BadSchema if there is none.
    """
    if not isinstance(form, dict):
        return json.dumps({"reply": label}, ensure_ascii=False)
    return json.dumps(example_value(form, label, form), ensure_ascii=False)


def example_value(schema: Schema, label: str, root: Schema = None, depth: int = 0) -> object:
    """The smallest value of a schema, its texts the label; references are looked up in `root`."""
    if not isinstance(schema, dict) or depth > 20:
        return label
    for key in ("const", "default"):
        if key in schema:
            return schema[key]
    if schema.get("enum"):
        return schema["enum"][0]
    if "$ref" in schema:
        return example_value(_referred(str(schema["$ref"]), root), label, root, depth + 1)
    for choices in (schema.get("anyOf"), schema.get("oneOf")):
        if choices:
            return example_value(choices[0], label, root, depth + 1)
    if schema.get("allOf"):
        schema = _merged([_resolved(part, root) for part in schema["allOf"]], schema)
    return _of_kind(_kind(schema), schema, label, root, depth)


def _kind(schema: Schema) -> str:
    kind = schema.get("type", "object" if "properties" in schema else "array" if "items" in schema else "string")
    kind = kind[0] if isinstance(kind, list) and kind else kind
    if kind not in _KINDS:
        raise BadSchema(f"JSON schema error at #: unrecognized type {kind}")
    return str(kind)


def _of_kind(kind: str, schema: Schema, label: str, root: Schema, depth: int) -> object:
    if kind == "object":
        parts = schema.get("properties", {}).items()
        required = schema.get("required", [])
        kept = [(name, part) for name, part in parts if depth < 6 or name in required]  # a tree ends somewhere
        return {name: example_value(part, label, root, depth + 1) for name, part in kept}
    if kind == "array":
        return _items(schema, label, root, depth)
    if kind in ("integer", "number"):
        return _number(kind, schema)
    if kind == "string":
        return _text(schema, label)
    return _SIMPLE[kind]


def _items(schema: Schema, label: str, root: Schema, depth: int) -> list[object]:
    first = [example_value(part, label, root, depth + 1) for part in schema.get("prefixItems", [])]
    least = schema.get("minItems", 1 if depth < 6 else 0)
    wanted = min(max(least, len(first)), schema.get("maxItems", 1_000))
    return [*first, *(example_value(schema.get("items"), label, root, depth + 1) for _ in range(wanted - len(first)))]


def _number(kind: str, schema: Schema) -> float:
    low = schema.get("minimum", schema.get("exclusiveMinimum"))
    high = schema.get("maximum", schema.get("exclusiveMaximum"))
    value = 1 if kind == "integer" else 1.5
    step = 1 if kind == "integer" else 0.5
    if low is not None and value < low + (step if "exclusiveMinimum" in schema else 0):
        value = low + (step if "exclusiveMinimum" in schema else 0)
    if high is not None and value > high - (step if "exclusiveMaximum" in schema else 0):
        value = high - (step if "exclusiveMaximum" in schema else 0)
    return int(value) if kind == "integer" else value


def _text(schema: Schema, label: str) -> str:
    text = _FORMATS.get(str(schema.get("format")), label)
    least, most = schema.get("minLength", 0), schema.get("maxLength", 10_000)
    return str((text + "." * (least - len(text)))[:most])


def _referred(reference: str, root: Schema) -> Schema:
    found = root
    for part in reference.lstrip("#").strip("/").split("/"):
        if part and (not isinstance(found, dict) or part not in found):
            path = reference.removeprefix("#")
            raise BadSchema(f"JSON schema error at #: cannot resolve $ref #{path}, {part} not found")
        found = found[part] if part else found
    return found


def _resolved(part: Schema, root: Schema) -> Schema:
    return _referred(str(part["$ref"]), root) if isinstance(part, dict) and "$ref" in part else part


def _merged(parts: list[Schema], schema: Schema) -> Schema:
    merged = {key: value for key, value in schema.items() if key != "allOf"}
    for part in parts:
        for key, value in part.items() if isinstance(part, dict) else ():
            both = isinstance(value, dict) and isinstance(merged.get(key), dict)
            merged[key] = {**merged[key], **value} if both else value
    return merged
