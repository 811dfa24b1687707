"""Notebooks as they are executed without a front end, and what stands in them afterwards."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import nbformat
from nbclient import NotebookClient

if TYPE_CHECKING:
    from nbformat import NotebookNode

KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}
HANG_S = 60


def notebook(*cells: str) -> NotebookNode:
    """A notebook that loads the extension in its first cell; the given cells follow from 1."""
    made = nbformat.v4.new_notebook(metadata={"kernelspec": KERNEL})
    made.cells = [nbformat.v4.new_code_cell(text) for text in ("%load_ext ollama_magic", *cells)]
    return made


def executed(*cells: str, **options: Any) -> NotebookNode:
    """The notebook after nbclient has run it."""
    made = notebook(*cells)
    NotebookClient(made, kernel_name="python3", timeout=HANG_S, **options).execute()
    nbformat.validate(made)
    return made


def outputs(made: NotebookNode, index: int) -> list[dict[str, Any]]:
    """A cell's outputs as plain data."""
    return list(json.loads(json.dumps(made.cells[index].outputs)))


def answer(made: NotebookNode, index: int) -> str:
    """The text/plain of the cell's first output."""
    return str(outputs(made, index)[0]["data"]["text/plain"])


def state(made: NotebookNode, index: int) -> str:
    """How the turn of the cell's first output ended, as its metadata say."""
    return str(outputs(made, index)[0]["metadata"]["ollama_magic"]["state"])
