"""What is written for people is true: the cells of the pages run, and whatever a page names is there."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from IPython.utils.capture import capture_output
from PIL import Image

from ollama_magic import cli
from ollama_magic.commands.command_table import COMMANDS
from ollama_magic.line.map_options import MAP
from ollama_magic.line.options import read_line
from ollama_magic.line.turn_options import CHAT, GENERATE
from ollama_magic.magics.magics import OllamaMagic
from ollama_magic.prompt.fill import fill
from tests.double import DemoModel
from tests.pages import (
    ALL,
    FENCE,
    FRONT,
    GUIDE,
    ROOT,
    TO_RUN,
    blocks,
    broken_links,
    cells,
    failing,
    inline,
    shell_lines,
)
from tests.shells import loaded_shell
from tests.test_walls import ROOMS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from IPython.core.interactiveshell import InteractiveShell

    from tests.double import ScriptedServer

NAMED = {name: text for name, text in ALL.items() if name in {**TO_RUN, "CONTRIBUTING.md": "", "CHANGELOG.md": ""}}
MODELS = (
    DemoModel("gemma3:4b", capabilities=("completion", "vision"), modified=2),
    DemoModel("gemma3:1b", modified=1),
    DemoModel("qwen3:4b", capabilities=("completion", "tools", "thinking"), modified=1),
    DemoModel("embeddinggemma", capabilities=("embedding",), modified=1),
)
HOST = "http://localhost:11434"  # as it stands in the pages
DATA = {"tests/hostile/", "tests/recordings/"}  # folders of the tests without a test
NO_COMMANDS = {"…"}  # after `%ollama`, where a command is meant in general


@pytest.fixture
def server(demo_server: Callable[..., ScriptedServer]) -> ScriptedServer:
    """A server that has the models of the pages."""
    return demo_server(pace=0, models=MODELS, pullable=MODELS)


@pytest.fixture
def shell(server: ScriptedServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[InteractiveShell]:
    """A shell with the extension and a first turn."""
    monkeypatch.setenv("OLLAMA_HOST", server.url)
    monkeypatch.chdir(tmp_path)
    with loaded_shell() as shell:
        with capture_output():
            assert shell.run_cell("%chat Hello").success
        yield shell


@pytest.mark.parametrize("page", [name for name, text in TO_RUN.items() if cells(text)])
def test_its_cells_run(shell: InteractiveShell, server: ScriptedServer, page: str) -> None:
    """Every block of a page that a notebook would run does run, in order, and then the next question is answered."""
    said, errors = [], failing(TO_RUN[page])
    for cell in (*cells(TO_RUN[page]), "%chat Hello again"):
        with capture_output() as output:
            done = shell.run_cell(cell.replace(HOST, server.url), store_history=True)
        if cell in errors:
            assert f"{type(done.error_in_exec).__name__}: {done.error_in_exec}\n" == errors[cell]
        else:
            assert done.success, f"{cell}{output.stdout}{output.stderr}"
        said.append(output.stdout + "".join(part.data.get("text/plain", "") for part in output.outputs))
    assert "".join(said).strip()


@pytest.mark.parametrize("page", NAMED)
def test_its_commands_exist(page: str) -> None:
    """Every `%ollama` command in a line of text exists, and is read by what it declares."""
    for words in re.findall(r"%ollama (.+)", "\n".join(inline(NAMED[page]))):
        name, _, rest = words.partition(" ")
        assert name in COMMANDS or name in NO_COMMANDS or name.isupper() or name == "[command]", words
        if name in COMMANDS and rest and not set(rest) & {"…", "|"}:
            read_line(COMMANDS[name].spec, rest)


def test_its_options_exist() -> None:
    """Every option in a line of text is one of the magics, of a command or of the command line."""
    specs = [CHAT, GENERATE, MAP, *(command.spec for command in COMMANDS.values())]
    known = {option.name for spec in specs for option in spec.options}
    commands = cli._parser()._subparsers._group_actions[0].choices.values()
    known |= {name for command in commands for name in command._option_string_actions}
    said = "\n".join(code for text in TO_RUN.values() for code in inline(text))
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", said)) <= known


@pytest.mark.parametrize("page", NAMED)
def test_its_settings_exist(page: str) -> None:
    """Every setting that is named is one, and so is every method."""
    assert not [name for name in re.findall(r"OllamaMagic\.(\w+)", NAMED[page]) if not hasattr(OllamaMagic, name)]


@pytest.mark.parametrize("page", [name for name, text in NAMED.items() if blocks(text, "sh")])
def test_its_lines_for_a_terminal(page: str) -> None:
    """What is to be typed in a terminal exists: targets of make, our own commands, extras, the extension's name."""
    project = (ROOT / "pyproject.toml").read_text("utf8").partition("[project.optional-dependencies]\n")[2]
    known = set(re.findall(r"^(\w+) = \[", project.partition("\n[")[0], re.MULTILINE))
    extension = json.loads((ROOT / "labextension" / "package.json").read_text("utf8"))["name"]
    for words in shell_lines(NAMED[page]):
        if words[0] == "ollama-magic":
            assert cli._parser().parse_args(words[1:])
        elif words[0] == "jupyter":
            assert words[1:4] in (["labextension", "disable", extension], ["nbconvert", "--to", "webpdf"])
        elif words[0] == "make":
            assert words[1] in targets()
        else:
            assert words[:2] == ["pip", "install"]
            assert {name for found in re.findall(r"^\.\[([\w,]+)\]", words[2]) for name in found.split(",")} <= known


def targets() -> set[str]:
    """The targets of the Makefile."""
    return set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text("utf8"), re.MULTILINE))


@pytest.mark.parametrize("page", NAMED)
def test_its_targets_exist(page: str) -> None:
    """Every `make …` that is named is a target of the Makefile."""
    assert set(re.findall(r"`make ([\w-]+)", NAMED[page])) <= targets()


@pytest.mark.parametrize("page", ALL)
def test_its_tests_exist(page: str) -> None:
    """Every test that is named is there: its file or its folder, and the function of that name."""
    paths = set(re.findall(r"`(tests/[\w/.]*)`", ALL[page]))
    assert not [path for path in paths if not (ROOT / path).exists()]
    folders = [path for path in paths if path.endswith("/") and path not in DATA]
    assert not [path for path in folders if not list((ROOT / path).glob("test_*.py"))]
    named = set(re.findall(r"\b(test_\w+)\b(?!\.py)", ALL[page]))
    assert named <= (defined() if named else set())


def defined(folder: str = "tests") -> set[str]:
    """The names of all functions and classes there."""
    texts = [path.read_text("utf8") for path in (ROOT / folder).rglob("*.py")]
    return {name for text in texts for name in re.findall(r"^ *(?:async )?(?:def|class) (\w+)", text, re.MULTILINE)}


def test_the_code_that_contributing_names() -> None:
    """Every module, function and class that CONTRIBUTING.md names exists where it says."""
    named = inline(ALL["CONTRIBUTING.md"])
    paths = [
        code
        for code in named
        if re.fullmatch(r"[a-z_]+/[a-z_/]*(\.py)?", code) and not code.startswith(("docs/", "tests/"))
    ]
    assert len(paths) > 10
    assert not [path for path in paths if not (ROOT / "ollama_magic" / path).exists()]
    called = {name for code in named for name in re.findall(r"(\w+)\(", code)}
    assert called >= {"read_line", "plan_of", "start_turn", "CommandResult"}
    assert called - {"name"} <= defined("ollama_magic") | {"_repr_llm_", "_repr_markdown_"}


def test_the_example_of_a_filled_type(shell: InteractiveShell) -> None:
    """A type that describes itself, as in CONTRIBUTING.md, is filled in so."""
    (code,) = cells(ALL["CONTRIBUTING.md"])
    assert shell.run_cell(code).success
    assert fill("{{s}}", {"s": shell.user_ns["Sensor"]()}).text == shell.user_ns["Sensor"]()._repr_llm_()


@pytest.mark.parametrize("page", [*ALL, *(f"examples/{path.name}" for path in (ROOT / "examples").glob("*.ipynb"))])
def test_its_links_lead_somewhere(page: str) -> None:
    """Links lead to files that are there, and to headings of them."""
    assert not broken_links(ROOT / page)


def test_the_front_page_is_short() -> None:
    """The README has 400 to 600 words, and eight lines about what is special, each with a link into docs/."""
    shown = re.sub(r"\]\([^)]*\)", "]", FENCE.sub("", FRONT["README.md"]))
    assert 400 <= len(re.findall(r"\w[\w'.,-]*", shown)) <= 600
    special = FRONT["README.md"].partition("## What it does that nothing else does\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^- (.+)", special, re.MULTILINE)
    assert len(rows) == 8
    assert all("](docs/" in row for row in rows)


def test_the_moving_picture() -> None:
    """The README's picture moves, and has at most 2 MB."""
    (name,) = re.findall(r"!\[[^\]]+\]\((\S+)\)", FRONT["README.md"])
    assert (ROOT / name).stat().st_size <= 2_000_000
    with Image.open(ROOT / name) as picture:
        assert picture.n_frames > 20


def test_both_languages_lead_to_each_other() -> None:
    """README and README.zh.md have the same sections, cells and picture, and each page of docs/zh/ its English one."""
    english, chinese = FRONT["README.md"], FRONT["README.zh.md"]
    assert "(README.zh.md)" in english
    assert "(README.md)" in chinese
    assert len(re.findall(r"^## ", chinese, re.MULTILINE)) >= len(re.findall(r"^## ", english, re.MULTILINE))
    assert blocks(chinese, "sh") == blocks(english, "sh")
    assert len(cells(chinese)) == len(cells(english))
    assert re.findall(r"docs/\S+\.(?:webp|png)", chinese) == re.findall(r"docs/\S+\.(?:webp|png)", english)
    assert not [name for name, text in GUIDE.items() if name.startswith("docs/zh/") and "(../" not in text]


def test_every_page_is_listed() -> None:
    """The first page of the documentation leads to every page of it."""
    english, chinese = (blocks(GUIDE[f"docs/{name}.md"], "{toctree}") for name in ("index", "zh/index"))
    listed = {line for code in english for line in code.splitlines()}
    listed |= {f"zh/{line}" for code in chinese for line in code.splitlines()}
    pages = {name.removeprefix("docs/").removesuffix(".md") for name in ALL if name.startswith("docs/")}
    assert pages - {"index"} <= listed
    assert {f"../examples/{path.stem}" for path in (ROOT / "examples").glob("*.ipynb")} <= listed


def test_the_picture_of_the_house() -> None:
    """Every room is in the picture, and each of its arrows is a way that the walls leave open."""
    (picture,) = blocks(ALL["CONTRIBUTING.md"], "mermaid")
    arrows = re.findall(r"^\s*(\w+)(?:\[[^\]]*\])? --> (\w+)", picture, re.MULTILINE)
    assert {room for arrow in arrows for room in arrow} == {room for room in ROOMS if room and "." not in room}
    assert not [(above, below) for above, below in arrows if below not in ROOMS[above][1].split()]


def test_what_is_filled_in_by_hand_can_be_found() -> None:
    """The figures stand between two marks, once."""
    page = ALL["docs/promises.md"]
    assert len(re.findall(r"<!-- figures.*?-->\n.+?\n<!-- /figures -->", page, re.DOTALL)) == 1
    assert page.count("<!-- ") == 2


def test_the_lines_of_curl_run(server: ScriptedServer, tmp_path: Path) -> None:
    """Each line of curl in the pages, sent to a server, brings JSON without an error."""
    if not shutil.which("curl") or not shutil.which("bash"):
        pytest.skip("there is no curl, or no bash")
    found = [code for text in TO_RUN.values() for code in blocks(text, "sh") if code.startswith("curl ")]
    assert len(found) >= 8
    script = "".join(f"{code.rstrip().replace('curl ', 'curl --silent ', 1)}; echo\n" for code in found)
    script = script.replace(HOST, server.url)
    said = subprocess.run(["bash"], input=script, capture_output=True, text=True, check=True, cwd=tmp_path).stdout
    lines = [json.loads(line) for line in said.splitlines() if line]
    assert len(lines) > len(found)
    assert not [line for line in lines if "error" in line]


def test_the_java_runs(server: ScriptedServer, tmp_path: Path) -> None:
    """The Java program of the API's page prints the stream; the Chinese page has the same one with its own question."""
    (code,), (chinese,) = blocks(ALL["docs/api.md"], "java"), blocks(ALL["docs/zh/api.md"], "java")
    assert chinese.replace("天空为什么是蓝色的？", "Why is the sky blue?") == code
    if not shutil.which("java"):
        pytest.skip("there is no JDK")
    (tmp_path / "Chat.java").write_text(code.replace(HOST, server.url), "utf8")
    environ = {**os.environ, "JAVA_TOOL_OPTIONS": ""}
    done = subprocess.run(["java", "Chat.java"], capture_output=True, check=True, cwd=tmp_path, env=environ, timeout=60)
    assert json.loads(done.stdout.decode().splitlines()[-1])["done"] is True
