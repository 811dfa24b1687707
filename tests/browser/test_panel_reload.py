"""A panel whose page was loaded anew: JupyterLab's part has the transcript in the file go on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.browser.lab import NOTEBOOK_JS, WAIT_MS, Lab
from tests.browser.test_panel import PANEL, PanelOf, opened, said

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.browser.lab import NotebookPage
    from tests.double import ScriptedServer

    Servers = Callable[..., ScriptedServer]
    Notebooks = Callable[..., NotebookPage]

pytestmark = pytest.mark.skipif(not Lab.labextension, reason="JupyterLab's part is turned off")

WIDGETS = f"""() => {NOTEBOOK_JS}.content.widgets[1].model.outputs.toJSON()
    .filter(output => Object.keys(output.data).some(type => type.includes('widget'))).length"""
TRANSCRIPT = "part => document.querySelector('.ollama-magic-transcript')?.textContent.includes(part)"


def test_the_transcript_after_a_reload(demo_server: Servers, notebook: Notebooks) -> None:
    """What is said in a page that was loaded anew comes to stand in the transcript, on screen and in the file."""
    page = notebook(demo_server(pace=0, answers=said), PANEL)
    opened(page, 1)
    page.reload()
    panel = PanelOf(page)
    panel.ask("one")
    page.page.wait_for_function(TRANSCRIPT, arg="You said: one", timeout=WAIT_MS)
    panel.ask("two")
    page.page.wait_for_function(TRANSCRIPT, arg="You said: two", timeout=WAIT_MS)
    output = page.save()["cells"][1]["outputs"][1]
    assert "You said: **two**" in "".join(output["data"]["text/plain"])
    assert output["metadata"]["ollama_magic"]["panel"] == "main"
    assert page.output(1).locator(".ollama-magic-transcript").is_hidden()
    assert page.errors == []


def test_a_panel_closed_after_a_reload(demo_server: Servers, notebook: Notebooks) -> None:
    """A panel that is closed in a page that was loaded anew leaves the transcript alone; so does a kernel's end."""
    page = notebook(demo_server(pace=0, answers=said), PANEL)
    panel = opened(page, 1)
    panel.ask("one")
    panel.wait("You said: one")
    page.reload()
    PanelOf(page).button("×").click()
    page.page.wait_for_function("() => !document.querySelector('.ollama-magic-panel')", timeout=WAIT_MS)
    page.wait_text(1, "You said: one")
    page.page.wait_for_function(f"() => ({WIDGETS})() === 0", timeout=WAIT_MS)
    page.run(1)
    PanelOf(page).wait("You said: one")
    page.reload()
    PanelOf(page).wait("You said: one")
    assert page.errors == []  # the widgets of a page that was loaded anew have JupyterLab complain of a restart
    page.restart()
    page.run(0)
    page.page.wait_for_function(f"() => ({WIDGETS})() === 0", timeout=WAIT_MS)
    assert "widget" not in json.dumps(page.save()["cells"][1]["outputs"])
    page.reload()
    page.wait_text(1, "You said: one")
    assert "rror" not in page.text(1)


def test_what_was_said_while_no_page_was_open(demo_server: Servers, notebook: Notebooks) -> None:
    """A transcript that went on while no page was open is asked for by the next page."""
    server = demo_server(pace=60, answers=said)
    page = notebook(server, PANEL)
    panel = opened(page, 1)
    panel.ask("one")
    panel.wait("You")
    page.save()
    page.page.close()
    assert server.requests[-1].ended.wait(60)
    page.page = page._open(kernel=True)
    page.page.wait_for_function(TRANSCRIPT, arg="You said: one", timeout=WAIT_MS)
    assert page.errors == []
