"""Notebook 7 in Chromium: the same answer as in JupyterLab."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from nbconvert import HTMLExporter

from tests.answers import chats, paragraphs, words
from tests.browser.conftest import LOAD
from tests.frontends.notebook7 import Notebook7Page

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser

    from tests.double import ScriptedServer
    from tests.frontends.notebook7 import Notebook7

    Servers = Callable[..., ScriptedServer]
    Notebooks = Callable[..., Notebook7Page]


@pytest.fixture
def notebook(browser: Browser, notebook7: Notebook7, request: pytest.FixtureRequest) -> Iterator[Notebooks]:
    """A notebook whose first cell, already run, loads the extension for the given server; the cells follow from 1."""
    opened: list[Notebook7Page] = []

    def notebook(server: ScriptedServer, *cells: str) -> Notebook7Page:
        path = notebook7.write(f"{request.node.originalname}.ipynb", [LOAD.format(url=server.url), *cells])
        opened.append(Notebook7Page(notebook7, browser.new_context(), path))
        opened[-1].run(0)
        return opened[-1]

    yield notebook
    for page in opened:
        page.close()
    notebook7.end_kernels()


def test_text_streams(demo_server: Servers, notebook: Notebooks) -> None:
    """Text appears while the server still speaks, settles whole, and the file holds HTML, text and metadata."""
    server = demo_server(pace=60, answers=lambda _: words(paragraphs(20)))
    page = notebook(server, "%%chat\nTell me.")
    page.start(1)
    page.wait_text(1, "p0")
    assert page.running(1)
    page.wait_text(1, "p5")
    assert page.output(1).locator("strong", has_text="p4").count() == 1
    assert not chats(server)[0].ended.is_set()
    page.wait_run(1)
    page.wait_text(1, "p19 is paragraph number 19 of 20, and it says little more.")
    page.wait_text(1, "1 turn sent")
    file = page.save()
    (output,) = file["cells"][1]["outputs"]
    assert set(output["data"]) == {"text/html", "text/plain"}
    assert "".join(output["data"]["text/plain"]) == paragraphs(20)
    assert output["metadata"]["ollama_magic"]["state"] == "complete"
    assert "widget" not in json.dumps(file)
    exported, _ = HTMLExporter().from_filename(str(page.path))
    assert "<strong>p19</strong>" in exported
    assert page.errors == []


def test_stop_button(demo_server: Servers, notebook: Notebooks) -> None:
    """Stop works while its cell blocks the kernel: the server sees the connection close, the text stays."""
    server = demo_server(pace=60, answers=lambda _: words(paragraphs(400)))
    page = notebook(server, "%%chat\nTell me.")
    page.start(1)
    page.wait_text(1, "p2")
    page.output(1).get_by_role("button", name="Stop").click()
    page.wait_run(1)
    assert chats(server)[0].ended.wait(30)
    assert chats(server)[0].closed_early
    page.wait_text(1, "stopped")
    assert "p2 is paragraph" in page.text(1)
    assert page.errors == []


def test_background(demo_server: Servers, notebook: Notebooks) -> None:
    """A background answer grows and settles in its own cell while another cell has run."""
    server = demo_server(pace=60, answers=lambda _: words(paragraphs(10)))
    page = notebook(server, "%%chat -b\nTell me.", "print('mine')")
    page.run(1)
    page.run(2)
    assert page.text(2).strip() == "mine"
    page.wait_text(1, "p3")
    page.wait_settled(1)
    assert page.save()["cells"][1]["outputs"][0]["metadata"]["ollama_magic"]["state"] == "complete"
    assert page.text(2).strip() == "mine"
    assert page.errors == []


def test_reopened(demo_server: Servers, notebook: Notebooks) -> None:
    """A saved notebook, opened anew without its server, reads the same."""
    server = demo_server(pace=0, answers=lambda _: words(paragraphs(4)))
    page = notebook(server, "%%chat\nTell me.")
    page.run(1)
    page.wait_text(1, "1 turn sent")
    read = page.text(1)
    server.stop()
    page.reload()
    page.wait_text(1, "1 turn sent")
    assert page.text(1).split() == read.split()
    assert page.errors == []


def test_tab(demo_server: Servers, notebook: Notebooks) -> None:
    """The Tab key offers our commands, and in a prompt nothing of Python."""
    page = notebook(demo_server(pace=0), "")
    menu = page.page.locator(".jp-Completer:not(.lm-mod-hidden) .jp-Completer-match")
    page.cell(1).locator(".cm-content").click()
    page.page.keyboard.insert_text("%ollama st")
    page.page.keyboard.press("Tab")
    menu.first.wait_for()
    assert {"status", "stop", "start"} == {item.strip() for item in menu.all_inner_texts()}
    page.page.keyboard.press("Escape")
    page.page.keyboard.press("Control+a")
    page.page.keyboard.insert_text("%%chat\nplease pri")
    page.page.keyboard.press("Tab")
    page.wait_idle()
    page.page.wait_for_timeout(500)
    assert menu.count() == 0
    assert not page.errors
