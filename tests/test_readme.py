"""What is written for people is true: the README's code runs, and whatever it or CONTRIBUTING.md names is there."""

from __future__ import annotations

import ast
import json
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from ollama_magic import cli
from ollama_magic.commands.table import COMMANDS
from ollama_magic.demo.library.models import DemoModel
from ollama_magic.line.options import read_line
from ollama_magic.line.turn_options import CHAT, GENERATE
from ollama_magic.magics.magics import OllamaMagic
from ollama_magic.prompt.fill import fill
from tests.test_walls import ROOMS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ollama_magic.demo.server import DemoServer

ROOT = Path(__file__).parent.parent
PAGES = {name: (ROOT / name).read_text("utf8") for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")}
README = PAGES["README.md"]
GEMMA, EMBEDDING = DemoModel("gemma3:1b"), DemoModel("embeddinggemma", capabilities=("embedding",))
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NO_COMMANDS = {"…"}  # after `%ollama`, where a command is meant in general


def sections() -> dict[str, str]:
    """The text below each heading of the second level."""
    found = re.split(r"^## (.+)\n", README, flags=re.MULTILINE)
    return dict(zip(found[1::2], found[2::2], strict=True))


def cells(text: str) -> list[str]:
    """The fenced blocks that a notebook runs: those without a language, and Python's."""
    return [code for language, code in FENCE.findall(text) if language in ("", "python")]


def inline(text: str) -> list[str]:
    """What stands between single backticks."""
    return re.findall(r"(?<!`)`([^`\n]+)`(?!`)", FENCE.sub("", text))


def shell_lines() -> list[list[str]]:
    """The commands of the blocks for a terminal, as words."""
    lines = [line for language, code in FENCE.findall(README) if language == "sh" for line in code.splitlines()]
    return [shlex.split(part, comments=True) for line in lines for part in line.split("&&")]


@pytest.fixture
def shell(
    demo_server: Callable[..., DemoServer], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[InteractiveShell]:
    """A shell with the extension, a first turn, and a server that has the models of the README."""
    models = (GEMMA, EMBEDDING)
    monkeypatch.setenv("OLLAMA_HOST", demo_server(pace=0, models=models, pullable=models).url)
    monkeypatch.chdir(tmp_path)
    shell = InteractiveShell.instance()
    with capture_output():
        assert shell.run_cell("%load_ext ollama_magic\n%chat Hello").success
    yield shell
    shell.run_line_magic("unload_ext", "ollama_magic")
    InteractiveShell.clear_instance()


@pytest.mark.parametrize("section", [title for title, text in sections().items() if cells(text)])
def test_its_cells_run(shell: InteractiveShell, section: str) -> None:
    """Every block of a section that a notebook would run does run, and then the next question is answered."""
    said = []
    for cell in (*cells(sections()[section]), "%chat Hello again"):
        with capture_output() as output:
            assert shell.run_cell(cell).success, f"{cell}{output.stdout}{output.stderr}"
        said.append(output.stdout + "".join(part.data["text/plain"] for part in output.outputs))
    assert "".join(said).strip()


def test_its_assignments_run(shell: InteractiveShell) -> None:
    """Assignments from magics that stand within a line of text run too, and give something."""
    found = [code for code in inline(README) if re.match(r"\w+ = %", code) and "…" not in code]
    assert len(found) >= 2
    for code in found:
        assert shell.run_cell(code).success
        assert shell.user_ns[code.split()[0]]


@pytest.mark.parametrize("page", PAGES)
def test_its_commands_exist(page: str) -> None:
    """Every `%ollama` command in a line of text exists, and is read by what it declares."""
    typed = re.findall(r"%ollama (.+)", "\n".join(inline(PAGES[page])))
    assert typed or page == "CONTRIBUTING.md"
    for words in typed:
        name, _, rest = words.partition(" ")
        assert name in COMMANDS or name in NO_COMMANDS or name.isupper() or name == "[command]", words
        if name in COMMANDS and COMMANDS[name].spec is not None and rest and "…" not in rest:
            read_line(COMMANDS[name].spec, rest)


def test_its_options_exist() -> None:
    """Every option in a line of text is one of the magics, of a command or of the command line."""
    specs = [CHAT, GENERATE, *filter(None, (command.spec for command in COMMANDS.values()))]
    known = {option.name for spec in specs for option in spec.options}
    known |= {word for command in COMMANDS.values() for word in re.findall(r"--[a-z-]+", command.usage)}
    commands = cli._parser()._subparsers._group_actions[0].choices.values()
    known |= {name for command in commands for name in command._option_string_actions}
    others = {"--strict"}  # mypy's
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", "\n".join(inline(README)))) <= known | others


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_its_settings_exist(page: str) -> None:
    """Every setting that is named is one, and so is every method."""
    assert not [name for name in re.findall(r"OllamaMagic\.(\w+)", PAGES[page]) if not hasattr(OllamaMagic, name)]


def test_its_lines_for_a_terminal() -> None:
    """What is to be typed in a terminal exists: targets of make, our own commands, extras, the extension's name."""
    project = (ROOT / "pyproject.toml").read_text("utf8").partition("[project.optional-dependencies]\n")[2]
    extension = json.loads((ROOT / "labextension" / "package.json").read_text("utf8"))["name"]
    kinds = set()
    for words in shell_lines():
        kinds.add(words[0])
        if words[0] == "ollama-magic":
            assert cli._parser().parse_args(words[1:])
        elif words[0] == "jupyter":
            assert words[1:4] in (["labextension", "disable", extension], ["nbconvert", "--to", "webpdf"])
        elif words[:2] == ["pip", "install"]:
            extras = re.findall(r"^\.\[(\w+)\]", words[2])
            assert set(extras) <= set(re.findall(r"^(\w+) = \[", project.partition("\n[")[0], re.MULTILINE))
    assert kinds == {"make", "ollama-magic", "jupyter", "pip"}


@pytest.mark.parametrize("page", PAGES)
def test_its_targets_exist(page: str) -> None:
    """Every `make …` that is named is a target of the Makefile."""
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text("utf8"), re.MULTILINE))
    named = {words[1] for words in shell_lines() if words[0] == "make"} if page == "README.md" else set()
    named |= set(re.findall(r"`make ([\w-]+)", PAGES[page]))
    assert named <= targets


@pytest.mark.parametrize("page", PAGES)
def test_its_tests_exist(page: str) -> None:
    """Every test that is named is there: its file or its folder, and the function of that name."""
    paths = set(re.findall(r"`(tests/[\w/.]*)`", PAGES[page]))
    assert not [path for path in paths if not (ROOT / path).exists()]
    assert not [path for path in paths if path.endswith("/") and not list((ROOT / path).glob("test_*.py"))]
    named = set(re.findall(r"\b(test_\w+)\b(?!\.py)", PAGES[page]))
    assert named <= (defined() if named else set())


def defined(folder: str = "tests") -> set[str]:
    """The names of all functions and classes there."""
    trees = [ast.parse(path.read_text("utf8")) for path in (ROOT / folder).rglob("*.py")]
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return {node.name for tree in trees for node in ast.walk(tree) if isinstance(node, kinds)}


def test_the_code_that_contributing_names() -> None:
    """Every module, function and class that CONTRIBUTING.md names exists where it says."""
    named = inline(PAGES["CONTRIBUTING.md"])
    paths = [code for code in named if re.fullmatch(r"[a-z_]+/[a-z_/]*(\.py)?", code) and not code.startswith("tests/")]
    assert len(paths) > 10
    assert not [path for path in paths if not (ROOT / "ollama_magic" / path).exists()]
    called = {name for code in named for name in re.findall(r"(\w+)\(", code)}
    assert called >= {"read_line", "plan_of", "start_turn", "Answer"}
    assert called - {"name"} <= defined("ollama_magic") | {"_repr_llm_", "_repr_markdown_"}


def test_the_example_of_a_filled_type(shell: InteractiveShell) -> None:
    """A type that describes itself, as in CONTRIBUTING.md, is filled in so."""
    (code,) = cells(PAGES["CONTRIBUTING.md"])
    assert shell.run_cell(code).success
    assert fill("{{s}}", {"s": shell.user_ns["Sensor"]()}).text == shell.user_ns["Sensor"]()._repr_llm_()


@pytest.mark.parametrize("page", PAGES)
def test_its_links_lead_somewhere(page: str) -> None:
    """Links to files lead to files, and links within a page to a heading of it."""
    links = re.findall(r"\]\((?!https?://)([^)]+)\)", PAGES[page])
    titles = re.findall(r"^#+ (.+)", PAGES[page], re.MULTILINE)
    anchors = {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
    assert not [link for link in links if link.startswith("#") and link[1:] not in anchors]
    assert not [link for link in links if not link.startswith("#") and not (ROOT / link.split("#")[0]).exists()]


def test_the_picture_of_the_house() -> None:
    """Every room is in the picture, and each of its arrows is a way that the walls leave open."""
    (picture,) = [code for language, code in FENCE.findall(README) if language == "mermaid"]
    arrows = re.findall(r"^\s*(\w+)(?:\[[^\]]*\])? --> (\w+)", picture, re.MULTILINE)
    assert {room for arrow in arrows for room in arrow} == {room for room in ROOMS if room and "." not in room}
    assert not [(above, below) for above, below in arrows if below not in ROOMS[above][1].split()]


def test_what_is_filled_in_by_hand_can_be_found() -> None:
    """The figures stand between two marks, once."""
    assert len(re.findall(r"<!-- figures.*?-->\n.+?\n<!-- /figures -->", README, re.DOTALL)) == 1
    assert README.count("<!-- ") == 2
