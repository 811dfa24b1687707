"""The notebooks in `examples/`: run anew on a demo server, compared with what is saved in them, and saved."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
from nbclient import NotebookClient

from tests.machine.environments import PYTHONPATH

if TYPE_CHECKING:
    import pytest
    from nbformat import NotebookNode

    from ollama_magic.demo.demo_server import DemoServer
    from tests.double import ScriptedServer

ROOT = Path(__file__).parent.parent
SAVE = "OLLAMA_MAGIC_SAVE_EXAMPLES"  # set, the notebooks are saved with the new answers


def saved(name: str) -> NotebookNode:
    """An example as it stands in the repository."""
    notebook = nbformat.read(ROOT / "examples" / name, as_version=4)
    nbformat.validate(notebook)
    return notebook


def executed(
    name: str, server: ScriptedServer | DemoServer | None, patch: pytest.MonkeyPatch, folder: Path
) -> NotebookNode:
    """The example, run in a folder of its own without a front end; without a server no Ollama answers at first."""
    patch.setenv("OLLAMA_HOST", server.url if server else "127.0.0.1:9")
    patch.setenv("PYTHONPATH", PYTHONPATH)
    notebook = saved(name)
    language = notebook.metadata.language_info
    NotebookClient(notebook, timeout=120, record_timing=False, resources={"metadata": {"path": str(folder)}}).execute()
    notebook.metadata.language_info = language
    return notebook


def answers(notebook: NotebookNode) -> list[str]:
    """The texts of the answers that stand under the cells."""
    return [bundle["text/plain"] for bundle in shown(notebook)]


def shown(notebook: NotebookNode) -> list[dict[str, Any]]:
    """What stands in our outputs under the cells; those into which a panel's transcript grows hold nothing."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return [
        dict(output["data"]) for output in outputs if "ollama_magic" in output.get("metadata", {}) and output["data"]
    ]


def said(notebook: NotebookNode) -> dict[str, list[str]]:
    """What each cell of code says, in plain text."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    return {cell.id: [_text(output) for output in cell.outputs if output.get("data") != {}] for cell in cells}


def _text(output: NotebookNode) -> str:
    return str(output.get("text") or output.get("evalue") or output["data"]["text/plain"])


def errors(notebook: NotebookNode) -> list[str]:
    """What went wrong in the cells."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return [output["evalue"] for output in outputs if output["output_type"] == "error"]


def save(notebook: NotebookNode, name: str, *unsaved: str) -> None:
    """Save the example with its answers, if that is wanted; cells named in `unsaved` without theirs."""
    if not os.environ.get(SAVE):
        return
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.execution_count = None
            cell.metadata.pop("execution", None)
        if cell.id in unsaved:
            cell.outputs = []
    nbformat.write(notebook, ROOT / "examples" / name)
