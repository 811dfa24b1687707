"""Models in a real JupyterLab: tables, a pull that is watched, stopped by its button or ■, resumed and reloaded."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tests.browser.conftest import themes
from tests.double import DEMO, PULLABLE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.browser.lab import NotebookPage
    from tests.double import ScriptedServer

    Servers = Callable[..., ScriptedServer]
    Notebooks = Callable[..., NotebookPage]

CLOUD = replace(DEMO, name="gpt-oss:120b-cloud", remote_host="https://ollama.com:443", remote_model="gpt-oss:120b")
FILL = "() => [...document.querySelectorAll('.jp-OutputArea progress')].map(bar => bar.value)"
KINDS = {"text/html", "text/plain"}


def percent(page: NotebookPage, index: int) -> int:
    """How much of the whole a person reads to be there."""
    return int(page.text(index).partition("%")[0].split()[-1])


@themes(True)
def test_tables(demo_server: Servers, notebook: Notebooks, shots: Path, dark: bool) -> None:
    """List, show and ps are readable in both themes, and badges keep their frames without styles of ours."""
    server = demo_server(pace=0, models=(DEMO, *PULLABLE[:4], CLOUD))
    cells = ("%ollama list", "%ollama load demo-small", "%ollama ps", "%ollama show demo-small")
    page = notebook(server, *cells, dark=dark, size=(1100, 1300))
    for index in range(1, 5):
        page.run(index)
    badge = page.output(1).locator("kbd", has_text="leaves this machine").first
    assert badge.evaluate("badge => getComputedStyle(badge).borderTopWidth") == "1px"
    assert "100% CPU" in page.text(3).replace("\xa0", " ")
    page.output(4).locator("summary", has_text="Template").click()
    assert ".Messages" in page.text(4)
    page.page.mouse.move(5, 5)
    page.shot(shots, f"models-{'dark' if dark else 'light'}")
    assert page.errors == []


def test_a_pull(demo_server: Servers, notebook: Notebooks, shots: Path) -> None:
    """A pull shows bars that grow; Stop ends it at once and keeps what came; run again it goes on and settles."""
    server = demo_server(pace=0, pull_seconds=8)
    page = notebook(server, "%ollama pull demo-vision", "%ollama list")
    page.start(1)
    page.page.wait_for_function(f"({FILL})()[0] > 0.15")
    bars = page.page.evaluate(FILL)
    assert len(bars) >= 2
    assert page.output(1).get_by_role("progressbar", name="demo-vision").count() == 1
    page.shot(shots, "pull")
    page.output(1).get_by_role("button", name="Stop").click()
    page.wait_run(1)
    page.wait_text(1, "resumes it")
    stopped = percent(page, 1)
    assert stopped >= 15
    assert set(page.outputs(1)[0]["data"]) == KINDS
    assert page.output(1).get_by_role("button", name="Stop").count() == 0
    page.shot(shots, "pull-stopped")

    page.start(1)
    page.page.wait_for_function(f"({FILL})().length >= 2")
    assert max(page.page.evaluate(FILL)) >= stopped / 100
    page.interrupt()
    page.wait_run(1)
    page.wait_text(1, "resumes it")

    page.run(1)
    page.wait_text(1, "demo-vision is here: 610 MB in 4 layers.")
    assert set(page.outputs(1)[0]["data"]) == KINDS
    page.output(1).locator("summary").click()
    assert "519 MB" in page.text(1).replace("\xa0", " ")
    page.shot(shots, "pull-done")
    page.run(2)
    page.wait_text(2, "demo-vision:latest")
    assert "widgets" not in page.save()["metadata"]
    assert page.errors == []


def test_a_reloaded_page(demo_server: Servers, notebook: Notebooks) -> None:
    """A page that was reloaded in mid-pull says at the end how it ended."""
    server = demo_server(pace=0, pull_seconds=10)
    page = notebook(server, "%ollama pull demo-small")
    page.start(1)
    page.page.wait_for_function(f"({FILL})()[0] > 0.01")
    page.reload()
    page.wait_text(1, "demo-small is here: 420 MB in 5 layers.")


def test_rm_asks(demo_server: Servers, notebook: Notebooks) -> None:
    """In a notebook rm asks in the cell, and only a yes removes."""
    server = demo_server(pace=0, models=(DEMO, PULLABLE[0]))
    page = notebook(server, "%ollama rm demo-small", "%ollama list")
    for answer, said in (("n", "Nothing was removed."), ("y", "deleted 'demo-small'")):
        page.start(1)
        field = page.page.locator(".jp-Stdin-input")
        field.fill(answer)
        field.press("Enter")
        page.wait_text(1, said)
        page.wait_idle()
    page.run(2)
    assert "demo-small" not in page.text(2)
