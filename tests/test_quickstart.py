"""The quickstart does what it shows: every cell of it runs, without a front end, on the demo server."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
import pytest
from nbclient import NotebookClient

from tests.answers import chats, sent

if TYPE_CHECKING:
    from collections.abc import Callable

    from nbformat import NotebookNode

    from ollama_magic.demo.server import DemoServer

pytestmark = pytest.mark.xdist_group("kernel")
ROOT = Path(__file__).parent.parent
QUICKSTART = ROOT / "examples" / "quickstart.ipynb"


def executed(server: DemoServer, patch: pytest.MonkeyPatch) -> NotebookNode:
    patch.setenv("OLLAMA_HOST", server.url)
    patch.setenv("PYTHONPATH", str(ROOT))
    notebook = nbformat.read(QUICKSTART, as_version=4)
    NotebookClient(notebook, timeout=60).execute()
    return notebook


def test_the_quickstart_runs(demo_server: Callable[..., DemoServer], monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten cells run without an error, and each chat cell leaves an answer that needs no widget."""
    server = demo_server(pace=0)
    notebook = executed(server, monkeypatch)
    cells = {cell.id: cell for cell in notebook.cells}
    assert len(cells) == 10
    for name in ("hello", "follow-up", "options", "variables", "chinese", "thinking"):
        bundle = cells[name].outputs[-1]
        assert set(bundle["data"]) == {"text/html", "text/plain"}, name
        assert bundle["metadata"]["ollama_magic"]["state"] == "complete"
    assert "def " in "".join(output.get("text", "") for output in cells["assigned"].outputs)
    prompts = [text for role, text in sent(chats(server)[-1]) if role == "user"]
    assert prompts[0] == "Hello, how are you?"
    assert "'Bergen': 2250" in prompts[3]
    assert "widgets" not in notebook.metadata


def test_the_quickstart_is_clean() -> None:
    """The quickstart in the repository carries no outputs and no execution counts."""
    notebook = nbformat.read(QUICKSTART, as_version=4)
    nbformat.validate(notebook)
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in notebook.cells)
