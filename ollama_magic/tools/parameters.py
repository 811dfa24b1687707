"""The parameters of a function: names, types and which are needed, from its signature and annotations."""

from __future__ import annotations

import functools
import inspect
import types
import typing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ollama_magic.errors import InputError
from ollama_magic.foreign import one_line

if TYPE_CHECKING:
    from collections.abc import Callable

PLAIN: dict[str, Any] = {kind.__name__: kind for kind in (str, int, float, bool, list, dict)} | {
    "string": str,
    "integer": int,
    "number": float,
    "boolean": bool,
}
_ENDLESS = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}


@dataclass(frozen=True)
class Parameter:
    """One parameter: its name and type, and whether it must be sent.

    `positional` is one that cannot be passed by name; `default` is what stands for one that is not sent.
    """

    name: str
    kind: Any
    required: bool
    positional: bool = False
    default: object = None


def refusal(name: str, why: str) -> InputError:
    """Return the error of a function that cannot be described."""
    return InputError(f"{one_line(name, 60)} cannot be a tool: {why}.")


def name_of(function: object, listed: str = "") -> str:
    """Return what a model calls a function: its own name, else the one under which it is listed.

    Raises:
        InputError: It has no name, or cannot be called.
    """
    inner = function
    while isinstance(inner, functools.partial):
        inner = inner.func
    if not callable(inner):
        raise refusal(
            listed or type(function).__name__, f"it is no function, but of the type {type(function).__name__}"
        )
    name = getattr(inner, "__name__", "") or listed.rpartition(".")[2] or type(inner).__name__
    if name == "<lambda>":
        raise refusal(listed or "a lambda", "a lambda has no name and no types; write a function with `def`")
    return str(name)


def parameters_of(function: Callable[..., Any], name: str, documented: dict[str, str]) -> tuple[Parameter, ...]:
    """Return the parameters that a model may set.

    Args:
        function: The function.
        name: What the function is called in an error.
        documented: The types that the docstring names, which count where an annotation is missing.

    Raises:
        InputError: A parameter cannot be described.
    """
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        raise refusal(name, "Python does not know its parameters; wrap it in a function of yours") from None
    fixed = function.keywords if isinstance(function, functools.partial) else {}
    hints = _hints(function, name)
    found = []
    for one in signature.parameters.values():
        if one.kind in _ENDLESS:
            stars = _ENDLESS[one.kind]
            raise refusal(name, f"`{stars}{one.name}` takes anything; name each parameter")
        if one.name not in fixed:
            found.append(_parameter(one, hints.get(one.name, one.annotation), documented.get(one.name, "")))
    return tuple(found)


def _parameter(one: inspect.Parameter, hint: Any, documented: str) -> Parameter:
    kind = _guessed(one.default, documented) if hint is inspect.Parameter.empty else hint
    needed = one.default is inspect.Parameter.empty
    positional = one.kind is inspect.Parameter.POSITIONAL_ONLY
    return Parameter(one.name, kind, needed and not _may_be_none(kind), positional, None if needed else one.default)


def _hints(function: Any, name: str) -> dict[str, Any]:
    """Return the annotations, with texts resolved where the function was defined."""
    target = function
    while isinstance(target, functools.partial):
        target = target.func
    if not isinstance(target, types.FunctionType | types.MethodType | types.BuiltinFunctionType | type):
        target = getattr(type(target), "__call__", target)  # noqa: B004 (its annotations are meant)
    made: Any = target.__init__ if isinstance(target, type) else target  # type: ignore[misc]
    try:
        return typing.get_type_hints(inspect.unwrap(made), include_extras=True)
    except NameError as error:
        raise refusal(name, f"its annotation {getattr(error, 'name', '') or error} is not defined") from None
    except Exception as error:  # noqa: BLE001 (an annotation may be anything)
        raise refusal(name, f"its annotations cannot be read ({one_line(str(error), 80)})") from None


def _guessed(default: object, documented: str) -> Any:
    if type(default) in PLAIN.values():
        return type(default)
    return PLAIN.get(documented.strip().lower(), Any)


def _may_be_none(kind: Any) -> bool:
    if typing.get_origin(kind) is typing.Annotated:
        return _may_be_none(typing.get_args(kind)[0])
    union = typing.get_origin(kind) in (typing.Union, types.UnionType)
    return kind is type(None) or kind is None or (union and any(_may_be_none(one) for one in typing.get_args(kind)))
