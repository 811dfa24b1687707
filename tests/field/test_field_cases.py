"""Every report from the field as it came in: its cells, what the server answered, and what is right."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import ollama_magic
from tests.field.scripts import SCRIPTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.field.conftest import Person

ROWS = {
    row["id"]: row
    for row in map(json.loads, (Path(__file__).parent / "field.jsonl").read_text(encoding="utf-8").splitlines())
}
CHECKS: dict[str, Callable[..., None]] = {}
FRESH = {"load-and-ask", "fork-functions-only"}  # the extension is not there before the first cell
ELSEWHERE = {"script-export", "background-nbconvert", "terminal-cp1252"}  # other programs run these
ROOT = Path(__file__).parent.parent.parent


def check(name: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Enter what is right about a case."""

    def enter(function: Callable[..., None]) -> Callable[..., None]:
        CHECKS[name] = function
        return function

    return enter


def test_every_case_has_its_check() -> None:
    """No report is left out."""
    assert set(CHECKS) == set(ROWS)


@pytest.mark.parametrize("name", [name for name in ROWS if name not in ELSEWHERE])
def test_a_report(name: str, open_shell: Callable[..., Person]) -> None:
    """What a person typed does what the report says is right."""
    person = open_shell(**SCRIPTS.get(name, {}))
    if name in FRESH:
        person.shell.run_line_magic("unload_ext", "ollama_magic")
    CHECKS[name](person, *ROWS[name]["cells"])


@pytest.mark.parametrize("name", sorted(ELSEWHERE))
def test_a_report_of_another_program(name: str, open_shell: Callable[..., Person], tmp_path: Path) -> None:
    """The same for notebooks that nbconvert runs or writes as scripts, and for IPython behind a pipe."""
    person = open_shell(**SCRIPTS.get(name, {}))
    CHECKS[name](person, tmp_path, *ROWS[name]["cells"])


def program(person: Person, *words: str, **options: Any) -> str:
    """What a program prints, with the person's server as OLLAMA_HOST."""
    environ = {**os.environ, "OLLAMA_HOST": person.server.host, "PYTHONPATH": str(ROOT)} | options.pop("env", {})
    done = subprocess.run(
        [sys.executable, *words],
        env=environ,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=100,
        **options,
    )
    return done.stdout.decode(environ.get("PYTHONIOENCODING", "utf-8"), "replace")


def notebook(path: Path, *cells: str) -> Path:
    """Write a notebook."""
    import nbformat

    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    made.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    made.metadata["language_info"] = {"name": "python", "file_extension": ".py", "nbconvert_exporter": "python"}
    nbformat.write(made, path)
    return path


# Embeddings


@check("embed-none")
def _(person: Person, first: str, second: str) -> None:
    person.types(first)
    text = person.refused(second)
    assert "None" in text
    assert re.search(r"\b(1|2|second)\b", text)


@check("embed-nan")
def _(person: Person, first: str, second: str) -> None:
    person.types(first)
    assert "Only texts can be embedded" in person.refused(second)


# Names and fields


@check("scope-shadow")
def _(person: Person, first: str, second: str) -> None:
    assert person.asked(first, second) == ["about LOCAL"]


@check("scope-loop")
def _(person: Person, cell: str) -> None:
    assert person.asked(cell) == ["item a", "item b"]


@check("fill-system-option")
def _(person: Person, first: str, second: str) -> None:
    assert person.asked(first, second) == ["hi"]
    assert person.body["messages"][0]["content"] == "You are a pirate"


@check("fill-model")
def _(person: Person, cell: str) -> None:
    assert person.asked(cell) == ["hi", "hi"]


@check("fill-option-value")
def _(person: Person, first: str, second: str) -> None:
    assert person.asked(first, second) == ["hi"]
    assert person.body["options"] == {"temperature": 0.5}


@check("half-emoji")
def _(person: Person, *cells: str) -> None:
    person.types(*cells[:2])
    assert person.server.prompts == ["half �"]
    for cell in cells[2:]:
        seen = person.types(cell)
        assert seen.error is None
        assert "half" in seen.text
        seen.text.encode()


@check("byte-escape-name")
def _(person: Person, *cells: str) -> None:
    assert person.asked(*cells[:2]) == ["caf�"]
    seen = person.types(cells[2])
    assert "caf" in seen.text
    assert "A good answer." in seen.text


# Forks


def forks(person: Person, first: str, second: str) -> None:
    start = time.monotonic()
    assert person.types(first).error is None
    seen = person.types(second)
    assert seen.error is None, seen.text
    assert "2" in seen.text
    assert time.monotonic() - start < 12
    assert sorted(person.server.prompts[1:]) == ["p0", "p1"]


check("fork-after-magic")(forks)
check("fork-functions-only")(forks)


# Thinking


@check("think-false-space")
def _(person: Person, cell: str) -> None:
    assert person.asked(cell) == ["Why is the sky blue"]
    assert person.body["think"] is False


@check("think-equals-false")
def _(person: Person, cell: str) -> None:
    assert person.asked(cell) == ["hi"]
    assert person.body["think"] is False


@check("function-think-text")
def _(person: Person, first: str, second: str) -> None:
    person.types(first)
    text = person.refused(second)
    assert "True" in text
    assert "False" in text


# Question marks


@check("load-and-ask")
def _(person: Person, cell: str) -> None:
    seen = person.types(cell)
    assert "run this cell again" in seen.text or person.server.prompts == ["And in one line?"]


@check("script-export")
def _(person: Person, folder: Path, *cells: str) -> None:
    path = notebook(folder / "asked.ipynb", *cells)
    program(person, "-m", "nbconvert", "--to", "script", str(path))
    shown = program(person, "-m", "IPython", "--colors=nocolor", str(next(folder.glob("asked.*py"))))
    assert person.server.prompts == ["why?"] or re.search(r"[Ll]ine \d+ of the script", shown), shown


@check("question-own-cell")
def _(person: Person, *cells: str) -> None:
    assert person.asked(*cells) == ["And in one line?", "why??", "really?"]


# Proxies and addresses


@check("proxy-504")
def _(person: Person, first: str, second: str) -> None:
    assert person.asked(first) == ["first"]
    text = person.failed(second)
    for word in ("proxy", "504", "gave up waiting", "may still be loading", "read timeout"):
        assert word in text, text
    assert "not Ollama" not in text
    assert "port" not in text


@check("proxy-502")
def _(person: Person, first: str, second: str) -> None:
    assert person.asked(first) == ["first"]
    text = person.failed(second)
    for word in ("proxy", "502", "does not reach Ollama behind it"):
        assert word in text, text


@check("basic-auth-page")
def _(person: Person, cell: str) -> None:
    text = person.failed(cell)
    assert "name and a password" in text
    assert 'OllamaMagic.headers = {"Authorization": "env:NAME"}' in text


@check("userinfo")
def _(person: Person, cell: str) -> None:
    text = person.refused(cell)
    assert "secret" not in text
    assert "OllamaMagic.headers" in text


@check("host-v1")
def _(person: Person, cell: str) -> None:
    seen = person.types(cell)
    assert person.server.prompts == ["hi"] or "leave out /v1" in seen.text


@check("host-slash")
def _(person: Person, cell: str) -> None:
    assert person.asked(cell) == ["hi"]


@check("host-0000")
def _(person: Person, first: str, second: str) -> None:
    assert person.asked(first, second) == ["hi"]


@check("error-200")
def _(person: Person, *cells: str) -> None:
    listed, status = (person.types(cell).text for cell in cells)
    for text in (listed, status):
        assert "This server has no GET /api/tags" in text
        assert "No model is installed" not in text
        assert "0 models" not in text
    assert "not Ollama" in listed


# Background


@check("background-nbconvert")
def _(person: Person, folder: Path, *cells: str) -> None:
    path = notebook(folder / "asked.ipynb", *cells)
    program(person, "-m", "nbconvert", "--execute", "--to", "notebook", "--inplace", str(path))
    assert "word59" in path.read_text()


@check("pool-interrupt")
def _(person: Person, first: str, second: str) -> None:
    import signal

    person.types(first)
    pressed = []

    def press() -> None:
        while not person.server.bodies:
            time.sleep(0.01)
        time.sleep(0.1)
        pressed.append(time.monotonic())
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    threading.Thread(target=press, daemon=True).start()
    person.types(second)
    assert time.monotonic() - pressed[0] < 5
    assert person.server.left.wait(30)


# Options


@check("stop-list-space")
def _(person: Person, cell: str) -> None:
    assert person.asked(cell) == ["hi"]
    assert person.body["options"]["stop"] == ["END", "###"]


@check("option-after-words")
def _(person: Person, cell: str) -> None:
    seen = person.types(cell)
    assert person.server.prompts == ["What is a lambda? -m other:7b"]
    assert "“-m other:7b” was sent as text" in seen.text


@check("second-key-value")
def _(person: Person, cell: str) -> None:
    seen = person.types(cell)
    assert "temperature=0.2" in seen.text
    assert "its own -o" in seen.text


@check("option-wrong-layer")
def _(person: Person, *cells: str) -> None:
    expected = ("-o temperature=0.2", "--keep-alive 10m", "--no-think", "%ollama model tiny")
    for cell, place in zip(cells, expected, strict=True):
        assert place in person.refused(cell)


@check("expr-builtin")
def _(person: Person, first: str, second: str) -> None:
    person.types(first)
    assert "stays as typed" in person.types(second).text


@check("expr-method")
def _(person: Person, _first: str, second: str) -> None:
    pandas = pytest.importorskip("pandas")
    person.names["df"] = pandas.DataFrame({"a": [1]})
    assert "method" in person.types(second).text
    assert len(person.server.prompts[-1]) < 100


@check("switch-quotes")
def _(person: Person, *cells: str) -> None:
    assert person.asked(*cells[:3]) == ["one", "two"]
    shown = person.types(cells[3]).text
    assert re.search(r"drafts\W+2\b", shown), shown
    assert '"drafts"' not in shown


@check("system-empty")
def _(person: Person, *cells: str) -> None:
    assert person.asked(*cells) == ["hi"]
    assert [message["role"] for message in person.body["messages"]] == ["user"]


@check("keep-alive-minus1")
def _(person: Person, cell: str) -> None:
    assert person.asked(cell) == ["hi"]
    assert person.body["keep_alive"] == -1


@check("numpy-seed")
def _(person: Person, _first: str, second: str) -> None:
    numpy = pytest.importorskip("numpy")
    person.names.update(np=numpy, chat=ollama_magic.chat)
    assert person.asked(second) == ["x"]
    assert person.body["options"] == {"seed": 3}


# Answers


def folded_thought(person: Person, first: str, second: str) -> None:
    assert person.asked(first, second) == ["a", "b"]
    assert person.body["messages"][1]["content"] == "The **answer**"
    assert ollama_magic.last.text == "The **answer**"


check("lone-close")(folded_thought)
check("open-close")(folded_thought)


@check("thought-only")
def _(person: Person, cell: str) -> None:
    seen = person.types(cell)
    assert "thought" in seen.text
    assert "without an answer" in seen.text


@check("oom-in-stream")
def _(person: Person, cell: str) -> None:
    text = person.failed(cell)
    assert "num_ctx" in text
    assert "smaller model" in text
    assert "run the cell again" not in text


@check("load-timeout")
def _(person: Person, cell: str) -> None:
    assert "OLLAMA_LOAD_TIMEOUT" in person.failed(cell)


@check("memory-500")
def _(person: Person, cell: str) -> None:
    text = person.failed(cell)
    assert "smaller model" in text
    assert "num_ctx" in text


@check("terminal-cp1252")
def _(person: Person, folder: Path, *cells: str) -> None:
    words = ("-m", "IPython", "--colors=nocolor", "--no-banner", "--simple-prompt")
    shown = program(person, *words, input="\n".join(cells).encode(), env={"PYTHONIOENCODING": "cp1252"})
    assert "café — " in shown, shown
    assert not re.search("DisplayFailed|Traceback|Error", shown), shown


@check("text-8000")
def _(person: Person, *cells: str) -> None:
    assert person.asked(*cells) == ["Summarise: " + "word " * 9000]


# Commands and cells


@check("magic-second-line")
def _(person: Person, cell: str) -> None:
    text = person.refused(cell)
    assert "%%chat" in text
    assert "must begin the cell" in text


@check("cli-words")
def _(person: Person, *cells: str) -> None:
    for cell, place in zip(cells, ("`%ollama start`", "`%chat -m tiny hi`", "`%ollama stop tiny`"), strict=True):
        assert place in person.refused(cell)


@check("capture-time")
def _(person: Person, first: str, second: str, third: str) -> None:
    assert person.types(first).text == ""
    assert "A good answer." in person.types(second).text
    assert re.search(r"A good answer\..*Wall time", person.types(third).text, re.DOTALL)


@check("out-number")
def _(person: Person, *cells: str) -> None:
    person.shell.run_cell(cells[0], store_history=True)
    assert person.asked(cells[1]) == ["translate A good answer."]


@check("braces")
def _(person: Person, *cells: str) -> None:
    assert person.asked(*cells) == ["{x} $x {len('w')} ${HOME}"]


@check("no-argument")
def _(person: Person, cell: str) -> None:
    assert person.refused(cell)
