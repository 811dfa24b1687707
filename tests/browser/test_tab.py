"""The Tab key in a real JupyterLab: commands, options, models and variables in the menu, nothing of Python in prose."""

from __future__ import annotations

import builtins
import os
from contextlib import suppress
from typing import TYPE_CHECKING

from playwright.sync_api import TimeoutError as Timeout

from tests.browser.conftest import themes

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.browser.lab import NotebookPage
    from tests.double import ScriptedServer

LABEXTENSION_OFF = os.environ.get("OLLAMA_MAGIC_LABEXTENSION") == "off"
ITEMS = ".jp-Completer:not(.lm-mod-hidden) .jp-Completer-match"


def press_tab(page: NotebookPage, index: int, text: str) -> None:
    """Type into an empty cell and press Tab."""
    page.cell(index).locator(".cm-content").click()
    page.page.keyboard.press("Control+a")
    page.page.keyboard.press("Delete")
    page.page.keyboard.insert_text(text)
    page.page.keyboard.press("Tab")


def menu(page: NotebookPage, index: int, text: str) -> list[str]:
    """What the menu offers behind the text."""
    press_tab(page, index, text)
    page.page.wait_for_selector(ITEMS)
    return [item.strip() for item in page.page.locator(ITEMS).all_inner_texts()]


def close_menu(page: NotebookPage) -> None:
    page.page.keyboard.press("Escape")
    page.page.wait_for_selector(ITEMS, state="detached")


def source(page: NotebookPage, index: int) -> str:
    return page.cell(index).locator(".cm-content").inner_text().rstrip("\n")


@themes(False)
def test_tab_menu(
    demo_server: Callable[..., ScriptedServer], notebook: Callable[..., NotebookPage], shots: Path, dark: bool
) -> None:
    """The menu has commands, options and variables of ours, what is chosen is typed, and prose has none."""
    page = notebook(demo_server(pace=0), "table = {'year': 1}\ntablet = 2", "", dark=dark)
    page.run(1)
    name = "dark" if dark else "light"
    assert {"status", "list", "model", "help"} <= set(menu(page, 2, "%ollama "))
    page.shot(shots, f"tab-commands-{name}")
    close_menu(page)
    assert "--think" in menu(page, 2, "%%chat --")
    page.shot(shots, f"tab-options-{name}")
    close_menu(page)
    assert set(menu(page, 2, "%%chat\nWhat is in {{tab")) == {"table", "tablet"}
    page.shot(shots, f"tab-variables-{name}")
    close_menu(page)
    for _ in range(5):  # the first Tab does not wait for a slow server; a later one has the names
        press_tab(page, 2, "%%chat --model de")
        with suppress(Timeout):
            page.page.locator(ITEMS, has_text="demo:latest").click(timeout=3000)
            break
        page.page.keyboard.press("Escape")  # JupyterLab's own menu of words in the cell
    page.page.wait_for_function(
        "() => [...document.querySelectorAll('.cm-content')][2].innerText.trim() === '%%chat --model demo:latest'"
    )
    for prose in ("%%chat\nplease pri", "%%chat\nplease ", "%ollama nothing pri"):
        press_tab(page, 2, prose)
        page.wait_idle()
        page.page.wait_for_timeout(500)
        found = {item.strip() for item in page.page.locator(ITEMS).all_inner_texts()}
        assert not {item for item in found if item.rstrip("(") in dir(builtins)}
        assert not found or LABEXTENSION_OFF  # then JupyterLab itself may offer words of the cell
        page.page.keyboard.press("Escape")
        assert source(page, 2) == prose
    assert not page.errors
