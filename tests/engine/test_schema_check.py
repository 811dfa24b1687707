"""Schemas that llama.cpp would ignore are refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ollama_magic.demo.engine.schema_check import check_schema
from ollama_magic.demo.language_model import ModelError

PERSON = {
    "type": "object",
    "properties": {"name": {"type": ["string", "null"], "pattern": "^[A-Z]"}, "boss": {"$ref": "#"}},
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    "schema", [{}, PERSON, {"$ref": "#/$defs/a~1b", "$defs": {"a/b": PERSON}}, {"anyOf": [PERSON, {"enum": [1, "a"]}]}]
)
def test_schemas(schema: dict[str, Any]) -> None:
    """References within the schema, several types, and schemas within schemas are fine."""
    check_schema(schema)


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        ({"type": "nonsense"}, "#: unrecognized type nonsense"),
        ({"$ref": "#/nowhere"}, "#: cannot resolve $ref #/nowhere"),
        ({"$ref": "http://example.com/schema"}, "#: cannot resolve $ref http://example.com/schema"),
        ({"items": {"type": 5}}, "#/items: unrecognized type 5"),
        ({"properties": {"a": {"anyOf": [{}, {"pattern": "(["}]}}}, "#/properties/a/anyOf/1: pattern is no regular"),
        ({"properties": 5}, "#: properties is no object"),
        ({"enum": 5}, "#: enum is no array"),
        ({"items": [1]}, "#/items: no schema"),
    ],
)
def test_what_is_none(schema: dict[str, Any], reason: str) -> None:
    """A part that cannot be read is named with its place, in the words of llama.cpp's server."""
    with pytest.raises(ModelError) as refused:
        check_schema(schema)
    error = json.loads(refused.value.text)["error"]
    assert (refused.value.status, error["type"]) == (400, "invalid_request_error")
    assert f"JSON schema error at {reason}" in error["message"]


def test_a_schema_without_end() -> None:
    """A schema that is nested too deeply is refused."""
    schema: dict[str, Any] = {}
    for _ in range(500):
        schema = {"items": schema}
    with pytest.raises(ModelError, match="nested too deeply"):
        check_schema(schema)
