"""What an answer must look like: the schema that is sent with the request, and the value that its text is."""

from __future__ import annotations

import os
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

from ollama_magic.answer_types.answer_json import NoJson, read_json
from ollama_magic.answer_types.problems import invalid
from ollama_magic.answer_types.python_types import adapter_of, label_of
from ollama_magic.answer_types.raw_schemas import check_schema, plain_schema, read_schema_file, validate_by_schema
from ollama_magic.answer_types.type_names import is_type, type_named
from ollama_magic.errors import InputError
from ollama_magic.foreign import one_line

T = TypeVar("T")
JSON = "json"


@dataclass(frozen=True)
class AnswerFormat(Generic[T]):
    """What an answer must look like.

    Attributes:
        schema: What is sent as `format`: "json", or a JSON Schema.
        label: How it is called in a line, such as `list[City]`.
        element: The format of each element, where the answer is a list of a type.
    """

    schema: str | Mapping[str, Any]
    label: str
    read: Callable[[str, str, str], T]
    element: AnswerFormat[Any] | None = None

    def validate(self, text: str, whole: str = "", at: str = "") -> T:
        """Return the value that a text is. The type's own code runs in the thread that calls.

        Args:
            text: The answer; JSON alone, or in the only code fence of it.
            whole: How the whole is called, where this is a part of it.
            at: The place of this part in the whole, such as "[2]".

        Raises:
            AnswerInvalid: It is no such value; the line names the first place that is wrong.
        """
        return self.read(text, whole or self.label, at)


def answer_format(source: object) -> AnswerFormat[Any]:
    """Return the format that something stands for.

    Args:
        source: "json", the path of a JSON Schema, a schema as a dict, or a type: a pydantic model, dataclass,
            TypedDict, NamedTuple, Enum, Literal, list[T], dict[str, T], a union of such.

    Raises:
        InputError: It is none of these, the type cannot come from JSON, or pydantic is not installed.
    """
    if isinstance(source, AnswerFormat):
        return source
    if isinstance(source, str) and source == JSON:  # an array compares its items
        return AnswerFormat(JSON, "JSON", _any_json)
    if isinstance(source, Mapping):
        return schema_format(source)
    if isinstance(source, os.PathLike) or (isinstance(source, str) and is_schema_path(source)):
        path = os.fspath(source)
        return schema_format(read_schema_file(str(path)), os.path.basename(str(path)))  # noqa: PTH119
    if not is_type(source):
        shown = repr(one_line(source, 40)) if isinstance(source, str) else one_line(type(source).__name__, 40)
        raise InputError(
            f"format is 'json', a type such as list[str], or a JSON Schema as a dict or path, not {shown}."
        )
    schema, read = adapter_of(source)
    arguments = typing.get_args(source)
    listed = typing.get_origin(source) is list and len(arguments) == 1
    element = answer_format(arguments[0]) if listed and is_type(arguments[0]) else None
    return AnswerFormat(schema or JSON, label_of(source), read, element)


def schema_format(schema: Mapping[str, Any], label: str = "") -> AnswerFormat[Any]:
    """Return the format of a JSON Schema; `jsonschema` validates when the value is asked for, and may be missing."""
    plain = plain_schema(schema)
    title = plain.get("title")
    label = label or (title if isinstance(title, str) and title else "value of its schema")
    return AnswerFormat(plain, one_line(label, 60), partial(validate_by_schema, plain))


def format_named(text: str, variables: Mapping[str, object]) -> AnswerFormat[Any]:
    """Return the format that stands behind `-f`: json, a path to a JSON Schema, or a type of the notebook.

    Raises:
        InputError: It is none of these, or what validates it is not installed: nothing is to be sent then.
    """
    source = text if text == JSON or is_schema_path(text) else type_named(text, variables)
    found = answer_format(source)
    if isinstance(source, str | dict) and isinstance(found.schema, Mapping):
        check_schema(found.schema)
    return found


def is_schema_path(text: str) -> bool:
    """Whether a text is written like the path of a JSON Schema."""
    return text.lower().endswith((".json", ".schema")) or text.startswith(("~", "./", "../", "/"))


def _any_json(text: str, label: str, at: str) -> Any:
    try:
        return read_json(text, strict=True)[0]
    except NoJson as error:
        raise invalid(label, str(error), at) from None
