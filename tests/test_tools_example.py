"""The example of tools does what it shows: functions over a frame, the steps of an answer, and a confirmation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from nbclient import NotebookClient

from tests import examples
from tests.machine.environments import PYTHONPATH

if TYPE_CHECKING:
    from nbformat import NotebookNode

NAME = "tools.ipynb"
STEPS = [
    ("sold", {"month": "May"}, "{'lamp': 42, 'kettle': 17, 'chair': 9}"),
    ("left", {"product": "lamp"}, "4"),
]


def answer(notebook: NotebookNode, cell: str) -> dict[str, Any]:
    """The one answer below a cell."""
    (found,) = [one for one in notebook.cells if one.id == cell]
    (output,) = [output for output in found.outputs if "ollama_magic" in output.get("metadata", {})]
    return dict(output)


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> NotebookNode:
    """The example, run anew; saved with its answers, if that is wanted."""
    pytest.importorskip("pandas")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", PYTHONPATH)
        patch.setenv("OLLAMA_MAGIC_CACHE", str(tmp_path_factory.mktemp("cache")))  # recorded dialogues need no model
        notebook = examples.saved(NAME)
        language = notebook.metadata.language_info
        folder = str(tmp_path_factory.mktemp("example"))
        NotebookClient(notebook, timeout=100, record_timing=False, resources={"metadata": {"path": folder}}).execute()
        notebook.metadata.language_info = language
    examples.save(notebook, NAME, "demo")  # the port differs every time
    return notebook


def test_the_functions_run_and_the_answer_has_their_results(executed: NotebookNode) -> None:
    """The model calls both functions, one after the other, and a call that nobody confirms does not run."""
    assert examples.errors(executed) == []
    steps = answer(executed, "ask")["metadata"]["ollama_magic"]["steps"]
    assert [(step["name"], step["arguments"], step["result"]) for step in steps] == STEPS
    assert [step["round"] for step in steps] == [1, 2]
    assert steps[1]["output"] == "looking for lamp\n"
    assert "42 pieces" in answer(executed, "ask")["data"]["text/plain"]
    (order,) = answer(executed, "order")["metadata"]["ollama_magic"]["steps"]
    assert "nobody can be asked" in order["error"]
    assert "nothing" in answer(executed, "order")["data"]["text/plain"]


def test_it_reads_well_as_saved() -> None:
    """In the file stand the calls as lines that unfold, above the answers that the test gets as well, and no widget."""
    saved = examples.saved(NAME)
    html = answer(saved, "ask")["data"]["text/html"]
    first, second = html.index("sold(month=&quot;May&quot;) → {"), html.index("left(product=&quot;lamp&quot;) → 4")
    assert first < second < html.index("sold best in May")
    assert html.count("<details>") == 2
    assert "widgets" not in saved.metadata
