"""The chat panel in Notebook 7: as in JupyterLab."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.answers import chats, sent, words
from tests.browser.test_panel import PANEL, PanelOf
from tests.frontends.test_notebook7 import notebook  # noqa: F401 (a fixture)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.double import ScriptedServer
    from tests.frontends.notebook7 import Notebook7Page


def said(body: dict[str, Any]) -> list[str]:
    return words(f"You said: **{body['messages'][-1]['content'].strip()}**")


def test_the_panel(
    demo_server: Callable[..., ScriptedServer],
    notebook: Callable[..., Notebook7Page],  # noqa: F811
) -> None:
    """What is asked in a cell appears in the panel, and what is asked in the panel is known to the next cell."""
    server = demo_server(pace=0, answers=said)
    page = notebook(server, "%%chat\none", PANEL, "%%chat\nthree")
    page.run(1)
    page.run(2)
    panel = PanelOf(page)
    panel.wait("You said: one")
    panel.type("two", "Shift+Enter")
    panel.ask("lines")
    panel.wait("You said: two")
    page.run(3)
    panel.wait("You said: three")
    assert [text for role, text in sent(chats(server)[-1]) if role == "user"] == ["one", "two\nlines", "three"]
    assert page.output(2).locator(".ollama-magic-transcript").is_hidden()
    assert page.errors == []
