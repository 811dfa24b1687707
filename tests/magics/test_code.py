"""`%ollama code`: code of the newest answer becomes a new cell, or is shown with the reason."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

import ollama_magic
from tests.double import ScriptedServer
from tests.shells import run

if TYPE_CHECKING:
    from collections.abc import Iterator

BASH, PYTHON = "pip install x", "def hi():\n    return 1"
ANSWER = f"First:\n\n```bash\n{BASH}\n```\n\nthen\n\n```python\n{PYTHON}\n```\n\nand\n\n```\nhi()\n```\n"


@pytest.fixture(scope="module")
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer(pace=0, answers=lambda _: [ANSWER]) as running:
        yield running


def inserted(shell: Any, line: str) -> tuple[str | None, str]:
    """The text of the new cell, and what the command says."""
    shell.rl_next_input = None
    said, error = run(shell, line)
    assert error is None
    return shell.rl_next_input, said


def test_the_code_of_an_answer_becomes_a_cell(shell: Any) -> None:
    """Without a number the first Python block is inserted, with one that block, with `all` all in one cell."""
    _, error = run(shell, "%ollama code")
    assert str(error) == "There is no answer yet; run a cell that begins with `%%chat`."
    run(shell, "%%chat\nCode?")
    text, said = inserted(shell, "%ollama code")
    assert text == PYTHON
    assert said.startswith("Inserted as a new cell: code block 2 of 3.")
    assert inserted(shell, "%ollama code 1")[0] == "pip install x"
    assert inserted(shell, "%ollama code all")[0] == f"pip install x\n\n{PYTHON}\n\nhi()"
    assert inserted(shell, "found = %ollama code 3") == (None, "")
    assert shell.user_ns["found"] == "hi()"
    ollama_magic.last.text_parts[:] = []  # as after a restart: what is stored counts
    assert inserted(shell, "%ollama code")[0] == PYTHON


@pytest.mark.parametrize("line", ["4", "0", "two", "-1"])
def test_a_block_that_is_not_there(shell: Any, line: str) -> None:
    """A number that no block has, and any other word, is one line, and no cell is inserted."""
    run(shell, "%%chat\nCode?")
    shell.rl_next_input = None
    _, error = run(shell, f"%ollama code {line}")
    assert isinstance(error, ollama_magic.OllamaMagicError)
    assert "\n" not in str(error)
    assert shell.rl_next_input is None


def test_a_front_end_that_ignores_it(shell: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a front end, as in nbclient, and on Colab the code is shown, and the line says why."""
    run(shell, "%%chat\nCode?")
    monkeypatch.setitem(sys.modules, "google.colab", ModuleType("google.colab"))
    text, said = inserted(shell, "%ollama code")
    assert text is None
    assert said.startswith(PYTHON)
    assert "Shown, not inserted, because Colab inserts no cells for a kernel" in said
    unattended = {"header": {"msg_id": "1"}, "content": {"allow_stdin": False}}
    monkeypatch.setattr(shell, "kernel", SimpleNamespace(get_parent=lambda: unattended), raising=False)
    text, said = inserted(shell, "%ollama code")
    assert text is None
    assert "because this notebook runs without a front end" in said


def test_an_answer_without_code(shell: Any, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer without code is one line that says what to do."""
    monkeypatch.setattr(server.state, "answers", lambda _: ["Only words."])
    run(shell, "%%chat\nCode?")
    _, error = run(shell, "%ollama code")
    assert str(error) == "The newest answer has no code block; ask for code, then run `%ollama code`."


def test_hidden_characters_are_marked(shell: Any, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is inserted is what one sees: controls are gone, hidden characters stand there as marks."""
    monkeypatch.setattr(server.state, "answers", lambda _: ["```python\nx = 1 \x1b[31m# \u202eevil\n```"])
    run(shell, "%%chat\nCode?")
    text, _ = inserted(shell, "%ollama code")
    assert text is not None
    assert "\u202e" not in text
    assert "\x1b" not in text
    assert text.startswith("x = 1 # ")
