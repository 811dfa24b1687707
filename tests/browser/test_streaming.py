"""A real JupyterLab in a real Chromium: what a person sees of an answer, while it comes and ever after."""

from __future__ import annotations

import html
import json
import re
import threading
from typing import TYPE_CHECKING

from tests.answers import chats, held, paragraphs, sent, words
from tests.double import Fault

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.browser.lab import Lab, NotebookPage
    from tests.double import ScriptedServer

    Servers = Callable[..., ScriptedServer]
    Notebooks = Callable[..., NotebookPage]

WIDGET = "application/vnd.jupyter.widget-view+json"
SELECT = """() => {
    const bold = [...document.querySelectorAll('.jp-OutputArea strong')].find(one => one.innerText === 'p0');
    const range = document.createRange(); range.selectNodeContents(bold.closest('p'));
    getSelection().removeAllRanges(); getSelection().addRange(range); }"""


def shown(text: str) -> str:
    """The words of a Markdown text as they stand on screen, without its marks and its white space."""
    return " ".join(re.sub(r"[*`]+", "", text).split())


def answering(servers: Servers, count: int, pace: float) -> ScriptedServer:
    """A server whose first answer has so many paragraphs."""
    return servers(pace=pace, faults=[Fault("script", script=words(paragraphs(count)))])


def test_text_streams(demo_server: Servers, notebook: Notebooks) -> None:
    """The first text is on screen before the stream ends, grows as rendered Markdown, and ends whole."""
    server = answering(demo_server, 20, pace=60)
    page = notebook(server, "%%chat\nTell me.")
    page.start(1)
    page.wait_text(1, "p0")
    assert page.running(1)
    assert not chats(server)[0].ended.is_set()
    page.wait_text(1, "p5")
    assert page.output(1).locator("strong", has_text="p4").count() == 1
    assert not chats(server)[0].ended.is_set()
    page.wait_run(1)
    page.wait_text(1, "p19 is paragraph number 19 of 20, and it says little more.")
    assert shown(paragraphs(20)) in shown(page.text(1))
    assert page.errors == []


def test_a_selection_survives(demo_server: Servers, notebook: Notebooks) -> None:
    """Text that a person has selected in a finished block stays selected while the answer grows."""
    page = notebook(answering(demo_server, 20, pace=60), "%%chat\nTell me.")
    page.start(1)
    page.wait_text(1, "p3")
    page.page.evaluate(SELECT)
    page.wait_text(1, "p9")
    assert page.running(1)
    assert page.page.evaluate("getSelection().toString()").startswith("p0 is paragraph number 0")


def test_stop_button(demo_server: Servers, notebook: Notebooks) -> None:
    """Stop works while its cell blocks the kernel: the server sees the connection close, the text stays."""
    server = answering(demo_server, 400, pace=60)
    page = notebook(server, "%%chat\nTell me.", "print('after')")
    page.start(1)
    page.wait_text(1, "p3")
    page.output(1).get_by_role("button", name="Stop").click()
    page.wait_run(1)
    assert chats(server)[0].ended.wait(30)
    assert chats(server)[0].closed_early
    page.wait_text(1, "stopped")
    assert "p2 is paragraph" in page.text(1)
    page.run(2)
    assert page.text(2).strip() == "after"
    assert page.errors == []


def test_reload_in_mid_stream(demo_server: Servers, notebook: Notebooks) -> None:
    """A page that was reloaded in mid-answer shows the whole answer when it has ended."""
    server, reloaded = demo_server(pace=0, answers=lambda _: held(paragraphs(40), reloaded)), threading.Event()
    page = notebook(server, "%%chat\nTell me.")
    page.start(1)
    page.wait_text(1, "p3")
    page.reload()
    assert not chats(server)[0].ended.is_set()
    reloaded.set()
    page.wait_text(1, "p39 is paragraph number 39 of 40, and it says little more.")
    page.wait_idle()
    assert shown(paragraphs(40)) in shown(page.text(1))
    assert page.errors == []


def test_the_saved_file(
    demo_server: Servers, notebook: Notebooks, open_page: Callable[..., NotebookPage], lab: Lab
) -> None:
    """The file holds HTML, text and metadata and no widget; it reads the same without kernel and server."""
    server = answering(demo_server, 6, pace=0)
    page = notebook(server, "%%chat\nTell me.")
    page.run(1)
    page.wait_text(1, "p5")
    read, file = page.text(1), page.save()
    (output,) = file["cells"][1]["outputs"]
    assert set(output["data"]) == {"text/html", "text/plain"}
    assert "".join(output["data"]["text/plain"]) == paragraphs(6)
    assert {"slot", "conversation", "model", "state"} <= set(output["metadata"]["ollama_magic"])
    assert WIDGET not in json.dumps(file["cells"])
    page.close()
    lab.end_kernels()
    server.stop()
    reopened = open_page(page.path, kernel=False)
    reopened.wait_text(1, "p5")
    assert lab.api("sessions") == []
    assert shown(reopened.text(1)) == shown(read)
    assert html.escape("<script") not in reopened.text(1)
    assert reopened.errors == []


def test_two_cells_make_a_conversation(demo_server: Servers, notebook: Notebooks) -> None:
    """The second cell's turn carries the first cell's prompt and answer."""
    server = answering(demo_server, 2, pace=0)
    page = notebook(server, "%%chat\nTell me.", "%%chat\nAnd then?")
    page.run(1)
    page.run(2)
    assert sent(chats(server)[1]) == [("user", "Tell me."), ("assistant", paragraphs(2)), ("user", "And then?")]


def test_no_flash_when_it_settles(demo_server: Servers, notebook: Notebooks) -> None:
    """When the answer settles, the output neither empties nor shrinks by more than its status line."""
    page = notebook(answering(demo_server, 12, pace=80), "%%chat\nTell me.")
    page.page.evaluate(
        """() => { const cell = document.querySelectorAll('.jp-Notebook .jp-Cell')[1]; let last = 0; window.shrunk = 0;
        const look = () => { const now = cell.querySelector('.jp-Cell-outputArea')?.offsetHeight ?? 0;
            window.shrunk = Math.max(window.shrunk, last - now); last = now;
            requestAnimationFrame(look); }; look(); }"""
    )
    page.run(1)
    page.wait_text(1, "p11")
    assert page.page.evaluate("window.shrunk") <= 60


def test_interrupt_restart_and_again(demo_server: Servers, notebook: Notebooks) -> None:
    """■ keeps the text; after a restart the notebook loads and chats again."""
    server = answering(demo_server, 400, pace=60)
    page = notebook(server, "%%chat\nTell me.", "%%chat\nAgain?")
    page.start(1)
    page.wait_text(1, "p3")
    page.interrupt()
    page.wait_run(1)
    page.wait_text(1, "stopped")
    assert "p2 is paragraph" in page.text(1)
    page.restart()
    page.run(0)
    page.run(2)
    assert page.outputs(2)[-1]["metadata"]["ollama_magic"]["state"] == "complete"
    assert page.errors == []
