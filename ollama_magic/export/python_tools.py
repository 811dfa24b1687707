"""A request with tools as a whole Python program: the functions, and the loop that runs what the model calls."""

from __future__ import annotations

import ast
import builtins
import inspect
import keyword
import textwrap
import types
from typing import TYPE_CHECKING, Any

from ollama_magic.export.literals import python_literal
from ollama_magic.export.python import client_lines, settings_of_body
from ollama_magic.foreign import one_line
from ollama_magic.ollama.request_bodies import chat_body

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ollama_magic.export.target import Target
    from ollama_magic.ollama.protocol import ChatRequest
    from ollama_magic.tools.tool import Tool

ROUNDS = 10
_LOOP = """\
for _ in range({rounds}):
    response = client.chat(
        model={model},
        messages=messages,
        tools=tools,
{options}    )
    messages.append(response.message)
    if not response.message.tool_calls:
        break
    for call in response.message.tool_calls:
        try:
            result = functions[call.function.name](**call.function.arguments)
        except Exception as error:
            result = f"Error: {{type(error).__name__}}: {{error}}"
        messages.append({{"role": "tool", "tool_name": call.function.name, "content": str(result)}})
print(response.message.content)"""
_PARSED = ast.parse(_LOOP.format(rounds=ROUNDS, model="''", options=""))
_USED = {"Client", "NotImplementedError", "os", "ssl"} | {
    one.id for one in ast.walk(_PARSED) if isinstance(one, ast.Name)
}


def python_with_tools(request: ChatRequest, target: Target, sources: Sequence[tuple[str, str]]) -> str:
    """Return the request as Python; running it sends a request for each round.

    Args:
        request: The first request.
        target: The server.
        sources: The name and the source of each function that is known.
    """
    body: dict[str, Any] = chat_body(request)
    names = [str(tool["function"]["name"]) for tool in body["tools"]]
    known = dict(sources)
    functions = "\n\n\n".join((name not in _USED and known.get(name)) or _stub(name) for name in names)
    messages = "".join(f"    {python_literal(message)},\n" for message in body["messages"])
    tools = "".join(f"    {python_literal(tool)},\n" for tool in body["tools"])
    options = textwrap.indent(settings_of_body({**body, "tools": None}), "    ")
    listed = ", ".join(f"{python_literal(name)}: {_identifier(name)}" for name in names)
    loop = _LOOP.format(rounds=ROUNDS, model=python_literal(request.model), options=options)
    return (
        f"{client_lines(target)}\n\n{functions}\n\n\nmessages = [\n{messages}]\ntools = [\n{tools}]\n"
        f"functions = {{{listed}}}\n{loop}"
    )


def source_of(tool: Tool) -> str:
    """Return the source of a function without its decorators, and a comment with what it needs; "" if it has none."""
    function = inspect.unwrap(tool.function)
    if not isinstance(function, types.FunctionType):
        return ""
    try:
        source = textwrap.dedent(inspect.getsource(function))
        (node,) = ast.parse(source).body
    except (OSError, TypeError, SyntaxError, ValueError):
        return ""
    if not isinstance(node, ast.FunctionDef) or node.name != tool.name:
        return ""  # an asynchronous one cannot be called by this loop
    lines = source.rstrip("\n").split("\n")[node.lineno - 1 :]
    needed = _needed(function, node)
    note = f"# {tool.name} needs these names of the notebook: {', '.join(needed)}\n" if needed else ""
    return note + "\n".join(lines)


def _needed(function: types.FunctionType, node: ast.FunctionDef) -> list[str]:
    """Return the names that a function has from outside, also in its signature and in functions within it."""
    node.decorator_list = []
    code, outside = function.__code__, function.__globals__
    own = {node.name, *code.co_varnames, *code.co_cellvars}
    named = dict.fromkeys(one.id for one in ast.walk(node) if isinstance(one, ast.Name) and one.id not in own)
    return [name for name in named if name in code.co_freevars or (name in outside and not _built_in(name))]


def _built_in(name: str) -> bool:
    return hasattr(builtins, name)


def _stub(name: str) -> str:
    shown = one_line(name, 60)
    why = f"rename {shown}: the program has that name" if name in _USED else f"the source of {shown} is not known here"
    return f"def {_identifier(name)}(**arguments):\n    raise NotImplementedError({python_literal(why)})"


def _identifier(name: str) -> str:
    """Return a name that is one in Python, and none that the program needs: that of a file may be anything."""
    if name.isidentifier() and not keyword.iskeyword(name) and name not in _USED:
        return name
    return "function_" + "".join(f"{ord(char):x}" for char in name[:20])
