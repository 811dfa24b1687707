"""JupyterLab's part at the answers: code is copied with a button, and what missed its end is repaired."""

from __future__ import annotations

import json
import os
import signal
from typing import TYPE_CHECKING

import pytest

from tests.answers import paragraphs, words
from tests.browser.lab import NOTEBOOK_JS, THEMES, WAIT_MS, WEAR, Lab
from tests.double import Delta

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import Locator

    from tests.browser.lab import NotebookPage
    from tests.double import ScriptedServer

    Servers = Callable[..., ScriptedServer]
    Notebooks = Callable[..., NotebookPage]

pytestmark = pytest.mark.skipif(not Lab.labextension, reason="JupyterLab's part is turned off")

CODE = 'def hi():\n    print("<b>Grüße</b> & 你好")\n\n\treturn 1'
SHORT = f"Look:\n\n```python\n{CODE}\n```\n\nand\n\n```\nplain\n```\n"
LINES = "\n".join(f"line_{number} = {number}" for number in range(80))
CLIPBOARD = "() => navigator.clipboard.readText()"
SETTLED = f"""index => {NOTEBOOK_JS}.content.widgets[index].model.outputs.toJSON()
    .every(output => output.metadata.ollama_magic?.state !== 'running')"""


def buttons(page: NotebookPage, index: int) -> Locator:
    return page.output(index).locator("button.ollama-magic-copy")


def clipboard(page: NotebookPage) -> str:
    return str(page.page.evaluate(CLIPBOARD))


def allow_clipboard(page: NotebookPage) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])


def said(button: Locator) -> str:
    """What a person reads on the button."""
    return str(button.evaluate("one => getComputedStyle(one, '::before').content")).strip('"')


def test_copy(demo_server: Servers, notebook: Notebooks, shots: Path) -> None:
    """The button copies exactly the code, says so, is reached by keyboard, and moves nothing; also without a kernel."""
    page = notebook(demo_server(pace=0, answers=lambda _: words(SHORT)), "%%chat\nCode, please.")
    page.run(1)
    page.wait_text(1, "1 turn sent")
    allow_clipboard(page)
    assert buttons(page, 1).count() == 2
    assert "Copy" not in page.text(1)
    block = page.output(1).locator(".highlight").first
    tall = block.bounding_box()
    buttons(page, 1).first.evaluate("one => one.remove()")
    assert block.bounding_box() == tall

    page.reopen_without_kernel()
    first, second = buttons(page, 1).first, buttons(page, 1).nth(1)
    page.output(1).locator(".highlight").first.hover()
    page.shot(shots, "copy")
    first.click()
    page.page.wait_for_selector("button[data-says=Copied]")
    assert clipboard(page) == CODE
    assert said(first) == "Copied"
    assert first.get_attribute("aria-label") == "Copied"
    assert page.page.locator("[role=status]", has_text="Copied").count() == 1
    first.focus()
    page.page.keyboard.press("Tab")  # to the other button of the second block
    page.page.keyboard.press("Tab")
    assert second.evaluate("one => one === document.activeElement")
    page.page.keyboard.press("Enter")
    page.page.wait_for_function("one => one.dataset.says === 'Copied'", arg=second.element_handle())
    assert clipboard(page) == "plain"
    assert "highlight" in json.dumps(page.save())
    assert "ollama-magic-copy" not in page.path.read_text("utf8")
    assert page.errors == []


def test_insert(demo_server: Servers, notebook: Notebooks, shots: Path) -> None:
    """One click puts the code into a new cell below, unexecuted: of an answer, of a panel, without a kernel too."""
    server = demo_server(pace=0, answers=lambda _: words(SHORT))
    page = notebook(server, "%%chat\nCode, please.", "%ollama code 2", "%ollama panel", dark=True)
    page.run(1)
    page.wait_text(1, "1 turn sent")
    page.run(2)
    page.wait_text(2, "Inserted as a new cell: code block 2 of 2.")
    assert source(page, 3) == "plain"
    page.run(4)
    page.page.locator(".ollama-magic-panel button.ollama-magic-insert").first.click(force=True)
    page.page.wait_for_function(f"() => {NOTEBOOK_JS}.content.activeCellIndex === 5")
    assert source(page, 5) == CODE

    page.reopen_without_kernel()
    insert = page.output(1).locator("button.ollama-magic-insert").first
    page.output(1).locator(".highlight").first.hover()
    page.shot(shots, "insert-dark")
    insert.click()
    page.page.wait_for_function(f"() => {NOTEBOOK_JS}.content.activeCellIndex === 2")
    assert source(page, 2) == CODE
    assert said(insert) == "Inserted"
    page.shot(shots, "inserted-dark")
    page.page.keyboard.press("z")
    page.page.wait_for_function(f"() => {NOTEBOOK_JS}.content.widgets.length === 6")
    inserted = page.save()["cells"][5]
    assert (inserted["execution_count"], inserted["outputs"]) == (None, [])
    assert page.errors == []


def test_only_what_changed_is_marked(demo_server: Servers, notebook: Notebooks, shots: Path) -> None:
    """What changed is underlined and struck without colours; a fix says above its answer what went along."""
    answers = [
        SHORT,
        SHORT.replace("return 1", "return 2").replace("Look:", "Look at this:"),
        "Divide by another number.",
    ]
    server = demo_server(pace=0, answers=lambda _: words(answers.pop(0)))
    cells = ("%%chat\nCode, please.", "%ollama diff", "zero = 0\n1 / zero", "%ollama fix in one sentence")
    page = notebook(server, *cells)
    for index in (1, 1, 2, 3, 4):
        page.run(index)
    page.wait_text(4, "Divide by another number.")
    assert "goes along: cell 5, its traceback (ZeroDivisionError: division by zero), the variable zero" in page.text(4)
    for tag, line in (("del", "line-through"), ("ins", "underline")):
        found = page.output(2).locator(tag)
        assert found.first.evaluate("one => getComputedStyle(one).textDecorationLine") == line
    assert page.output(2).locator("ins").all_inner_texts() == [" at this", "2"]
    page.output(2).scroll_into_view_if_needed()
    page.shot(shots, "diff-fix-light")
    page.page.evaluate(WEAR, THEMES[True])
    page.page.locator("#jupyterlab-splash").wait_for(state="detached")
    page.shot(shots, "diff-fix-dark")
    assert page.errors == []


def source(page: NotebookPage, index: int) -> str:
    return str(page.page.evaluate(f"at => {NOTEBOOK_JS}.content.widgets[at].model.sharedModel.getSource()", index))


def test_copy_live(demo_server: Servers, notebook: Notebooks) -> None:
    """A long block that is still growing has one button for all that stands there; what is copied is a whole prefix."""
    server = demo_server(pace=60, answers=lambda _: words(f"```python\n{LINES}\n```\n\n" + paragraphs(30)))
    page = notebook(server, "%%chat\nCode, please.")
    allow_clipboard(page)
    page.start(1)
    page.wait_text(1, "line_30")
    assert buttons(page, 1).count() == 1
    buttons(page, 1).first.click(force=True)
    page.page.wait_for_selector("button[data-says=Copied]")
    assert LINES.startswith(clipboard(page))
    assert "line_24 = 24" in clipboard(page)
    page.wait_text(1, "p1 is")
    buttons(page, 1).first.click(force=True)
    page.page.wait_for_function("text => navigator.clipboard.readText().then(found => found === text)", arg=LINES)
    page.interrupt()
    page.wait_run(1)
    page.wait_text(1, "stopped")
    assert buttons(page, 1).count() == 1
    assert page.errors == []


def test_only_our_own_outputs(demo_server: Servers, notebook: Notebooks) -> None:
    """Code in other outputs gets no button."""
    other = "from IPython.display import HTML\nHTML('<div class=highlight><pre>x</pre></div>')"
    page = notebook(demo_server(pace=0), other)
    page.run(1)
    page.wait_text(1, "x")
    assert page.page.locator("button.ollama-magic-copy").count() == 0


def test_a_page_reloaded_in_mid_answer(demo_server: Servers, notebook: Notebooks) -> None:
    """The settled answer comes to stand in the page and in the file, though the page no longer knows its place."""
    server = demo_server(pace=60, answers=lambda _: words(paragraphs(12)))
    page = notebook(server, "%%chat\nTell me.", "%%chat -b\nTell me more.")
    page.start(1)
    page.wait_text(1, "p2")
    page.reload()
    page.page.wait_for_function(SETTLED, arg=1, timeout=WAIT_MS)
    page.wait_text(1, "1 turn sent")
    page.run(2)
    page.wait_text(2, "p2")
    page.reload()
    page.page.wait_for_function(SETTLED, arg=2, timeout=WAIT_MS)
    page.wait_text(2, "2 turns sent")
    file = page.save()
    for cell in file["cells"][1:]:
        (output,) = cell["outputs"]
        assert "".join(output["data"]["text/plain"]) == paragraphs(12)
        assert output["metadata"]["ollama_magic"]["state"] == "complete"
        assert output["metadata"]["ollama_magic"]["model"] == "demo:latest"
    assert "widget" not in json.dumps(file["cells"])
    assert page.errors == []


def test_a_page_that_was_closed_meanwhile(demo_server: Servers, notebook: Notebooks) -> None:
    """A page that is opened after the answer has settled asks for it."""
    server = demo_server(pace=0, answers=lambda _: (Delta(text, wait=0.02) for text in words(paragraphs(6))))
    page = notebook(server, "%%chat -b\nTell me.")
    page.run(1)
    page.wait_text(1, "p1")
    page.save()
    kernel = page.lab.api("sessions")[0]["kernel"]["id"]
    page.page.close()
    for _ in range(600):
        if server.requests[-1].ended.wait(0.1) and page.lab.api(f"kernels/{kernel}")["execution_state"] == "idle":
            break
    page.page = page._open(kernel=True)
    page.page.wait_for_function(SETTLED, arg=1, timeout=WAIT_MS)
    page.wait_text(1, "1 turn sent")
    assert page.errors == []


def test_a_killed_kernel(demo_server: Servers, notebook: Notebooks) -> None:
    """After a kill in mid-answer the live text and its dead button give way to what is kept, once we are loaded."""
    server = demo_server(pace=60, answers=lambda _: words(paragraphs(300)))
    page = notebook(server, "%%chat\nTell me.")
    page.tell_kernel("import os, pathlib; pathlib.Path('pid').write_text(str(os.getpid()))")
    pid = int((page.lab.work / "pid").read_text())
    page.start(1)
    page.wait_text(1, "p6")
    os.kill(pid, signal.SIGKILL)
    page.page.locator(".jp-Dialog .jp-mod-accept").click()
    page.wait_restarted()
    page.run(0)
    page.page.wait_for_function(SETTLED, arg=1, timeout=WAIT_MS)
    page.wait_text(1, "the kernel ended in mid-answer")
    assert "p4 is paragraph" in page.text(1)
    assert page.output(1).get_by_role("button", name="Stop").count() == 0
    (output,) = page.save()["cells"][1]["outputs"]
    assert output["metadata"]["ollama_magic"]["state"] == "cut"
    assert page.errors == []
