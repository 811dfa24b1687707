"""JupyterLab's part in Notebook 7, and turned off in JupyterLab."""

from __future__ import annotations

import time
from contextlib import suppress
from threading import Event
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import TimeoutError  # noqa: A004 (its own)

from tests.answers import chats, paragraphs, sent, words
from tests.browser.conftest import LOAD
from tests.browser.lab import NOTEBOOK_JS, WAIT_MS, Lab, NotebookPage
from tests.frontends.notebook7 import Notebook7Page

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser

    from tests.double import ScriptedServer
    from tests.frontends.notebook7 import Notebook7

    Servers = Callable[..., ScriptedServer]

CELLS = ("%%chat\none", "%%chat\ntwo **bold**")
INSERT = f"""() => {{ const notebook = {NOTEBOOK_JS}.content; notebook.activeCellIndex = 1;
    return window.jupyterapp.commands.execute('notebook:insert-cell-below').then(
        () => notebook.widgets[2].model.sharedModel.setSource('%%chat\\nbetween')); }}"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory, bare_machine: object) -> Iterator[Lab]:
    """A JupyterLab in which each test turns off what it wants to be without."""
    server = Lab(tmp_path_factory.mktemp("disabled"))
    yield server
    server.stop()


def asked(server: ScriptedServer) -> list[str]:
    """The prompts of the newest request."""
    return [text for role, text in sent(chats(server)[-1]) if role == "user"]


def told(page: NotebookPage, server: ScriptedServer) -> list[str]:
    """What a new cell between the two of the notebook is sent."""
    for index in (0, 1, 2):
        page.run(index)
    page.page.evaluate(INSERT)
    page.run(2)
    return asked(server)


@pytest.mark.skipif(not Lab.labextension, reason="it is turned off")
def test_notebook7(demo_server: Servers, browser: Browser, notebook7: Notebook7) -> None:
    """Notebook 7 has the colours, the order, the buttons on code and the repaired answer."""
    server = demo_server(pace=0, answers=lambda _: ["```python\nx = 1\n```\n"])
    path = notebook7.write("part.ipynb", [LOAD.format(url=server.url), *CELLS])
    page = Notebook7Page(notebook7, browser.new_context(), path)
    page.page.wait_for_selector(".cm-lineWrapping")
    assert told(page, server) == ["one", "between"]
    assert page.cell(2).locator(".cm-content.cm-lineWrapping").count() == 1
    assert page.output(1).locator("button.ollama-magic-copy").count() == 1
    page.output(1).locator("button.ollama-magic-insert").click(force=True)
    page.page.wait_for_function(f"() => {NOTEBOOK_JS}.content.activeCellIndex === 2")
    assert page.page.evaluate(f"() => {NOTEBOOK_JS}.content.activeCell.model.sharedModel.getSource()") == "x = 1"
    page.page.evaluate("() => window.jupyterapp.commands.execute('notebook:delete-cell')")
    server.state.answers = lambda _: words(paragraphs(8))
    server.state.pace = 60
    page.start(3)
    page.wait_text(3, "p1")
    page.reload()
    page.wait_settled(3)
    page.wait_text(3, "3 turns sent")
    assert page.errors == []
    page.close()
    notebook7.end_kernels()


def test_turned_off(demo_server: Servers, browser: Browser, lab: Lab) -> None:
    """Turned off, a cell looks as ever, the order is that of the runs, and nobody complains: page, kernel or log."""
    lab.disable("ollama-magic")
    server = demo_server(pace=0, answers=lambda _: ["```python\nx = 1\n```\n"])
    path = lab.write("off.ipynb", [LOAD.format(url=server.url), *CELLS])
    page = NotebookPage(lab, browser.new_context(), path)
    assert told(page, server) == ["one", "two **bold**", "between"]
    assert page.page.locator(".jp-CodeCell .cm-lineWrapping").count() == 0
    assert page.page.locator("button.ollama-magic-copy").count() == 0
    assert page.text(0).strip() == ""
    assert page.errors == []
    page.close()
    lab.end_kernels()
    assert "ollama" not in (lab.folder / "server.log").read_text("utf8")


COMPLETE = f"""index => {NOTEBOOK_JS}.content.widgets[index].model.outputs.toJSON()
    .every(output => output.metadata.ollama_magic?.state === 'complete')"""


def working(page: NotebookPage, server: ScriptedServer, *, patience_ms: int) -> set[str]:
    """Which of our plugins a page shows at work; for the repair of an answer it waits as long as it is told."""
    found = set()
    if told(page, server) == ["one", "between"]:
        found.add("order")
    if page.page.locator(".jp-CodeCell .cm-lineWrapping").count():
        found.add("colours")
    if page.output(1).locator("button.ollama-magic-copy").count():
        found.add("copy")
    if page.output(1).locator("button.ollama-magic-insert").count():
        found.add("insert")
    closed = Event()

    def held(_: object) -> Iterator[str]:
        yield from words(paragraphs(2))
        closed.wait(60)
        yield "The end."

    server.state.answers = held
    page.start(3)
    page.wait_text(3, "p1")
    page.save()
    page.page.close()
    closed.set()
    while any(kernel["execution_state"] != "idle" for kernel in page.lab.api("kernels")):
        time.sleep(0.1)
    page.page = page._open(kernel=True)
    with suppress(TimeoutError):
        page.page.wait_for_function(COMPLETE, arg=3, timeout=patience_ms)
        found.add("repair")
    return found


@pytest.mark.skipif(not Lab.labextension, reason="it is turned off")
@pytest.mark.parametrize(
    ("names", "others"),
    [(("copy", "order"), {"colours", "repair", "insert"}), (("colours", "repair", "insert"), {"copy", "order"})],
    ids=["copy and order", "the others"],
)
def test_each_plugin_can_be_disabled_on_its_own(
    demo_server: Servers, browser: Browser, lab: Lab, names: tuple[str, ...], others: set[str]
) -> None:
    """What is disabled is off, and the others work as ever, with nobody complaining."""
    lab.disable(*(f"ollama-magic:{name}" for name in names))
    server = demo_server(pace=0, answers=lambda _: ["```python\nx = 1\n```\n"])
    page = NotebookPage(lab, browser.new_context(), lab.write("partly.ipynb", [LOAD.format(url=server.url), *CELLS]))
    try:
        assert working(page, server, patience_ms=WAIT_MS if "repair" in others else 5000) == others
        assert page.errors == []
    finally:
        page.close()
        lab.end_kernels()
