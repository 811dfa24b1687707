"""The arguments of a tool: their JSON Schema for the model, and their validation by pydantic before a call."""

from __future__ import annotations

import json
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ollama_magic.answer_types.python_types import label_of, modern
from ollama_magic.answer_types.raw_schemas import EXTRA
from ollama_magic.errors import InputError
from ollama_magic.foreign import one_line
from ollama_magic.tools.parameters import refusal
from ollama_magic.tools.schemas import plain_property

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ollama_magic.tools.parameters import Parameter

_SHOWN = 3  # problems in one line


class BadArguments(Exception):  # no error of a turn: the model is sent its text
    """Why the arguments of a call do not fit."""


@dataclass(frozen=True)
class Arguments:
    """What the arguments of a call must be."""

    parameters: tuple[Parameter, ...]
    adapter: Any
    properties: Mapping[str, Mapping[str, object]]

    @property
    def schema(self) -> dict[str, object]:
        """The JSON Schema of all arguments, as Ollama takes it (protocol.md §9.1)."""
        required = [one.name for one in self.parameters if one.required]
        found: dict[str, object] = {"type": "object", "properties": dict(self.properties)}
        return {**found, "required": required} if required else found

    def validated(self, sent: Mapping[str, object]) -> tuple[list[object], dict[str, object]]:
        """Return the positional and the named arguments of a call; types of the user may run code of theirs.

        Raises:
            BadArguments: They do not fit; the line says what is wrong.
        """
        from pydantic import ValidationError

        place: tuple[str, ...] = ()  # within the arguments, of what is validated
        try:
            found: dict[str, object] = self.adapter.validate_json(json.dumps(sent))
            for name, value in found.items():
                place = (name,)
                found[name] = _listed(value)
        except ValidationError as error:
            problems = error.errors(include_url=False, include_context=False)
            raise BadArguments(self._problems([{**one, "loc": (*place, *one["loc"])} for one in problems])) from None
        except Exception as error:
            raise BadArguments(f"the arguments cannot be read ({type(error).__name__})") from error
        defaults = {one.name: one.default for one in self.parameters if not one.required}
        found = {**defaults, **found}
        return [found.pop(one.name) for one in self.parameters if one.positional], found

    def _problems(self, errors: Sequence[Any]) -> str:
        shown = [self._problem(error["type"], error["loc"], error["msg"]) for error in errors[:_SHOWN]]
        more = f"; and {len(errors) - _SHOWN} more" if len(errors) > _SHOWN else ""
        return "; ".join(shown) + more

    def _problem(self, kind: str, place: Sequence[object], message: str) -> str:
        name = one_line(".".join(map(str, place)), 80)
        if kind == "missing":
            return f"the argument {name} is missing"
        if kind == "extra_forbidden":
            known = ", ".join(one.name for one in self.parameters) or "none"
            return f"there is no argument {name}; there are: {known}" if len(place) == 1 else f"{name} is not known"
        return f"{name}: {one_line(message, 200)}"


def _listed(value: object) -> object:
    """Return an `Iterable` as a list: pydantic validates its items only when somebody takes them."""
    if type(value).__name__ != "ValidatorIterator":
        return value
    items: Any = value
    return [_listed(one) for one in items]


def arguments_of(name: str, parameters: tuple[Parameter, ...], texts: Mapping[str, str]) -> Arguments:
    """Return what the arguments of a function must be.

    Args:
        name: What the function is called in an error.
        parameters: Its parameters.
        texts: What the docstring says of each.

    Raises:
        InputError: A type cannot come from JSON, or pydantic is not installed.
    """
    try:
        from pydantic import ConfigDict, TypeAdapter
    except ImportError:
        raise InputError(f"A tool needs pydantic 2, which is not installed; {EXTRA}.") from None
    properties = {one.name: _property(name, one, texts.get(one.name, "")) for one in parameters}
    made = _typed_dict(parameters)
    made.__pydantic_config__ = ConfigDict(extra="forbid", coerce_numbers_to_str=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Arguments(parameters, TypeAdapter(made), properties)


def _typed_dict(parameters: tuple[Parameter, ...]) -> Any:
    """A TypedDict of the parameters: unlike a model it takes every name."""
    from typing_extensions import NotRequired, Required, TypedDict

    needed: Any = Required
    fields = {one.name: (needed if one.required else NotRequired)[modern(one.kind, 0)] for one in parameters}
    make: Any = TypedDict
    return make("Arguments", fields)


def _property(name: str, parameter: Parameter, text: str) -> dict[str, object]:
    from pydantic import TypeAdapter

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            schema = TypeAdapter(modern(parameter.kind, 0)).json_schema()
        found = plain_property(schema)
    except Exception as error:  # noqa: BLE001 (a type may be anything)
        why = str(error) if isinstance(error, RecursionError) else f"no model can write a {label_of(parameter.kind)}"
        raise refusal(name, f"its parameter {parameter.name} has a type that cannot be described: {why}") from None
    words = " ".join(filter(None, (text, str(found.get("description", "")))))
    return {**found, "description": words} if words else found
