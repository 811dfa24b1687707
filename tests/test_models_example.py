"""The example about models does what it shows, and its saved answers are those of the demo server."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
from nbclient import NotebookClient

if TYPE_CHECKING:
    import pytest
    from nbformat import NotebookNode

ROOT = Path(__file__).parent.parent
EXAMPLE = ROOT / "examples" / "models.ipynb"
CHANGING = {"demo", "list", "ps", "left"}  # a port, and how long ago something was


def said(notebook: NotebookNode) -> dict[str, list[str]]:
    """What each cell of code says, in plain text."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    return {cell.id: [text(output) for output in cell.outputs] for cell in cells}


def text(output: NotebookNode) -> str:
    return str(output.get("text") or output["data"]["text/plain"])


def test_the_example_runs_and_reads_as_saved(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Run anew, without an Ollama, the example says what is saved in it, and no cell fails."""
    saved = nbformat.read(EXAMPLE, as_version=4)
    nbformat.validate(saved)
    monkeypatch.delenv("OLLAMA_HOST", raising=False)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    again = nbformat.read(EXAMPLE, as_version=4)
    NotebookClient(again, timeout=60, resources={"metadata": {"path": str(tmp_path)}}).execute()
    before, after = said(saved), said(again)
    assert set(before) == set(after) > CHANGING
    assert {name: words for name, words in after.items() if name not in CHANGING} == {
        name: words for name, words in before.items() if name not in CHANGING
    }
    assert "demo:latest" in after["left"][0]
    assert after["pull"] == ["`demo-small` is here: 420 MB in 5 layers."]
    assert "widgets" not in saved.metadata


def test_the_example_is_saved_as_html_and_text() -> None:
    """Every answer that is shown stands in the file as HTML and as plain text, and nothing else."""
    saved = nbformat.read(EXAMPLE, as_version=4)
    shown = [
        output.data
        for cell in saved.cells
        for output in cell.get("outputs", [])
        if output.output_type == "display_data"
    ]
    assert len(shown) > 10
    assert all(set(data) == {"text/html", "text/plain"} for data in shown)
