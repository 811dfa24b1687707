"""The example of the panel does what it shows, and its saved answers are those of the demo server."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
from nbclient import NotebookClient

from tests.answers import chats, sent

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest
    from nbformat import NotebookNode

    from ollama_magic.demo.server import DemoServer

ROOT = Path(__file__).parent.parent
EXAMPLE = ROOT / "examples" / "panel.ipynb"


def shown(notebook: NotebookNode) -> list[dict[str, Any]]:
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return [dict(output["data"]) for output in outputs if "ollama_magic" in output.get("metadata", {})]


def test_the_example_runs_and_reads_as_saved(
    demo_server: Callable[..., DemoServer], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Run anew, the example gives the very answers and the transcript that are saved in it, and no widget."""
    saved = nbformat.read(EXAMPLE, as_version=4)
    nbformat.validate(saved)
    server = demo_server(pace=0)
    monkeypatch.setenv("OLLAMA_HOST", server.url)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    again = nbformat.read(EXAMPLE, as_version=4)
    NotebookClient(again, timeout=60, resources={"metadata": {"path": str(tmp_path)}}).execute()
    texts = [bundle["text/plain"] for bundle in shown(again)]
    assert texts == [bundle["text/plain"] for bundle in shown(saved)]
    assert texts[1].count("\n> ") == 2
    assert "What is my name?" in texts[1]
    assert all(set(bundle) == {"text/html", "text/plain"} for bundle in shown(saved))
    assert "widgets" not in saved.metadata
    assert not [one for cell in again.cells for one in cell.get("outputs", []) if one.output_type == "error"]
    assert [text for role, text in sent(chats(server)[-1]) if role == "user"][-1] == "What is my name?"
    assert "no Ollama" in saved.cells[0].source or "otherwise" in saved.cells[0].source
