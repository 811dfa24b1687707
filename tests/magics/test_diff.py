"""`%ollama diff`: the answer of a turn and the one that it replaced."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

import ollama_magic
from tests.double import ScriptedServer
from tests.shells import run

if TYPE_CHECKING:
    from collections.abc import Iterator

ANSWERS = ["The sky is blue.", "The sky is grey.", "Rain falls.", "Rain falls down."]


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    answers = iter(ANSWERS)
    with ScriptedServer(pace=0, answers=lambda _: [next(answers)]) as running:
        yield running


def in_cell(shell: Any, cell: str, source: str, execution: list[int] = [0]) -> BaseException | None:  # noqa: B006
    """Run a cell that has an id, as a front end does."""
    execution[0] += 1
    parent = {"header": {"msg_id": str(execution[0])}, "metadata": {"cellId": cell}}
    shell.kernel = SimpleNamespace(get_parent=lambda: parent)
    try:
        return run(shell, source)[1]
    finally:
        del shell.kernel


def test_diff(shell: Any) -> None:
    """Without a number it is the newest turn that replaced an answer; undo and redo are followed; data is the text."""
    shell.run_cell("%config OllamaMagic.display = 'html'")
    assert str(run(shell, "%ollama diff")[1]).startswith("No answer of this conversation has replaced another one")
    for cell in ("a", "a", "b"):
        assert in_cell(shell, cell, "%%chat\nSky?") is None
    said, error = run(shell, "%ollama diff")
    assert error is None
    assert said.startswith("Turn 1 and the answer it replaced · 1 word deleted, 1 inserted")
    assert said.rstrip().endswith("The sky is [-blue-]{+grey+}.")
    _, error = run(shell, "%ollama diff 2")
    assert str(error) == "Turn 2 replaced no answer; run its cell again, then `%ollama diff 2`."
    assert in_cell(shell, "b", "%%chat\nSky?") is None
    run(shell, "found = %ollama diff 2")
    assert shell.user_ns["found"].endswith("Rain falls{+ down+}.")
    run(shell, "%ollama undo")
    assert run(shell, "%ollama diff")[0].startswith("Turn 1 ")
    run(shell, "%ollama redo")
    assert run(shell, "%ollama diff")[0].startswith("Turn 2 ")
    for wrong in ("7", "0", "one"):
        assert isinstance(run(shell, f"%ollama diff {wrong}")[1], ollama_magic.OllamaMagicError)
