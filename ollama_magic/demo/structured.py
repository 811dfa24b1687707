"""Replies where JSON was asked for: the smallest value that fits a schema."""

from __future__ import annotations

import json

_SIMPLE: dict[object, object] = {"integer": 1, "number": 1.5, "boolean": True, "null": None}


def example(form: object, label: str) -> str:
    """JSON text for `format`: an object for `"json"`, else a value of the schema; its texts are the label."""
    if not isinstance(form, dict):
        return json.dumps({"reply": label}, ensure_ascii=False)
    return json.dumps(example_value(form, label), ensure_ascii=False)


def example_value(schema: object, label: str) -> object:
    """The smallest value of a schema; its texts are the label."""
    if not isinstance(schema, dict):
        return label
    if "const" in schema or schema.get("enum"):
        return schema["const"] if "const" in schema else schema["enum"][0]
    for choices in (schema.get("anyOf"), schema.get("oneOf")):
        if choices:
            return example_value(choices[0], label)
    kind = schema.get("type", "object" if "properties" in schema else "string")
    if isinstance(kind, list):
        kind = kind[0]
    if kind == "object":
        return {name: example_value(part, label) for name, part in schema.get("properties", {}).items()}
    if kind == "array":
        return [example_value(schema.get("items"), label)] * max(1, schema.get("minItems", 1))
    return _SIMPLE.get(kind, label)
