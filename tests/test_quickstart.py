"""The quickstart does what it shows: every cell of it runs, without a front end, on the demo server."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import nbformat
import pytest

from ollama_magic.demo.demo_server import DemoServer
from ollama_magic.demo.engine.local_models import local_models
from tests import examples
from tests.answers import chats, sent
from tests.engine.local_weights import local_weights

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from nbformat import NotebookNode

    from tests.double import ScriptedServer

NAME = "quickstart.ipynb"
WRITTEN = ("hello", "follow-up", "options", "variables", "assigned", "chinese", "thinking")  # before anybody asked
RECORDED = ("hello", "assigned", "chinese", "thinking")
FREE = "free"
LABELS = {
    **dict.fromkeys(WRITTEN, "*demo: scripted"),
    **dict.fromkeys(RECORDED, "*recorded: "),
    FREE: "*smollm2:135m: a real answer, and often wrong*",
}
PACE = None if os.environ.get(examples.SAVE) else 0.0  # that of the recordings, for the figures in the saved history


@pytest.fixture
def real_model(monkeypatch: pytest.MonkeyPatch) -> Iterator[DemoServer]:
    """The demo server of a machine that has the small model."""
    monkeypatch.setenv("OLLAMA_MAGIC_ENGINE_THREADS", "1")
    with DemoServer(pace=PACE, local=local_models(folder=local_weights().parent)) as server:
        yield server


def outputs(notebook: NotebookNode, name: str) -> list[NotebookNode]:
    return next(cell.outputs for cell in notebook.cells if cell.id == name)


def test_the_quickstart_reads_as_saved(real_model: DemoServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Run anew on the demo server it gives the answers that are saved in it, and the free question a real one."""
    notebook = examples.executed(NAME, real_model, monkeypatch, tmp_path)
    examples.save(notebook, NAME, "panel")  # it says a second time what stands above
    saved = examples.saved(NAME)
    assert examples.errors(notebook) == []
    for name, label in LABELS.items():
        old, new = outputs(saved, name)[0], outputs(notebook, name)[0]
        for bundle in (old, new):
            assert bundle["metadata"]["ollama_magic"]["state"] == "complete"
            assert bundle["data"]["text/plain"].rpartition("\n")[2].startswith(label), name
        if name in WRITTEN:  # a real answer may differ from machine to machine
            assert old["data"]["text/plain"] == new["data"]["text/plain"]
    assert outputs(notebook, FREE)[0]["data"]["text/plain"].count(" ") > 10


def test_the_quickstart_needs_no_widget() -> None:
    """Every saved answer stands in the file as HTML and as plain text, and nothing else."""
    saved = examples.saved(NAME)
    for name in LABELS:
        assert set(outputs(saved, name)[0]["data"]) == {"text/html", "text/plain"}, name
    assert "widgets" not in saved.metadata
    assert not any(cell.get("execution_count") or cell.metadata for cell in saved.cells)


def test_the_quickstart_without_a_model(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where no language model is installed every cell runs, and the free question is answered with how to get one."""
    with DemoServer(pace=0) as server:
        notebook = examples.executed(NAME, server, monkeypatch, tmp_path)
    assert examples.errors(notebook) == []
    saved = examples.said(examples.saved(NAME))
    found = examples.said(notebook)
    assert [found[name] for name in WRITTEN] == [saved[name] for name in WRITTEN]
    assert "No language model is installed here" in found[FREE][0]
    assert "%ollama pull smollm2:135m" in found[FREE][0]


def test_the_quickstart_is_one_conversation(
    demo_server: Callable[..., ScriptedServer], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """On a server without recordings every cell runs; what is sent is one conversation, and a free question alone."""
    server = demo_server(pace=0)
    notebook = examples.executed(NAME, server, monkeypatch, tmp_path)
    assert examples.errors(notebook) == []
    assert len(examples.answers(notebook)) == len(LABELS) + 1  # the panel's transcript
    assert "def " in "".join(output.get("text", "") for output in outputs(notebook, "assigned"))
    *_, last, free = [[text for role, text in sent(chat) if role == "user"] for chat in chats(server)]
    assert last[0] == "Hello, how are you?"
    assert "'Bergen': 2250" in last[3]
    assert len(last) == len(WRITTEN)
    assert free == ["What is a glacier? Answer in two sentences."]


def test_the_quickstart_says_who_answers() -> None:
    """It says what answers where there is no Ollama, how answers are marked, and how good the free ones are."""
    cells = {cell.id: cell.source for cell in examples.saved(NAME).cells}
    marks = ("Where there is none", "demo", "*recorded*", "*scripted*", "*a real answer*")
    assert all(words in cells["intro"] for words in marks)
    assert "It is tiny and will often be\nwrong" in cells["anything"]
    assert "ollama pull gemma3:4b" in cells["better"]


def test_no_example_is_taken_for_another() -> None:
    """Two examples that are open at once are two notebooks: they share no cell id that would identify one of them.

    Ids of at most seven characters identify nothing.
    """
    notebooks = [nbformat.read(path, 4) for path in (examples.ROOT / "examples").glob("*.ipynb")]
    ids = [
        cell.id for notebook in notebooks for cell in notebook.cells if len(cell.id) > 7
    ]  # shorter ones do not count
    assert sorted(set(ids)) == sorted(ids)
