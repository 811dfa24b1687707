"""JSON Schemas as Ollama takes them for a tool's parameters: without references, and with the fields that it keeps.

Ollama drops all other fields (protocol.md §9.1), so a format such as `date` goes into the description.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_DEEPEST = 20


def plain_property(schema: Mapping[str, Any]) -> dict[str, object]:
    """Return a schema with its references resolved.

    Raises:
        RecursionError: A type contains itself.
    """
    return _plain(schema, schema.get("$defs", {}), ())


def _plain(schema: Mapping[str, Any], types: Mapping[str, Any], inside: tuple[str, ...]) -> dict[str, object]:
    if "$ref" in schema:
        name = str(schema["$ref"]).rpartition("/")[2]
        if name in inside or len(inside) > _DEEPEST:
            raise RecursionError(f"{name} contains itself")
        outer = {key: value for key, value in schema.items() if key != "$ref"}
        return _plain({**types[name], **outer}, types, (*inside, name))
    options = [one for one in schema.get("anyOf", schema.get("oneOf", ())) if one.get("type") != "null"]
    if options:
        return _union([_plain(one, types, inside) for one in options], schema.get("description"))
    found: dict[str, object] = {}
    if "const" in schema or "enum" in schema:
        found["enum"] = schema.get("enum", [schema.get("const")])
    found["type"] = schema.get("type") or _type_of(found.get("enum"))
    if items := _items(schema):
        found["items"] = _plain(items, types, inside)
    if properties := schema.get("properties"):
        found["properties"] = {name: _plain(one, types, inside) for name, one in properties.items()}
        if schema.get("required"):
            found["required"] = list(schema["required"])
    if words := _description(schema):
        found["description"] = words
    return found


def _union(options: list[dict[str, object]], description: object) -> dict[str, object]:
    """Return one schema for several: a list of types where they are nothing but types."""
    if len(options) == 1:
        return {**options[0], **({"description": description} if description else {})}
    types = list(dict.fromkeys(str(one.get("type")) for one in options))
    simple = all(set(one) == {"type"} for one in options)
    found: dict[str, object] = {"type": types if len(types) > 1 else types[0]} if simple else {"anyOf": options}
    return {**found, "description": description} if description else found


def _items(schema: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the schema of the items of a list, or of a tuple whose places have schemas of their own."""
    places = schema.get("prefixItems")
    if places:
        return places[0] if all(one == places[0] for one in places) else {"anyOf": places}
    items = schema.get("items")
    return items if isinstance(items, Mapping) and items else None


def _type_of(values: object) -> object:
    names = {bool: "boolean", int: "integer", float: "number", str: "string"}
    kinds = list(dict.fromkeys(names.get(type(one), "string") for one in values)) if isinstance(values, list) else []
    return kinds[0] if len(kinds) == 1 else kinds or "string"


def _description(schema: Mapping[str, Any]) -> str:
    words, form = str(schema.get("description", "")), schema.get("format")
    return f"{words} ({form})".strip() if form else words
