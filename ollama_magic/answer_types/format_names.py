"""What Tab offers behind `-f`: the notebook's types and schemas, found without running any of their code."""

from __future__ import annotations

import enum
import inspect
import re
import typing
from typing import TYPE_CHECKING

from ollama_magic.answer_types.type_names import is_class, is_type

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

INNER = ("str", "int", "float", "bool", "list", "dict")  # offered within brackets
_TAIL = re.compile(r"\w*\Z")
_OPEN = re.compile(r"[\[,|]\s*\w*\Z")
_MARKS = ("__dataclass_fields__", "__pydantic_fields__", "__required_keys__")
_OF_SCHEMAS = ("type", "properties", "anyOf", "enum", "$ref")


def format_names(typed: str, variables: Mapping[str, object], hidden: Mapping[str, object]) -> tuple[str, list[str]]:
    """Return the end of `typed` that is to be replaced, and the names that may stand there.

    Args:
        typed: What stands behind `-f` so far.
        variables: Those of the notebook.
        hidden: Those of them that are not the user's own.
    """
    match = _TAIL.search(typed)
    end = match[0] if match else ""
    inside = _OPEN.search(typed) is not None
    own = sorted(name for name, value in list(variables.items()) if _fits(name, value) and name not in hidden)
    names = [*own, *INNER] if inside else ["json", *own]
    return (end if inside else typed), [name for name in names if name.startswith(end if inside else typed)]


def _fits(name: object, value: object) -> bool:
    if type(name) is not str or name.startswith("_"):
        return False
    if type(value) is dict:
        return any(key in value for key in _OF_SCHEMAS)
    return any(_kinds(value)) if is_type(value) else False


def _kinds(value: object) -> Iterator[bool]:
    """Whether it is a type that is made for values, not just any class."""
    if not is_class(value):
        yield bool(typing.get_args(value))
        return
    assert isinstance(value, type)
    yield issubclass(type(value), enum.EnumMeta) and bool(inspect.getattr_static(value, "_member_map_", None))
    yield any(inspect.getattr_static(value, mark, None) is not None for mark in _MARKS)
    yield type.__subclasscheck__(tuple, value) and inspect.getattr_static(value, "_fields", None) is not None
