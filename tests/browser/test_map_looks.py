"""A map in a real JupyterLab: progress with a Stop button, then a summary and a table that need no extension."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.mapping.quick_server import QuickServer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.browser.lab import NotebookPage

ROWS = """import pandas as pd
texts = [f"Coffee number {n} was <b>good</b>." for n in range(60)]
reviews = pd.DataFrame({"text": texts, "stars": [n % 5 for n in range(60)]})"""
CELL = "%%map reviews --into labelled --concurrency 4\nIs this review positive, in the {theme}? {{text}}"


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_a_map_is_watched_stopped_and_continued(notebook: Callable[..., NotebookPage], shots: Path, dark: bool) -> None:
    """The bar shows what is done, Stop keeps it, running again asks for the rest, and the table is plain HTML."""

    async def answer(prompt: str) -> str:
        return f"Yes: {prompt[-20:]}"

    name = "dark" if dark else "light"
    cells = (ROWS, CELL.replace("{theme}", name), "print(len(labelled), set(labelled.state))")
    with QuickServer(answer, latency=0.4) as server:
        page = notebook(server, *cells, dark=dark)
        page.run(1)
        page.start(2)
        page.wait_text(2, "rows/s")
        assert "of 60" in page.text(2)
        page.shot(shots, f"map-live-{name}")
        page.output(2).get_by_role("button", name="Stop").click()
        page.wait_run(2)
        page.wait_text(2, "stopped")
        page.shot(shots, f"map-stopped-{name}")
        asked = server.total
        assert asked < 60
        server.latency = 0
        page.run(2)
        page.wait_text(2, "60 answers")
        page.shot(shots, f"map-settled-{name}")
        assert server.total <= 60 + 4
    table = page.output(2).locator("table")
    assert table.locator("tbody tr").count() == 10
    assert "<b>good</b>" in table.inner_text()
    assert page.output(2).locator("button").count() == 0
    page.run(3)
    assert page.text(3).strip() == "60 {'complete'}"
    assert not page.errors
