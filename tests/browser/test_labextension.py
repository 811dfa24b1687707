"""JupyterLab's part in a real JupyterLab: chat cells in colour, and the conversation in the notebook's order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.answers import chats, sent
from tests.browser.conftest import LOAD
from tests.browser.lab import KERNEL_JS, NOTEBOOK_JS, WAIT_MS, Lab

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.browser.lab import NotebookPage
    from tests.double import ScriptedServer

    Servers = Callable[..., ScriptedServer]
    Notebooks = Callable[..., NotebookPage]

pytestmark = pytest.mark.skipif(not Lab.labextension, reason="JupyterLab's part is turned off")

CHOOSE = f"""index => {{ const notebook = {NOTEBOOK_JS}.content;
    notebook.mode = 'command'; notebook.deselectAll(); notebook.activeCellIndex = index; }}"""
SPLIT = "options: {mode: 'split-right'}, factory: 'Notebook'"
DO = "command => window.jupyterapp.commands.execute(command).then(() => null)"
LONG = "a word and another, " * 30
PROMPT = (
    f"%%chat -m demo --turns 3 what is *this*?\n# Heading\nsome **bold** and `code`\n\n```python\nx = 'a'\n```\n{LONG}"
)


def said(body: dict[str, Any]) -> list[str]:
    return [f"You said: {body['messages'][-1]['content'].strip()}"]


def asked(server: ScriptedServer) -> list[str]:
    """The prompts of the newest request."""
    return [text for role, text in sent(chats(server)[-1]) if role == "user"]


def do(page: NotebookPage, index: int, *commands: str) -> None:
    """Choose a cell and do something with it, which a person needs more than half a second for."""
    page.page.evaluate(f"() => {NOTEBOOK_JS}.model.sharedModel.undoManager.stopCapturing()")
    page.page.evaluate(CHOOSE, index)
    for command in commands:
        page.page.evaluate(DO, f"notebook:{command}")


def edit(page: NotebookPage, index: int, source: str) -> None:
    js = f"([index, source]) => {NOTEBOOK_JS}.content.widgets[index].model.sharedModel.setSource(source)"
    page.page.evaluate(js, [index, source])


def styled(page: NotebookPage, index: int, text: str) -> dict[str, str]:
    """How a piece of a cell's source looks: the style of the innermost element that holds just this text."""
    return dict(
        page.page.evaluate(
            """([index, text]) => {
            const lines = document.querySelectorAll('.jp-Notebook .jp-Cell')[index].querySelectorAll('.cm-line *');
            const found = [...lines].filter(one => one.textContent === text).at(-1);
            const style = found ? getComputedStyle(found) : {};
            return {color: style.color ?? '', weight: style.fontWeight ?? ''}; }""",
            [index, text],
        )
    )


def ids(page: NotebookPage) -> list[str]:
    return list(page.page.evaluate(f"() => {NOTEBOOK_JS}.content.widgets.map(cell => cell.model.id)"))


def bold(page: NotebookPage, index: int, text: str) -> bool:
    return styled(page, index, text).get("weight") in ("700", "bold")


def wraps(page: NotebookPage, index: int) -> bool:
    return bool(page.cell(index).locator(".cm-content.cm-lineWrapping").count())


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_colours(demo_server: Servers, notebook: Notebooks, shots: Path, dark: bool) -> None:
    """A chat cell is Markdown below the line of its magic, and wraps; other cells are Python and do not."""
    page = notebook(demo_server(pace=0), PROMPT, f"import os  # {LONG}", "%%generate\n**bold**", dark=dark)
    page.page.wait_for_selector(".cm-lineWrapping")
    assert bold(page, 1, "%%chat")
    assert styled(page, 1, "-m")["color"] == styled(page, 1, "--turns")["color"]
    assert styled(page, 1, "-m")["color"] != ""
    assert bold(page, 1, "**bold**") or bold(page, 1, "bold")
    assert bold(page, 1, " Heading")
    assert bold(page, 3, "**bold**") or bold(page, 3, "bold")
    assert bold(page, 2, "import")
    assert [wraps(page, index) for index in (1, 2, 3)] == [True, False, True]
    page.shot(shots, f"colours-{'dark' if dark else 'light'}")
    assert page.errors == []


def test_switching_while_typing(demo_server: Servers, notebook: Notebooks) -> None:
    """A cell changes its colours with its first line as one types, and what was typed can be undone as ever."""
    page = notebook(demo_server(pace=0), "**one** import os", "import os\nos.getcw", "# text", '"""\n%%chat\n"""')
    source = f"index => {NOTEBOOK_JS}.content.widgets[index].model.sharedModel.getSource()"
    editor = page.cell(1).locator(".cm-content")
    editor.click()
    page.page.keyboard.press("Control+Home")
    assert bold(page, 1, "import")
    page.page.keyboard.type("%%chat\n", delay=20)
    page.page.wait_for_selector(".cm-lineWrapping")
    assert bold(page, 1, "%%chat")
    assert bold(page, 1, "one")
    assert not bold(page, 1, "import")
    page.page.keyboard.press("Control+Home")
    page.page.keyboard.type("x")
    page.page.wait_for_function("() => !document.querySelector('.cm-lineWrapping')")
    assert bold(page, 1, "import")
    page.page.keyboard.press("Backspace")
    page.page.wait_for_selector(".cm-lineWrapping")
    for _ in range(10):
        page.page.keyboard.press("Control+z")
    assert page.page.evaluate(source, 1) == "**one** import os"
    assert not wraps(page, 1)
    page.page.keyboard.press("Control+Shift+z")
    page.page.wait_for_selector(".cm-lineWrapping")

    page.tell_kernel("get_ipython().Completer.use_jedi = False")  # which takes longer at first than JupyterLab waits
    page.cell(2).locator(".cm-content").click()
    page.page.keyboard.press("Control+End")
    page.page.keyboard.press("Tab")
    page.page.locator(".jp-Completer-item", has_text="getcwdb").wait_for()
    page.page.keyboard.press("Enter")
    assert page.page.evaluate(source, 2).startswith("import os\nos.getcwd")
    assert not wraps(page, 4)
    assert page.errors == []


def test_markdown_cells_and_files_stay_as_they_are(demo_server: Servers, notebook: Notebooks) -> None:
    """Only code cells are ours: a Markdown cell that begins with the same word is left alone, and so is its order."""
    page = notebook(demo_server(pace=0, answers=said), "%%chat\none", "%%chat\ntwo")
    do(page, 1, "change-cell-to-markdown", "enter-edit-mode")
    page.page.wait_for_function(f"() => {NOTEBOOK_JS}.content.widgets[1].model.type === 'markdown'")
    assert not bold(page, 1, "%%chat")
    assert bold(page, 2, "%%chat")
    assert page.errors == []


def test_order(demo_server: Servers, notebook: Notebooks) -> None:
    """A new cell between old ones is sent what stands above it; moved, cut, pasted and restored cells go along."""
    server = demo_server(pace=0, answers=said)
    page = notebook(server, "%%chat\none", "%%chat\ntwo", "%%chat\nthree")
    for index in (1, 2, 3):
        page.run(index)
    assert asked(server) == ["one", "two", "three"]

    do(page, 1, "insert-cell-below")
    edit(page, 2, "%%chat\nbetween")
    page.run(2)
    assert asked(server) == ["one", "between"]
    page.run(4)
    assert asked(server) == ["one", "between", "two", "three"]

    do(page, 4, "move-cell-up", "move-cell-up")
    page.run(2)
    assert asked(server) == ["one", "three"]
    page.run(4)
    assert asked(server) == ["one", "three", "between", "two"]

    do(page, 1, "delete-cell")
    page.run(3)
    assert asked(server) == ["three", "between", "two"]
    do(page, 1, "undo-cell-action")
    page.run(4)
    assert asked(server) == ["one", "three", "between", "two"]

    do(page, 1, "cut-cell")
    do(page, 3, "paste-cell-below")
    page.run(3)
    assert asked(server) == ["three", "between", "two"]
    page.run(4)
    assert asked(server) == ["three", "between", "two", "one"]
    assert page.errors == []


def test_order_after_a_reload_and_a_restart(demo_server: Servers, notebook: Notebooks) -> None:
    """A page that is loaded anew tells the order again, and a new kernel is told it too."""
    server = demo_server(pace=0, answers=said)
    page = notebook(server, "%%chat\none", "%%chat\ntwo")
    page.run(1)
    page.run(2)
    page.reload()
    page.wait_idle()
    do(page, 1, "insert-cell-below")
    edit(page, 2, "%%chat\nbetween")
    page.run(2)
    assert asked(server) == ["one", "between"]
    page.save()
    page.restart()
    page.run(0)
    do(page, 3, "move-cell-up")
    page.run(2)
    assert asked(server) == ["one", "two"]
    page.run(3)
    assert asked(server) == ["one", "two", "between"]
    assert page.errors == []


def test_two_notebooks_of_one_page(demo_server: Servers, notebook: Notebooks, lab: Lab) -> None:
    """Two notebooks side by side have an order each, with cells of the same ids."""
    server = demo_server(pace=0, answers=said)
    page = notebook(server, "%%chat\none", "%%chat\ntwo")
    page.run(1)
    page.run(2)
    second = lab.write("second.ipynb", [LOAD.format(url=server.url), "%%chat\nred", "%%chat\nblue"])
    page.page.evaluate(
        f"path => window.jupyterapp.commands.execute('docmanager:open', {{path, {SPLIT}}}).then(() => null)",
        second.name,
    )
    page.page.wait_for_function(
        f"{NOTEBOOK_JS}.context.path === 'second.ipynb' && {KERNEL_JS}?.connectionStatus === 'connected'",
        timeout=WAIT_MS,
    )
    page.wait_idle()
    for index in (0, 1, 2):
        page.run(index)
    do(page, 2, "move-cell-up")
    page.run(2)
    assert asked(server) == ["blue", "red"]
    page.page.evaluate(
        "path => window.jupyterapp.commands.execute('docmanager:open', {path}).then(() => null)", page.path.name
    )
    page.page.wait_for_function(f"path => {NOTEBOOK_JS}.context.path === path", arg=page.path.name)
    do(page, 1, "insert-cell-below")
    edit(page, 2, "%%chat\nbetween")
    page.run(2)
    assert asked(server) == ["one", "between"]
    page.run(3)
    assert asked(server) == ["one", "between", "two"]
    assert page.errors == []


def test_the_order_of_runs(demo_server: Servers, notebook: Notebooks) -> None:
    """`OllamaMagic.order = "run"` sends what ran before, wherever it stands."""
    server = demo_server(pace=0, answers=said)
    page = notebook(server, "%config OllamaMagic.order = 'run'", "%%chat\none", "%%chat\ntwo")
    for index in (1, 3, 2):
        page.run(index)
    assert asked(server) == ["two", "one"]
    assert page.errors == []
