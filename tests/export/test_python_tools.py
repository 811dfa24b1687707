"""A request with tools as a Python program: it runs, whatever the tools are called."""

from __future__ import annotations

import ast
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from ollama_magic.export.languages import exported
from ollama_magic.export.python_tools import source_of
from ollama_magic.export.target import Target
from ollama_magic.ollama.messages import Message
from ollama_magic.ollama.protocol import ChatRequest
from ollama_magic.tools.listing import tool_of

if TYPE_CHECKING:
    from collections.abc import Callable

UNIT, FACTOR = "°C", 2
DONE = SimpleNamespace(message=SimpleNamespace(content="done", tool_calls=None))


def messages(city: str) -> str:
    """Return a function with a name that the program has, too."""
    return city


def weather(city: str, unit: str = UNIT) -> list[str]:
    """Say the weather."""

    def of(day: int) -> str:
        return f"{day * FACTOR} {unit}"

    return [of(day) for day in range(3)] if city else weather("Lima", unit)


def within() -> Callable[[int], int]:
    """Return a function with a name from around it."""
    days = 3

    def count(more: int) -> int:
        """Count."""
        return days + more

    return count


@pytest.mark.parametrize(
    "name",
    ["class", "None", "def", "client", "messages", "print", "range", "tools", "a b", "f\n", "", "_", "__import__"],
)
def test_a_name_breaks_no_program(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A tool of a file may be called like a word of Python, or like something in the program itself."""
    described = {"type": "function", "function": {"name": name, "parameters": {"type": "object", "properties": {}}}}
    request = ChatRequest("demo", (Message("user", "Hi"),), tools=(described,))
    program = exported("python", request, Target("http://127.0.0.1:1"))
    ast.parse(program)
    client = SimpleNamespace(chat=lambda **_: DONE)
    line = "from ollama import Client  # pip install ollama"
    assert line in program
    exec(program.replace(line, ""), {"Client": lambda **_: client})
    assert capsys.readouterr().out == "done\n"


def test_a_function_with_a_name_of_the_program_is_to_be_renamed() -> None:
    """Its source would take the place of the program's own."""
    tool = tool_of(messages, {})
    request = ChatRequest("demo", (Message("user", "Hi"),), tools=(tool.schema,))
    program = exported("python", request, Target("http://127.0.0.1:1"), tools=(tool,))
    assert "rename messages: the program has that name" in program
    assert "def messages" not in program


def test_what_a_function_needs_is_named() -> None:
    """Names in its signature, in functions within it and from around it count; its own do not."""
    assert source_of(tool_of(weather, {})).startswith("# weather needs these names of the notebook: UNIT, FACTOR\ndef ")
    assert source_of(tool_of(within(), {})).startswith("# count needs these names of the notebook: days\ndef ")
