"""`%ollama fix` and `%ollama explain`: a turn about the last exception, or about the cell that ran last."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

import ollama_magic
from tests.answers import chats
from tests.double import ScriptedServer
from tests.shells import run

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY = "sk-very-secret-42"
# Its class is known, for other tests look at all objects there are, and IPython keeps this one.
_DUMB = (
    "class Dumb(Exception):\n    def __getattribute__(self, name):\n        if name != '__class__':\n"
    "            raise RuntimeError(name)\n        return Dumb\n"
)


@pytest.fixture(scope="module")
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer(pace=0, answers=lambda _: ["Because."]) as running:
        yield running


def ran(shell: Any, cell: str) -> Any:
    return shell.run_cell(cell, store_history=True)


def asked(server: ScriptedServer) -> str:
    """The newest prompt that was sent."""
    return str(chats(server)[-1].json["messages"][-1]["content"])


def test_an_error_of_a_cell(shell: Any, server: ScriptedServer) -> None:
    """The cell, its traceback without our frames and the variables of the failing line go along; a line says so."""
    number = shell.execution_count
    ran(shell, "def ratio(rows):\n    half = 2\n    return half / len(rows)\n\nratio([])")
    said, error = run(shell, "%ollama fix keep the loop")
    assert error is None
    assert "Because." in said
    prompt = asked(server)
    assert "\n\nkeep the loop\n\n" in prompt
    assert "```python\ndef ratio(rows):\n    half = 2" in prompt
    assert "line 3, in ratio\n    return half / len(rows)\nZeroDivisionError: division by zero" in prompt
    assert "- half: int = 2\n- rows: list, 0 items = []" in prompt
    assert "IPython" not in prompt
    note = f"goes along: cell {number}, its traceback (ZeroDivisionError: division by zero), the variables half, rows"
    assert ollama_magic.last.status.before == (note,)
    assert ollama_magic.last.status.turns_sent == 1
    reply = shell.run_cell("r = %ollama fix")
    assert reply.error_in_exec is None
    assert shell.user_ns["r"] is ollama_magic.last
    assert shell.user_ns["r"].status.turns_sent == 2


def test_a_function_of_another_cell(shell: Any, server: ScriptedServer) -> None:
    """A function that the failed cell does not hold goes along as a whole, and the line above says so."""
    source = "def share(part, whole):\n    # of all\n    a = 1\n    b = 2\n    c = 3\n\n    return part / whole"
    ran(shell, source)
    ran(shell, "share(1, 0)")
    run(shell, "%ollama fix")
    assert f"The function that raised it, share of a cell:\n\n```python\n{source}\n```" in asked(server)
    assert "the function share of a cell, the variables part, whole" in str(ollama_magic.last.status.before)


@pytest.mark.parametrize(
    ("cell", "parts"),
    [
        ("x = = 1", ["x = = 1", "SyntaxError: invalid syntax"]),
        ("raise KeyboardInterrupt", ["KeyboardInterrupt"]),
        ("text = 'x' * 9_000_000\nraise ValueError(text)", ["ValueError: xxx", "- text: str, 9,000,000 characters"]),
        ("missing", ["NameError: name 'missing' is not defined"]),
        ("{{df}} + '```'", ["{{df}} + '```'", "````python"]),
        (f"{_DUMB}raise Dumb('lost?')", ["in <module>", "Dumb: lost?"]),
        ("class Odd(Exception):\n    exceptions = 5\n    __notes__ = 7\nraise Odd('lost?')", ["Odd: lost?"]),
    ],
)
def test_kinds_of_errors(shell: Any, server: ScriptedServer, cell: str, parts: list[str]) -> None:
    """Syntax errors, ■, huge values and braces arrive as they are, bounded, within fences that hold."""
    ran(shell, cell)
    _, error = run(shell, "%ollama fix")
    assert error is None
    assert [part for part in parts if part not in asked(server)] == []
    assert len(asked(server)) < 14_000


@pytest.mark.parametrize("code", ["x = = 1", "if True:\nx = 1", "if True:\n\tx = 1\n        y = 2"])
def test_the_note_names_an_error_in_the_syntax(shell: Any, server: ScriptedServer, code: str) -> None:
    """The line above says what the error is, not where: that stands in what goes along."""
    error = ran(shell, code).error_before_exec
    run(shell, "%ollama fix")
    (note,) = ollama_magic.last.status.before
    assert f"its traceback ({type(error).__name__}: {error.msg})" in note


def test_keys_are_masked(shell: Any, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key in the cell, the message, a variable or the line above is never sent or shown; neither is a password."""
    monkeypatch.setenv("OLLAMA_API_KEY", KEY)
    ran(shell, f"header, my_password = 'Bearer {KEY}', None\nmy_password = 'hunter2'\nraise ValueError(header)")
    run(shell, "%ollama fix")
    assert "my_password = •••" in asked(server)
    assert "ValueError: •••" in asked(server)
    for secret in (KEY, "hunter2"):
        assert secret not in asked(server) + str(ollama_magic.last.status.before)


def test_a_secret_is_hidden_wherever_it_stands(shell: Any, server: ScriptedServer) -> None:
    """The text of a variable that says it is secret stands in no message and no other variable."""
    run(shell, "password = 'correct horse'")
    cell = "def call(api_key):\n    url = f'/{api_key}/{password}'\n    raise ValueError(f'no answer from {url}')"
    ran(shell, f"{cell}\ncall('of the caller')")
    run(shell, "%ollama fix")
    assert "no answer from /•••/•••" in asked(server)
    for secret in ("correct horse", "of the caller"):
        assert secret not in asked(server) + str(ollama_magic.last.status.before)


def test_nothing_to_ask_about(shell: Any, server: ScriptedServer) -> None:
    """Without a failed cell, or without any, it is one line, and nothing is sent; errors of our own do not count."""
    before = len(chats(server))
    _, error = run(shell, "%ollama fix")
    assert str(error) == "No cell has failed so far; `%ollama explain` asks about the cell that ran last."
    _, error = run(shell, "%ollama explain")
    assert str(error) == "No other cell has run so far; run one, then `%ollama explain`."
    run(shell, "%%chat -m\nx")
    assert isinstance(run(shell, "%ollama fix")[1], ollama_magic.OllamaMagicError)
    assert len(chats(server)) == before


def test_an_error_before_loading(shell: Any, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The exception of a cell that ran before the extension was loaded counts too; that of another program does not."""
    shell.run_line_magic("unload_ext", "ollama_magic")
    ran(shell, "early = 0\n1 / early")
    shell.run_line_magic("load_ext", "ollama_magic")
    _, error = run(shell, "%ollama fix")
    assert error is None
    assert "1 / early" in asked(server)
    assert "- early: int = 0" in asked(server)
    monkeypatch.setattr(sys, "last_value", ValueError("of another"), raising=False)
    assert isinstance(run(shell, "%ollama fix")[1], ollama_magic.OllamaMagicError)


def test_explain(shell: Any, server: ScriptedServer) -> None:
    """The cell that ran last goes along with what it showed or raised, and its variables; chat cells do not count."""
    number = shell.execution_count
    ran(shell, "total = sum([1, 2])\ntotal")
    run(shell, "%chat hello there")
    _, error = run(shell, "%ollama explain for a child")
    assert error is None
    assert "for a child" in asked(server)
    assert "```python\ntotal = sum([1, 2])\ntotal\n```" in asked(server)
    assert f"Out [{number}]:\n3" in asked(server)
    assert "- total: int = 3" in asked(server)
    assert ollama_magic.last.status.before == (f"goes along: cell {number}, what it showed, the variable total",)
    ran(shell, "1 / 0")
    run(shell, "%ollama explain")
    assert "ZeroDivisionError: division by zero" in asked(server)
