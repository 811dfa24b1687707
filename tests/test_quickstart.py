"""The quickstart does what it shows: every cell of it runs, without a front end, on the demo server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests import examples
from tests.answers import chats, sent

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

    from ollama_magic.demo.server import DemoServer

NAME = "quickstart.ipynb"
ASKING = ("hello", "follow-up", "options", "variables", "assigned", "chinese", "thinking")
RECORDED = ("hello", "assigned", "chinese", "thinking")


def test_the_quickstart_reads_as_saved(
    demo_server: Callable[..., DemoServer], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Run anew on what Binder replays, it gives the very answers that are saved in it; none of them needs a widget."""
    server = demo_server(replay=examples.ANSWERS)  # at the recorded pace, for the figures in the history
    notebook = examples.executed(NAME, server, monkeypatch, tmp_path)
    examples.save(notebook, NAME, "panel")  # it says a second time what stands above
    saved = examples.saved(NAME)
    assert examples.errors(notebook) == []
    assert examples.answers(notebook)[: len(ASKING)] == examples.answers(saved)
    cells = {cell.id: cell for cell in saved.cells}
    for name in ASKING:
        bundle = cells[name].outputs[0]
        assert set(bundle["data"]) == {"text/html", "text/plain"}, name
        assert bundle["metadata"]["ollama_magic"]["state"] == "complete"
        label = bundle["data"]["text/plain"].rpartition("\n")[2]
        assert label.startswith("*recorded: " if name in RECORDED else "*demo: scripted"), name
    assert "widgets" not in saved.metadata
    assert not any(cell.get("execution_count") or cell.metadata for cell in saved.cells)


def test_the_quickstart_without_recordings(
    demo_server: Callable[..., DemoServer], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """On a demo server that replays nothing every cell runs, and what is sent is one conversation."""
    server = demo_server(pace=0)
    notebook = examples.executed(NAME, server, monkeypatch, tmp_path)
    assert examples.errors(notebook) == []
    assert len(examples.answers(notebook)) == len(ASKING) + 1  # the panel's transcript
    cells = {cell.id: cell for cell in notebook.cells}
    assert "def " in "".join(output.get("text", "") for output in cells["assigned"].outputs)
    prompts = [text for role, text in sent(chats(server)[-1]) if role == "user"]
    assert prompts[0] == "Hello, how are you?"
    assert "'Bergen': 2250" in prompts[3]
    assert len(prompts) == len(ASKING)


def test_the_quickstart_says_who_answers() -> None:
    """Its first cell says what answers where there is no Ollama, and how its answers are marked."""
    first = examples.saved(NAME).cells[0].source
    assert all(words in first for words in ("Where there is none", "demo", "*recorded*", "*scripted*"))
