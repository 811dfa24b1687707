"""A notebook that nbclient runs again: nothing in its file changes but execution counts."""

from __future__ import annotations

import nbformat
from nbclient import NotebookClient

from tests.browser.lab import ROOT
from tests.browser.test_cells import AGAIN, said, without_counts


def test_run_again_without_a_front_end(demo_server, monkeypatch, tmp_path):
    """With a fixed seed two runs by nbclient give the same file."""
    monkeypatch.setenv("OLLAMA_HOST", demo_server(pace=0, answers=said).url)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    sources = ["%load_ext ollama_magic", *AGAIN[:-1]]  # nothing reaches the file after the last cell, as -b would
    notebook = nbformat.v4.new_notebook()
    notebook.cells = [nbformat.v4.new_code_cell(source, id=f"cell-{n}") for n, source in enumerate(sources)]
    files = []
    for _ in range(2):
        NotebookClient(notebook, record_timing=False, resources={"metadata": {"path": str(tmp_path)}}).execute()
        files.append(without_counts(nbformat.from_dict(notebook).copy()))
        nbformat.validate(notebook)
    assert "You said: two Ada" in str(files[0]["cells"][3]["outputs"])
    assert files[0] == files[1]
