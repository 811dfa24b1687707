"""A newcomer's sitting with the panel, from the first question to a kernel that was started again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.answers import chats, paragraphs, words
from tests.browser.test_panel import PANEL, PanelOf, asked, opened, said
from tests.double import Fault

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.browser.lab import NotebookPage
    from tests.double import ScriptedServer

CODE = "Like so:\n\n```python\ndef twice(x):\n    return 2 * x\n```\n"


def answers(body: dict[str, Any]) -> list[str]:
    return words(CODE) if "code" in body["messages"][-1]["content"] else said(body)


def finds_everything(panel: PanelOf) -> None:
    for part in ("You said: first, otherwise", "return 2 * x", "p3 is paragraph", "stopped"):
        panel.wait(part)
    assert "You said: third" not in panel.text


def test_a_sitting(demo_server: Callable[..., ScriptedServer], notebook: Callable[..., NotebookPage]) -> None:
    """Three turns with code, an edit, a stop, a page loaded anew, a kernel started again: everything is found."""
    server = demo_server(pace=60, answers=answers)
    page = notebook(server, PANEL)
    panel = opened(page, 1)
    for prompt, part in (("first", "You said: first"), ("show me code", "return 2 * x"), ("third", "You said: third")):
        panel.ask(prompt)
        panel.wait(part)
    page.wait_idle()
    editor = panel.edit_first()
    editor.fill("first, otherwise")
    editor.press("Enter")
    panel.wait("You said: first, otherwise")
    assert "return 2 * x" not in panel.text
    panel.ask("code again")
    panel.wait("return 2 * x")
    server.faults.append(Fault("script", script=words(paragraphs(400))))
    panel.ask("Tell me everything")
    panel.wait("p3 is paragraph")
    panel.button("Stop").last.click()
    panel.wait("stopped")
    assert chats(server)[-1].ended.wait(30)

    page.reload()
    finds_everything(PanelOf(page))
    page.save()
    page.restart()
    page.run(0)
    page.run(1)
    panel = PanelOf(page)
    finds_everything(panel)
    panel.ask("And now?")
    panel.wait("You said: And now?")
    assert asked(server) == ["first, otherwise", "code again", "Tell me everything", "And now?"]
    assert page.errors == []
