"""JupyterLab's part in Notebook 7, and turned off in JupyterLab."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.answers import chats, paragraphs, sent, words
from tests.browser.conftest import LOAD
from tests.browser.lab import NOTEBOOK_JS, Lab, NotebookPage
from tests.frontends.notebook7 import Notebook7, Notebook7Page

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser

    from ollama_magic.demo.server import DemoServer

    Servers = Callable[..., DemoServer]

CELLS = ("%%chat\none", "%%chat\ntwo **bold**")
INSERT = f"""() => {{ const notebook = {NOTEBOOK_JS}.content; notebook.activeCellIndex = 1;
    return window.jupyterapp.commands.execute('notebook:insert-cell-below').then(
        () => notebook.widgets[2].model.sharedModel.setSource('%%chat\\nbetween')); }}"""


class WithoutLabextension(Lab):
    """A JupyterLab in which `jupyter labextension disable ollama-magic` was typed."""

    labextension = False


@pytest.fixture(scope="module")
def notebook7(tmp_path_factory: pytest.TempPathFactory, bare_machine: object) -> Iterator[Notebook7]:
    """A Notebook 7 in folders of its own."""
    server = Notebook7(tmp_path_factory.mktemp("notebook7"))
    yield server
    server.stop()


@pytest.fixture(scope="module")
def disabled(tmp_path_factory: pytest.TempPathFactory, bare_machine: object) -> Iterator[Lab]:
    """A JupyterLab without our part."""
    server = WithoutLabextension(tmp_path_factory.mktemp("disabled"))
    yield server
    server.stop()


def asked(server: DemoServer) -> list[str]:
    """The prompts of the newest request."""
    return [text for role, text in sent(chats(server)[-1]) if role == "user"]


def told(page: NotebookPage, server: DemoServer) -> list[str]:
    """What a new cell between the two of the notebook is sent."""
    for index in (0, 1, 2):
        page.run(index)
    page.page.evaluate(INSERT)
    page.run(2)
    return asked(server)


@pytest.mark.skipif(not Lab.labextension, reason="it is turned off")
def test_notebook7(demo_server: Servers, browser: Browser, notebook7: Notebook7) -> None:
    """Notebook 7 has the colours, the order, the copy buttons and the mended answer."""
    server = demo_server(pace=0, answers=lambda _: ["```python\nx = 1\n```\n"])
    path = notebook7.write("part.ipynb", [LOAD.format(url=server.url), *CELLS])
    page = Notebook7Page(notebook7, browser.new_context(), path)
    page.page.wait_for_selector(".cm-lineWrapping")
    assert told(page, server) == ["one", "between"]
    assert page.cell(2).locator(".cm-content.cm-lineWrapping").count() == 1
    assert page.output(1).locator("button.ollama-magic-copy").count() == 1
    server._stage.answers = lambda _: words(paragraphs(8))
    server._stage.pace = 60
    page.start(3)
    page.wait_text(3, "p1")
    page.reload()
    page.wait_settled(3)
    page.wait_text(3, "3 turns sent")
    assert page.errors == []
    page.close()
    notebook7.end_kernels()


def test_turned_off(demo_server: Servers, browser: Browser, disabled: Lab) -> None:
    """Turned off, a cell looks as ever, the order is that of the runs, and nobody complains: page, kernel or log."""
    server = demo_server(pace=0, answers=lambda _: ["```python\nx = 1\n```\n"])
    path = disabled.write("off.ipynb", [LOAD.format(url=server.url), *CELLS])
    page = NotebookPage(disabled, browser.new_context(), path)
    assert told(page, server) == ["one", "two **bold**", "between"]
    assert page.page.locator(".jp-CodeCell .cm-lineWrapping").count() == 0
    assert page.page.locator("button.ollama-magic-copy").count() == 0
    assert page.text(0).strip() == ""
    assert page.errors == []
    page.close()
    disabled.end_kernels()
    assert "ollama" not in (disabled.folder / "server.log").read_text("utf8")
