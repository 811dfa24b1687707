"""The example of answers that are data does what it shows, with a real model."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import pytest
from nbclient import NotebookClient

from tests import examples
from tests.engine.local_weights import local_weights
from tests.machine.environments import PYTHONPATH

if TYPE_CHECKING:
    from pathlib import Path

    from nbformat import NotebookNode

NAME = "data.ipynb"
ROWS = 8  # of the map, when a test runs it


def texts(notebook: NotebookNode, cell: str) -> list[str]:
    """What a cell shows, as plain text."""
    (found,) = [one for one in notebook.cells if one.id == cell]
    return [output["data"]["text/plain"] for output in found.outputs if "data" in output]


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> NotebookNode:
    """The example, run anew; saved with its answers, if that is wanted."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OLLAMA_MAGIC_CACHE", str(local_weights().parent))
        patch.setenv("OLLAMA_MAGIC_ENGINE_THREADS", "1")
        patch.setenv("PYTHONPATH", PYTHONPATH)
        notebook = examples.saved(NAME)
        if not os.environ.get(examples.SAVE):  # the saved one is of all rows
            (count,) = [cell for cell in notebook.cells if cell.id == "map-count"]
            count.source = f"count = {ROWS}"
        language = notebook.metadata.language_info
        folder = str(tmp_path_factory.mktemp("example"))
        NotebookClient(notebook, timeout=400, record_timing=False, resources={"metadata": {"path": folder}}).execute()
        notebook.metadata.language_info = language
    examples.save(notebook, NAME, "demo")  # the port differs every time
    return notebook


def test_the_example_runs_with_a_real_model(executed: NotebookNode) -> None:
    """A review becomes a value of the type, right in its mood, and the value a data frame of one row."""
    assert examples.errors(executed) == []
    (value,) = texts(executed, "value")
    assert value.startswith("Opinion(product=")
    assert "mood='positive'" in value
    (frame,) = texts(executed, "frame-of")
    assert frame.split()[:2] == ["product", "mood"]
    assert frame.endswith("positive")


def test_a_table_goes_along_and_a_figure_is_refused(executed: NotebookNode) -> None:
    """A CSV is sent as a table; a model that does not see refuses the figure in one line."""
    (ask,) = [one for one in executed.cells if one.id == "ask-csv"]
    (answer,) = ask.outputs
    assert "attached reviews.csv (table, " in answer["data"]["text/html"]
    assert "kettle" in answer["data"]["text/plain"].lower()
    (refused,) = [one for one in executed.cells if one.id == "ask-figure"]
    assert refused.outputs[0]["text"].startswith("smollm2:135m cannot see images; leave the images out")


def test_a_map_stops_and_goes_on(executed: NotebookNode) -> None:
    """The map ends with every row answered, some of them before the stop."""
    progress, state = texts(executed, "map-stop")
    assert state == "'stopped'"
    assert "stopped, " in progress
    (summary,) = texts(executed, "map-going-on")
    found = re.search(r"many: (\d+) answers \((\d+) kept from before\)", summary)
    assert found
    assert int(found[1]) == ROWS
    assert 0 < int(found[2]) < ROWS


def test_the_map_as_saved_is_of_two_hundred_rows() -> None:
    """In the file stand the summaries, the first rows as a table, and a figure of the result."""
    saved = examples.saved(NAME)
    (summary,) = texts(saved, "map-going-on")
    assert "many: 200 answers (" in summary
    assert "… 190 more" in summary
    (figure,) = [one for one in saved.cells if one.id == "map-figure"]
    assert "image/png" in figure.outputs[0]["data"]


def test_the_example_reads_well_as_saved(tmp_path: Path) -> None:
    """In the file stand a table of two columns, the JSON as text, the value and its frame, and no widget."""
    saved = examples.saved(NAME)
    (ask,) = [one for one in saved.cells if one.id == "ask"]
    (answer,) = ask.outputs
    assert set(answer["data"]) == {"text/html", "text/plain"}
    assert "<table><tbody><tr><th>" in answer["data"]["text/html"]
    assert answer["data"]["text/plain"].startswith("{")
    assert answer["metadata"]["ollama_magic"]["format"]["title"] == "Opinion"
    assert len(texts(saved, "frame")[0].splitlines()) == 11
    assert texts(saved, "value")
    assert "widgets" not in saved.metadata
