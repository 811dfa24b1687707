"""The chat panel in a real JupyterLab: how people write in it, and what they see of it, here and in the cells."""

from __future__ import annotations

import json
import os
import threading
from typing import TYPE_CHECKING, Any

import pytest

from tests.answers import chats, held, paragraphs, sent, words
from tests.browser.lab import NOTEBOOK_JS, WAIT_MS
from tests.browser.test_looks import RICH
from tests.double import Fault

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import Locator

    from tests.browser.lab import Lab, NotebookPage
    from tests.double import ScriptedServer

    Servers = Callable[..., ScriptedServer]
    Notebooks = Callable[..., NotebookPage]

PANEL = "%ollama panel"
TEXT_IN = "([part, nth]) => document.querySelectorAll('.ollama-magic-panel')[nth]?.innerText.includes(part)"
AT_THE_END = """() => { const list = document.querySelector('.ollama-magic-turns');
    return list.scrollHeight - list.scrollTop - list.clientHeight < 48; }"""
SHUT_DOWN = f"{NOTEBOOK_JS}.sessionContext.shutdown().then(() => null)"
ON = "nth => document.querySelectorAll('.ollama-magic-panel')[nth]?.dataset.ollamaMagic"


def said(body: dict[str, Any]) -> list[str]:
    return words(f"You said: **{body['messages'][-1]['content'].strip()}**")


def asked(server: ScriptedServer, nth: int = -1) -> list[str]:
    return [text for role, text in sent(chats(server)[nth]) if role == "user"]


class PanelOf:
    """A panel as a person uses it."""

    def __init__(self, page: NotebookPage, nth: int = 0) -> None:
        self.page, self.nth = page, nth
        page.page.wait_for_function(ON, arg=nth, timeout=WAIT_MS)
        self.root = page.page.locator(".ollama-magic-panel").nth(nth)
        self.draft = self.root.locator(".ollama-magic-input").last.locator(".ollama-magic-draft textarea")

    def type(self, text: str, *keys: str) -> None:
        self.draft.focus()
        self.page.page.keyboard.type(text)
        for key in keys:
            self.page.page.keyboard.press(key)

    def ask(self, text: str) -> None:
        self.type(text, "Enter")

    def wait(self, part: str) -> None:
        self.page.page.wait_for_function(TEXT_IN, arg=[part, self.nth], timeout=WAIT_MS)

    def edit_first(self) -> Locator:
        first = self.root.locator(".ollama-magic-turn").first
        first.hover()
        first.get_by_role("button", name="Edit").click()
        editor = first.locator(".ollama-magic-draft textarea")
        editor.wait_for()
        return editor

    def button(self, name: str) -> Locator:
        return self.root.get_by_role("button", name=name, exact=True)

    @property
    def text(self) -> str:
        return self.root.inner_text()


def opened(page: NotebookPage, index: int) -> PanelOf:
    before = page.page.locator(".ollama-magic-panel").count()
    page.run(index)
    return PanelOf(page, before)


def test_writing(demo_server: Servers, notebook: Notebooks) -> None:
    """Nothing typed is lost: quickly, with new lines, while an answer comes, by key or button; up calls it back."""
    server = demo_server(pace=60, answers=said)
    page = notebook(server, PANEL)
    panel = opened(page, 1)
    for number in range(5):
        panel.ask(f"quick {number}")
    panel.type("one", "Shift+Enter")
    panel.type("two", "Enter")
    panel.wait("You said: one")
    server.faults.append(Fault("script", script=words(paragraphs(20))))
    panel.ask("Tell me")
    panel.wait("p2 is paragraph")
    panel.type("typed meanwhile, ")
    panel.wait("p4 is paragraph")
    panel.type("and more of it")
    assert panel.draft.input_value() == "typed meanwhile, and more of it"
    panel.button("Send").click()
    panel.wait("You said: typed meanwhile")
    assert panel.draft.input_value() == ""
    assert asked(server) == [
        *(f"quick {n}" for n in range(5)),
        "one\ntwo",
        "Tell me",
        "typed meanwhile, and more of it",
    ]
    panel.type("", "ArrowUp", "ArrowUp")
    assert panel.draft.input_value() == "Tell me"
    panel.type("", "ArrowDown", "ArrowDown")
    assert panel.draft.input_value() == ""
    panel.type("x", "ArrowUp")
    assert panel.draft.input_value() == "x"
    assert page.page.locator(".jp-Cell").count() == 2
    assert page.errors == []


def test_an_input_method(demo_server: Servers, notebook: Notebooks) -> None:
    """The Enter that ends a composition sends nothing; the next one sends what was composed."""
    server = demo_server(pace=0, answers=said)
    page = notebook(server, PANEL)
    panel = opened(page, 1)
    panel.draft.focus()
    keys = page.page.context.new_cdp_session(page.page)
    keys.send("Input.imeSetComposition", {"text": "ni hao", "selectionStart": 6, "selectionEnd": 6})
    keys.send(
        "Input.dispatchKeyEvent", {"type": "keyDown", "key": "Process", "code": "Enter", "windowsVirtualKeyCode": 229}
    )
    keys.send("Input.insertText", {"text": "你好"})
    assert panel.draft.input_value() == "你好"
    assert chats(server) == []
    panel.type("", "Enter")
    panel.wait("You said: 你好")
    assert asked(server) == ["你好"]


def test_one_conversation(demo_server: Servers, notebook: Notebooks) -> None:
    """Cells and two panels are one conversation, live; a panel works while a cell blocks the kernel."""
    server = demo_server(pace=0, answers=said)
    page = notebook(
        server, "%%chat\none", PANEL, "import ollama_magic\nollama_magic.ChatPanel()", "%%chat\nthree",
        "import time\nfor _ in range(600):\n    time.sleep(0.1)",
    )  # fmt: skip
    page.run(1)
    first, second = opened(page, 2), opened(page, 3)
    first.wait("You said: one")
    first.ask("two")
    second.wait("You said: two")
    page.run(4)
    first.wait("You said: three")
    second.wait("You said: three")
    assert asked(server) == ["one", "two", "three"]
    page.start(5)
    page.page.wait_for_timeout(300)
    second.ask("four, while a cell blocks")
    second.wait("You said: four")
    first.wait("You said: four")
    assert page.running(5)
    assert "Waiting for the cell" not in first.text
    page.interrupt()
    assert page.errors == []


def test_stop_edit_undo(demo_server: Servers, notebook: Notebooks) -> None:
    """Stop keeps what has come; an edited question sets aside what follows, and one undo brings it back."""
    server = demo_server(pace=60, answers=said)
    page = notebook(server, PANEL)
    panel = opened(page, 1)
    panel.ask("one")
    panel.wait("You said: one")
    server.faults.append(Fault("script", script=words(paragraphs(400))))
    panel.ask("two")
    panel.wait("p3 is paragraph")
    panel.button("Stop").last.click()
    panel.wait("stopped")
    assert chats(server)[1].ended.wait(30)
    assert chats(server)[1].closed_early
    editor = panel.edit_first()
    assert editor.input_value() == "one"
    editor.fill("one, otherwise")
    editor.press("Enter")
    panel.wait("You said: one, otherwise")
    assert asked(server) == ["one, otherwise"]
    assert "p3 is paragraph" not in panel.text
    panel.button("Undo").click()
    panel.wait("p3 is paragraph")
    assert "otherwise" not in panel.root.locator(".ollama-magic-turns").inner_text()
    assert page.errors == []


def test_reload_in_mid_answer(demo_server: Servers, notebook: Notebooks) -> None:
    """A page that was reloaded in mid-answer shows all of it, and goes on."""
    reloaded = threading.Event()
    server = demo_server(pace=0, answers=lambda _: held(paragraphs(30), reloaded))
    page = notebook(server, PANEL)
    panel = opened(page, 1)
    panel.ask("Tell me")
    panel.wait("p3 is paragraph")
    page.reload()
    again = PanelOf(page)
    again.wait("p1 is paragraph")
    assert not chats(server)[0].ended.is_set()
    reloaded.set()
    again.wait("p29 is paragraph number 29 of 30, and it says little more.")
    server.state.answers = said
    again.ask("And then?")
    again.wait("You said: And then?")
    assert asked(server) == ["Tell me", "And then?"]
    assert page.errors == []


def test_the_file(demo_server: Servers, notebook: Notebooks, open_page: Callable[..., NotebookPage], lab: Lab) -> None:
    """The file holds the transcript, hidden while the panel lives; a restarted kernel finds all of it again."""
    server = demo_server(pace=0, answers=said)
    page = notebook(server, PANEL)
    panel = opened(page, 1)
    panel.ask("one")
    panel.wait("You said: one")
    page.page.wait_for_function(
        "() => document.querySelector('.ollama-magic-transcript')?.textContent.includes('You said: one')"
    )
    transcript = page.output(1).locator(".ollama-magic-transcript")
    assert transcript.is_hidden()
    page.restart()
    transcript.wait_for()
    assert panel.root.is_hidden()
    page.run(0)
    page.run(1)
    again = PanelOf(page)
    again.wait("You said: one")
    again.ask("two")
    again.wait("You said: two")
    assert asked(server) == ["one", "two"]
    again.button("×").click()
    transcript.wait_for()
    page.page.wait_for_function("() => !document.querySelector('.ollama-magic-panel')")
    assert "You said: two" in transcript.inner_text()
    file = json.dumps(page.save()["cells"][1]["outputs"])
    assert "widget-view" not in file
    assert "You said: **two**" in file
    assert page.errors == []


def test_the_end_of_the_kernel(demo_server: Servers, notebook: Notebooks) -> None:
    """A kernel that is shut down leaves nothing of the widget in the file, and the transcript on screen."""
    server = demo_server(pace=0, answers=said)
    page = notebook(server, PANEL)
    panel = opened(page, 1)
    panel.ask("one")
    panel.wait("You said: one")
    page.page.evaluate(SHUT_DOWN)
    page.wait_text(1, "main: 1 turn")
    page.page.wait_for_function("() => !document.querySelector('.ollama-magic-panel')", timeout=WAIT_MS)
    assert "You said: one" in page.text(1)
    assert "widget-view" not in json.dumps(page.save()["cells"][1]["outputs"])


def test_keys_alone(demo_server: Servers, notebook: Notebooks) -> None:
    """All that a panel can do is reached with the Tab key, and the box where one writes has a name."""
    server = demo_server(pace=0, answers=said)
    page = notebook(server, PANEL)
    panel = opened(page, 1)
    panel.ask("one")
    panel.wait("You said: one")
    assert panel.root.get_attribute("role") == "region"
    assert panel.root.locator("[role=status]").count() == 1
    named = panel.root.evaluate(
        "root => [...root.querySelectorAll('button, select, textarea')].filter(one => one.offsetParent)"
        ".filter(one => !(one.innerText.trim() || one.title || one.labels?.[0]?.innerText)).length"
    )
    assert named == 0
    panel.root.locator("select").first.focus()
    reached = []
    for _ in range(12):
        reached.append(page.page.evaluate("document.activeElement.innerText?.trim() || document.activeElement.tagName"))
        page.page.keyboard.press("Tab")
    for name in ("New", "Undo", "×", "Edit", "Ask again", "TEXTAREA"):
        assert name in reached
    assert page.errors == []


@pytest.mark.parametrize(
    ("width", "dark"),
    [(520, True), (1280, False), *([(520, False), (1280, True)] if "OLLAMA_MAGIC_SHOTS" in os.environ else [])],
)
def test_looks(demo_server: Servers, notebook: Notebooks, shots: Path, width: int, dark: bool) -> None:
    """Light, dark, narrow, wide: nothing stands out sideways; the tail is followed until the reader scrolls up."""
    server = demo_server(pace=150)
    page = notebook(server, PANEL, dark=dark, size=(width, 900))
    page.page.evaluate("window.jupyterapp.shell.collapseLeft()")
    panel = opened(page, 1)
    panel.ask("Show me some Python code")
    panel.wait("demo: scripted reply")
    panel.button("Stop").wait_for(state="detached")
    server.faults.append(Fault("script", script=words(RICH + paragraphs(200))))
    panel.type("What is a list?", "Shift+Enter")
    panel.ask("    And what is a tuple?")
    panel.wait("p2 is paragraph")
    panel.root.scroll_into_view_if_needed()
    name = f"panel-{'narrow' if width < 800 else 'wide'}-{'dark' if dark else 'light'}"
    page.shot(shots, f"{name}-live")
    turns = panel.root.locator(".ollama-magic-turns")
    assert turns.evaluate("one => one.scrollWidth <= one.clientWidth")
    page.page.wait_for_function(AT_THE_END)
    turns.evaluate("one => { one.scrollTop = 0; }")
    panel.wait("p12 is paragraph")
    assert turns.evaluate("one => one.scrollTop") == 0
    page.shot(shots, f"{name}-top")
    assert page.errors == []
