"""The pages of help: what they hold, that their examples can be typed, and that the README says the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from IPython.utils.capture import capture_output

from ollama_magic.commands import examples, help as pages
from ollama_magic.commands.command import find
from ollama_magic.commands.table import COMMANDS
from ollama_magic.line.options import read_line
from ollama_magic.line.turn_options import CHAT, GENERATE
from tests.shells import loaded_shell

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf8")


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
    spec = COMMANDS[name].spec
    for option in spec.options if spec else ():
        assert option.name in text or option.name == "--help"
    assert shown(shell, f"%ollama {name} --help")[0] == text


@pytest.mark.parametrize("name", list(COMMANDS))
def test_examples_are_read_without_complaint(name):
    """An example of a command that declares its words is read by what it declares."""
    command = find(name, COMMANDS)
    for example in command.examples or examples.COMMANDS[name]:
        line = example.rpartition("%ollama ")[2]
        assert line.split()[0] == name
        if command.spec is not None:
            read_line(command.spec, line[len(name) :])


@pytest.mark.parametrize("spec", [CHAT, GENERATE], ids=["chat", "generate"])
def test_the_page_of_a_magic(shell, spec):
    """The magics have a page too, under their names with or without %, with all their options and examples."""
    text, _ = shown(shell, f"%ollama help {spec.name}")
    assert text == shown(shell, f"%ollama help {spec.name.strip('%')}")[0]
    assert all(option.usage in text for option in spec.options if option.name != "--help")
    for example in examples.MAGICS[spec.name]:
        line = example.split("\n")[0].removeprefix(spec.name)
        assert not read_line(spec, line).words


def test_help_for_a_typing_error(shell):
    """An unknown name is refused with the nearest one."""
    with capture_output() as output:
        shell.run_cell("%ollama help pul")
    assert "did you mean `%ollama pull`" in output.stdout + output.stderr


def test_assigned_help_is_data(shell):
    """Assigned, the page is its rows, and the page of a command its text."""
    assert ("%ollama list [PREFIX]", COMMANDS["list"].help) in shell.run_line_magic("ollama", "\0=help")
    assert shell.run_line_magic("ollama", "\0=help pull").startswith("%ollama pull")


def test_the_docstring_has_every_command():
    """`%ollama?` shows every command under its family."""
    lines = pages.docstring(COMMANDS).splitlines()
    assert set(pages.FAMILIES.values()) <= set(lines)
    assert all(any(line.startswith(f"  {name} ") for line in lines) for name in COMMANDS)


def test_what_tab_is_told_exists():
    """What a command says of its completion is one of the kinds that Tab knows."""
    assert {command.complete for command in COMMANDS.values()} <= {"", "model", "conversation", "told"}


@pytest.mark.parametrize("table", [pages.readme_families(COMMANDS), pages.readme_options()])
def test_the_readme_has_the_same_tables(table):
    """The README's tables of commands and of options are those that are made from the table of commands."""
    missing = [line for line in table.splitlines() if line not in README]
    assert not missing, f"put into the README:\n{table}"
