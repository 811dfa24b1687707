"""Cells moved, cut and pasted or copied in mid-answer: JupyterLab's part has their outputs settle all the same."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING

import pytest

from tests.answers import held, paragraphs
from tests.browser.lab import NOTEBOOK_JS, WAIT_MS, Lab
from tests.browser.test_labextension import do

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.browser.lab import NotebookPage
    from tests.double import ScriptedServer

pytestmark = pytest.mark.skipif(not Lab.labextension, reason="JupyterLab's part is turned off")

STATES = f"""() => {NOTEBOOK_JS}.content.widgets.flatMap(cell => cell.model.outputs.toJSON())
    .map(output => output.metadata.ollama_magic?.state).filter(Boolean).join()"""


@pytest.mark.parametrize("magic", ["%%chat", "%%chat -b"])
def test_moved_in_mid_answer(
    demo_server: Callable[..., ScriptedServer], notebook: Callable[..., NotebookPage], magic: str
) -> None:
    """A cell that is moved in mid-answer, and a copy of it, end with the whole answer, in the page and in the file."""
    released = threading.Event()
    server = demo_server(pace=0, answers=lambda _: held(paragraphs(6), released))
    page = notebook(server, f"{magic}\nTell me.", "1 + 1")
    page.start(1)
    page.wait_text(1, "p2")
    do(page, 1, "move-cell-down", "copy-cell", "paste-cell-below")
    released.set()
    page.page.wait_for_function(f"() => ({STATES})() === 'complete,complete'", timeout=WAIT_MS)
    page.wait_idle()
    for cell in page.save()["cells"][2:]:
        (output,) = cell["outputs"]
        assert "".join(output["data"]["text/plain"]) == paragraphs(6)
        assert "widget" not in json.dumps(output)
    assert page.errors == []
