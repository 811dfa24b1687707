"""Cells as people treat them in a real JupyterLab, told by what the server was sent; and a newcomer's story."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Any

import pytest

from tests.answers import chats, sent
from tests.browser.lab import NOTEBOOK_JS, WAIT_MS
from tests.double import Delta, Fault

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.browser.lab import NotebookPage
    from tests.double import ScriptedServer

    Servers = Callable[..., ScriptedServer]
    Notebooks = Callable[..., NotebookPage]

AGAIN = (
    "%%chat -o seed=7 -o temperature=0 -s 'Be brief.'\none $x^2$",
    "name = 'Ada'",
    "%%chat\ntwo {{name}}",
    "for word in 'xy':\n    %chat {{word}}",
    "%%chat --once\nthree",
    "%chat --background later",
)
CHOOSE = f"""index => {{ const notebook = {NOTEBOOK_JS}.content;
    notebook.mode = 'command'; notebook.deselectAll(); notebook.activeCellIndex = index; }}"""
DO = "command => window.jupyterapp.commands.execute(command).then(() => null)"
FORGET_COUNTS = f"""() => {NOTEBOOK_JS}.content.widgets.forEach(
    cell => {{ if (cell.model.type === 'code') cell.model.executionCount = null; }})"""
SETTLED = f"""index => {NOTEBOOK_JS}.content.widgets[index].model.outputs.toJSON()
    .some(output => output.metadata.ollama_magic?.state === 'complete')"""
ALL_RAN = f"""() => {NOTEBOOK_JS}.content.widgets.every(cell => cell.model.type !== 'code'
    || !cell.model.sharedModel.getSource() || cell.model.executionCount !== null)"""


def said(body: dict[str, Any]) -> list[str]:
    return [f"You said: {body['messages'][-1]['content'].strip()}"]


def asked(server: ScriptedServer) -> list[str]:
    """The prompts of the newest request."""
    return [text for role, text in sent(chats(server)[-1]) if role == "user"]


def do(page: NotebookPage, index: int, *commands: str) -> None:
    """Choose a cell and do something with it."""
    page.page.evaluate(CHOOSE, index)
    for command in commands:
        page.page.evaluate(DO, f"notebook:{command}")


def edit(page: NotebookPage, index: int, source: str) -> None:
    js = f"([index, source]) => {NOTEBOOK_JS}.content.widgets[index].model.sharedModel.setSource(source)"
    page.page.evaluate(js, [index, source])


def run_edited(page: NotebookPage, index: int, source: str) -> None:
    edit(page, index, source)
    page.run(index)


def run_all(page: NotebookPage, *, restart: bool = False) -> None:
    """Run all cells, in a new kernel or in this one, and wait until each has run."""
    page.page.evaluate(FORGET_COUNTS)
    command = "notebook:restart-run-all" if restart else "notebook:run-all-cells"
    page.page.evaluate("command => { window.jupyterapp.commands.execute(command); }", command)
    if restart:
        page.page.locator(".jp-Dialog .jp-mod-accept").click()
    page.page.wait_for_function(ALL_RAN, timeout=WAIT_MS)
    page.wait_idle()


def ids(page: NotebookPage) -> list[str]:
    return list(page.page.evaluate(f"() => {NOTEBOOK_JS}.content.widgets.map(cell => cell.model.id)"))


def test_cells(demo_server: Servers, notebook: Notebooks) -> None:
    """Run, edited, failing, turned into code, deleted, moved, looped: what is sent is what the notebook shows."""
    server = demo_server(pace=0, answers=said)
    words = ("one", "two", "three", "four")
    page = notebook(server, *(f"%%chat\n{word}" for word in words), "for word in 'xy':\n    %chat {{word}}")
    page.run(1)
    page.run(2)
    page.run(3)
    assert asked(server) == ["one", "two", "three"]
    assert page.text(0).strip() == ""

    page.run(3)
    assert asked(server) == ["one", "two", "three"]
    run_edited(page, 2, "%%chat\ntwo, edited")
    assert asked(server) == ["one", "two, edited"]
    page.wait_text(2, "1 later answer is older than this")

    server.faults.append(Fault("error_first"))
    page.run(2)
    page.wait_text(2, "the answer from before still counts")
    assert "You said: two, edited" in page.text(2)
    page.run(3)
    assert asked(server) == ["one", "two, edited", "three"]

    run_edited(page, 3, "x = 1")
    page.run(4)
    assert asked(server) == ["one", "two, edited", "four"]
    run_edited(page, 3, "%%chat\nthree")
    page.run(4)
    assert asked(server) == ["one", "two, edited", "three", "four"]

    do(page, 2, "delete-cell")
    page.run(3)
    assert asked(server) == ["one", "three", "four"]
    do(page, 2, "undo-cell-action")
    assert ids(page) == ["c0", "c1", "c2", "c3", "c4", "c5"]
    assert "You said: two, edited" in page.text(2)
    page.run(2)
    page.run(4)
    assert asked(server) == ["one", "two, edited", "three", "four"]

    do(page, 2, "cut-cell")
    do(page, 2, "paste-cell-below")
    assert ids(page) == ["c0", "c1", "c3", "c2", "c4", "c5"]
    run_all(page)
    assert sorted(asked(server)) == sorted(["one", "two, edited", "three", "four", "x", "y"])
    page.run(5)
    assert sorted(asked(server)) == sorted(["one", "two, edited", "three", "four", "x", "y"])
    before = asked(server)
    run_all(page)
    assert asked(server) == before
    run_all(page, restart=True)
    assert asked(server) == before
    assert page.text(0).strip() == ""
    assert page.errors == []


def test_a_newcomers_story(demo_server: Servers, notebook: Notebooks) -> None:
    """Five turns, one edited, one deleted, a kernel killed in mid-answer: the next request holds what is shown."""
    server = demo_server(pace=0, answers=said)
    five = [f"%%chat\nI told you {word}" for word in ("one", "two", "three", "four", "five")]
    page = notebook(server, *five, "%%chat\nTell me a long story", "%%chat\nwhat did I tell you?")
    for index in range(1, 6):
        page.run(index)
    run_edited(page, 2, "%%chat\nI told you TWO")
    do(page, 3, "delete-cell")
    pid = kernel_pid(page)
    server.state.answers = lambda body: (Delta(f"word{n} ", wait=0.05) for n in range(2000))
    page.start(5)
    page.wait_text(5, "word20")
    os.kill(pid, signal.SIGKILL)
    server.state.answers = said
    page.page.locator(".jp-Dialog .jp-mod-accept").click()  # JupyterLab says that it died, and starts another
    page.wait_restarted()
    page.run(0)
    assert page.text(0).startswith("5 turns with demo:latest from ")
    shown = [page.text(index) for index in range(1, 6)]
    page.run(6)
    *history, question = sent(chats(server)[-1])
    told = [f"I told you {word}" for word in ("one", "TWO", "four", "five")]
    assert history[:8] == [pair for text in told for pair in (("user", text), ("assistant", f"You said: {text}"))]
    assert history[8] == ("user", "Tell me a long story")
    assert "word14" in history[9][1]
    assert question == ("user", "what did I tell you?")
    assert all(f"You said: {text}" in under for text, under in zip(told, shown, strict=False))
    assert page.text(0).strip() == ""
    assert page.errors == []


@pytest.mark.parametrize("restart", [True, False], ids=["restarted", "same kernel"])
def test_run_again(demo_server: Servers, notebook: Notebooks, restart: bool) -> None:
    """With a fixed seed a notebook that runs again differs from its file in nothing but execution counts."""
    server = demo_server(pace=0, answers=said)
    page = notebook(server, *AGAIN)
    for index in range(1, len(AGAIN) + 1):
        page.run(index)
    page.page.wait_for_function(SETTLED, arg=len(AGAIN), timeout=WAIT_MS)
    first = page.save()
    run_all(page, restart=restart)
    page.page.wait_for_function(SETTLED, arg=len(AGAIN), timeout=WAIT_MS)
    second = page.save()
    for one, two in zip(first["cells"], second["cells"], strict=True):
        assert without_counts(two) == without_counts(one)
    assert without_counts(second) == without_counts(first)
    assert first["cells"][1]["outputs"][0]["metadata"]["ollama_magic"]["state"] == "complete"


def kernel_pid(page: NotebookPage) -> int:
    """The process of the page's kernel."""
    page.tell_kernel("import os, pathlib; pathlib.Path('pid').write_text(str(os.getpid()))")
    return int((page.lab.work / "pid").read_text())


def without_counts(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_counts(one) for key, one in value.items() if key != "execution_count"}
    return [without_counts(one) for one in value] if isinstance(value, list) else value
