"""The pages of help: what they hold, and that their examples can be typed."""

from __future__ import annotations

import re
from typing import get_args

import pytest
from IPython.utils.capture import capture_output

from ollama_magic.commands import help as pages
from ollama_magic.commands.command import find
from ollama_magic.commands.command_table import COMMANDS
from ollama_magic.line.options import read_line
from ollama_magic.line.spec import Kind
from ollama_magic.line.turn_options import CHAT, GENERATE
from tests.shells import loaded_shell


@pytest.fixture
def shell(monkeypatch):
    with loaded_shell() as shell:
        yield shell


def shown(shell, line):
    """What a line shows, as text and as HTML."""
    with capture_output() as output:
        assert shell.run_cell(line).success
    return output.outputs[0].data["text/plain"], output.outputs[0].data["text/html"]


def test_the_page_begins_with_what_to_type_first(shell):
    """The page opens with a cell to copy, and every command stands on it, below its family."""
    text, html = shown(shell, "%ollama help")
    assert text.startswith("What to type first\n  %%chat\n  What is a Python list?\n")
    families = re.split(r"\n(?=Models:|The server:|Settings|The conversation:|Work:|Options of)", text)
    assert len(families) == len(pages.FAMILIES) + 2
    for command in COMMANDS.values():
        block = next(block for block in families if block.startswith(pages.FAMILIES[command.family]))
        assert f"%ollama {command.name}" in block
    assert html.count("<details>") == len(pages.FAMILIES) + 1
    assert "style" not in html


def test_every_family_has_a_title():
    """No command belongs to a family that the page does not show."""
    assert {command.family for command in COMMANDS.values()} == set(pages.FAMILIES)
    assert sum(map(len, pages.by_family(COMMANDS).values())) == len(COMMANDS)


@pytest.mark.parametrize("name", list(COMMANDS))
def test_the_page_of_a_command(shell, name):
    """Each command has a page: how it is typed, what it does, its options, and an example of itself."""
    text, _ = shown(shell, f"%ollama help {name}")
    assert text.startswith(f"%ollama {name}")
    assert "Example" in text
    assert re.search(rf"\n  (?:\w+ = )?%ollama {name}\b", text)
    for option in COMMANDS[name].spec.options:
        assert option.name in text or option.name == "--help"
    assert shown(shell, f"%ollama {name} --help")[0] == text


@pytest.mark.parametrize("name", list(COMMANDS))
def test_examples_are_read_without_complaint(name):
    """An example of a command that declares its words is read by what it declares."""
    command = find(name, COMMANDS)
    for example in command.spec.examples:
        line = example.rpartition("%ollama ")[2]
        assert line.split()[0] == name
        read_line(command.spec, line[len(name) :])


@pytest.mark.parametrize("spec", [CHAT, GENERATE], ids=["chat", "generate"])
def test_the_page_of_a_magic(shell, spec):
    """The magics have a page too, under their names with or without %, with all their options and examples."""
    text, _ = shown(shell, f"%ollama help {spec.name}")
    assert text == shown(shell, f"%ollama help {spec.name.strip('%')}")[0]
    assert all(option.usage in text for option in spec.options if option.name != "--help")
    assert spec.examples
    for example in spec.examples:
        line = example.split("\n")[0].removeprefix(spec.name)
        assert not read_line(spec, line).words


def test_help_for_a_typing_error(shell):
    """An unknown name is refused with the nearest one."""
    with capture_output() as output:
        shell.run_cell("%ollama help pul")
    assert "did you mean `%ollama pull`" in output.stdout + output.stderr


def test_assigned_help_is_data(shell):
    """Assigned, the page is its rows, and the page of a command its text."""
    assert ("%ollama list [PREFIX]", COMMANDS["list"].summary) in shell.run_line_magic("ollama", "\0=help")
    assert shell.run_line_magic("ollama", "\0=help pull").startswith("%ollama pull")


def test_the_docstring_has_every_command():
    """`%ollama?` shows every command under its family."""
    lines = pages.docstring(COMMANDS).splitlines()
    assert set(pages.FAMILIES.values()) <= set(lines)
    assert all(any(line.startswith(f"  {name} ") for line in lines) for name in COMMANDS)


def test_what_tab_offers_is_declared():
    """Every argument that is a model, a file or the like says so, and each kind is one that Tab knows."""
    kinds = {word.kind for command in COMMANDS.values() for word in (*command.spec.arguments, *command.spec.options)}
    assert kinds <= set(get_args(Kind))
    assert {"model", "file", "conversation", "setting", "command", "option name"} <= kinds
