"""Makes tools of what is listed: functions, and descriptions in ollama-python's shape of functions that exist."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ollama_magic.errors import InputError
from ollama_magic.foreign import one_line
from ollama_magic.prompt.resolve import NotFilled, resolve
from ollama_magic.tools.arguments import arguments_of
from ollama_magic.tools.docstrings import documented
from ollama_magic.tools.marks import asks_first
from ollama_magic.tools.parameters import name_of, parameters_of, refusal
from ollama_magic.tools.tool import Tool


def tools_named(names: Iterable[str], variables: Mapping[str, object]) -> tuple[Tool, ...]:
    """Return the tools behind these names of the notebook, such as `weather` and `shop.prices`.

    Raises:
        InputError: A name leads to nothing, or to what cannot be described.
    """
    return _unique([tool_of(_found(name, variables), variables, name) for name in names])


def tools_listed(objects: object, variables: Mapping[str, object]) -> tuple[Tool, ...]:
    """Return the tools of `tools=[…]`; `variables` are those of the caller, for descriptions without a function.

    Raises:
        InputError: It is no list, or something in it cannot be described.
    """
    if objects is None:
        return ()
    if isinstance(objects, str | Mapping) or not isinstance(objects, Iterable):
        raise InputError("tools is a list of functions, such as tools=[weather].")
    return _unique([tool_of(one, variables) for one in objects])


def tool_of(listed: object, variables: Mapping[str, object], name: str = "") -> Tool:
    """Return the tool that a function, or a description in ollama-python's shape, stands for."""
    if isinstance(listed, Tool):
        return listed
    if isinstance(listed, str):
        return tool_of(_found(listed, variables), variables, listed)
    described = _described(listed)
    if described is None:
        return _of_function(listed, name)
    shown = one_line(str(described.get("name", "")), 60)
    try:
        function = variables.get(shown)
    except NotFilled as why:  # a variable of the caller that has no value yet
        raise refusal(name or shown, str(why)) from None
    if not shown or function is None or _described(function) is not None or not callable(function):
        raise refusal(name or shown or "this description", f"there is no function {shown} that it could run")
    return _with_description(_of_function(function, shown), described)


def _found(name: str, variables: Mapping[str, object]) -> object:
    try:
        found = resolve(name, variables)
    except NotFilled as why:
        raise refusal(name, str(why)) from None
    if found is None:
        raise refusal(name, "it is no name of a function; write `-t weather`, or `-t shop.prices`")
    return found.value


def _of_function(function: Any, listed: str) -> Tool:
    name = name_of(function, listed)
    says = documented(function)
    arguments = arguments_of(name, parameters_of(function, name, says.types), says.texts)
    described = {"name": name, "description": says.description, "parameters": arguments.schema}
    return Tool(name, function, {"type": "function", "function": described}, arguments, asks_first(function))


def _with_description(tool: Tool, described: Mapping[str, object]) -> Tool:
    """Return a tool with the user's own description; the arguments must fit the function all the same."""
    function: Any = tool.schema["function"]
    schema = {"type": "function", "function": {**function, **described, "name": tool.name}}
    return Tool(tool.name, tool.function, schema, tool.arguments, tool.confirm)


def _described(listed: Any) -> Mapping[str, object] | None:
    """Return the description of a function in ollama-python's shape, as a dict or as its `Tool`; None for others."""
    if isinstance(listed, Callable) and not isinstance(listed, Mapping):  # type: ignore[arg-type]
        return None
    dump = getattr(listed, "model_dump", None)
    whole = dump(exclude_none=True) if callable(dump) else listed
    function = whole.get("function") if isinstance(whole, Mapping) else None
    return function if isinstance(function, Mapping) else None


def _unique(tools: list[Tool]) -> tuple[Tool, ...]:
    found: dict[str, Tool] = {}
    for tool in tools:
        known = found.setdefault(tool.name, tool)
        if known is not tool and known.function != tool.function:
            raise InputError(f"Two tools are called {one_line(tool.name, 60)}; a model could not tell them apart.")
    return tuple(found.values())
