"""Types of Python as formats: their JSON Schema, and the value of an answer, both through pydantic's `TypeAdapter`."""

from __future__ import annotations

import sys
import types
import typing
import warnings
from functools import partial
from typing import TYPE_CHECKING, Any

from ollama_magic.answer_types.answer_json import NoJson, read_json
from ollama_magic.answer_types.problems import held, invalid, place_of
from ollama_magic.answer_types.raw_schemas import EXTRA
from ollama_magic.errors import AnswerInvalid, InputError
from ollama_magic.foreign import message_of, one_line

if TYPE_CHECKING:
    from collections.abc import Callable


def label_of(kind: Any) -> str:
    """Return how a type is called: `City`, `list[City]`, `Literal['a', 'b']`."""
    arguments, origin = typing.get_args(kind), typing.get_origin(kind)
    if kind in (None, ...) or kind is type(None):
        return "None" if kind is not ... else "..."
    if not arguments or origin is None:
        return one_line(getattr(kind, "__name__", None) or str(kind).removeprefix("typing."), 60)
    if origin is typing.Annotated:  # by its type: what is annotated may be a function, with an address
        return label_of(arguments[0])
    if origin in (typing.Union, types.UnionType):
        return " | ".join(map(label_of, arguments))
    name = getattr(origin, "__name__", "") or str(origin).removeprefix("typing.")
    literal = origin is typing.Literal
    return f"{name}[{', '.join(repr(one) if literal else label_of(one) for one in arguments)}]"


def adapter_of(kind: Any) -> tuple[dict[str, Any], Callable[[str, str, str], Any]]:
    """Return the schema of a type, and what validates JSON text and names a type in its errors.

    Raises:
        InputError: pydantic is not installed, or the type cannot come from JSON.
    """
    try:
        from pydantic import TypeAdapter
    except ImportError:
        raise InputError(f"A type as a format needs pydantic 2, which is not installed; {EXTRA}.") from None
    label = label_of(kind)
    try:
        with held(label), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            adapter = TypeAdapter(modern(kind, 0))
            schema = adapter.json_schema(schema_generator=_generator())
    except AnswerInvalid as error:
        cause = error.__cause__ or error
        why = one_line(message_of(cause).partition("\n")[0] or type(cause).__name__, 150).rstrip(".")
        raise InputError(f"{one_line(label, 60)} cannot be the format of an answer: {why}.") from None
    return schema, partial(_validate, adapter)


def _validate(adapter: Any, text: str, label: str, at: str) -> Any:
    from pydantic import ValidationError

    try:
        value, part = read_json(text, strict=True)
    except NoJson as error:
        raise invalid(label, f"it is not JSON ({error})", at) from None
    with held(label):
        try:
            return adapter.validate_json(part)
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False)[0]
            raise invalid(label, first["msg"], place_of(first["loc"], value, at)) from None


def _generator() -> Any:
    from pydantic.json_schema import GenerateJsonSchema

    class Schema(GenerateJsonSchema):
        """Servers make a grammar of a schema: a decimal number is a number there, for its pattern cannot be one."""

        def decimal_schema(self, schema: Any) -> dict[str, Any]:
            bounds = {name: float(schema[name]) for name in ("gt", "ge", "lt", "le") if schema.get(name) is not None}
            return self.float_schema({"type": "float", **bounds})  # type: ignore[typeddict-item]

        def generator_schema(self, schema: Any) -> dict[str, Any]:
            del schema
            raise TypeError("the items of an Iterable or a Generator would never be validated; write list instead")

    return Schema


def modern(kind: Any, depth: int) -> Any:
    """Before Python 3.12, pydantic takes `typing_extensions.TypedDict` alone: make one of `typing.TypedDict`."""
    if sys.version_info >= (3, 12) or depth > 20:
        return kind
    if typing.is_typeddict(kind) and type(kind).__module__ == "typing":
        from typing_extensions import TypedDict

        hints = typing.get_type_hints(kind, include_extras=True)
        required = {name: name in kind.__required_keys__ for name in hints}
        fields = {name: _in_dict(modern(hint, depth + 1), required[name]) for name, hint in hints.items()}
        made: Any = TypedDict(kind.__name__, fields)  # type: ignore[misc]
        made.__doc__, made.__module__ = kind.__doc__, kind.__module__
        return made
    arguments = typing.get_args(kind)
    newer = tuple(modern(one, depth + 1) for one in arguments)
    if newer == arguments or typing.get_origin(kind) in (typing.Literal, None):
        return kind
    if isinstance(kind, types.UnionType):
        return typing.Union[newer]  # noqa: UP007
    return kind.copy_with(newer) if hasattr(kind, "copy_with") else typing.get_origin(kind)[newer]


def _in_dict(hint: Any, required: bool) -> Any:
    from typing_extensions import NotRequired, Required

    bare = typing.get_args(hint)[0] if str(typing.get_origin(hint)).endswith("equired") else hint
    return Required[bare] if required else NotRequired[bare]
