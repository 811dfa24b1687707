"""The *Keep* button where nothing can be kept: it says what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.answers import words
from tests.browser.lab import WAIT_MS, Lab
from tests.browser.test_columns import MODELS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.browser.lab import NotebookPage
    from tests.double import ScriptedServer

pytestmark = pytest.mark.skipif(not Lab.labextension, reason="JupyterLab's part is turned off")

SAYS = "part => document.querySelector('.ollama-magic-keep > button')?.innerText === part"


def test_what_cannot_be_kept(demo_server: Callable[..., ScriptedServer], notebook: Callable[..., NotebookPage]) -> None:
    """Answers that were cleared, and a kernel that has not loaded the extension, are named for a moment."""
    server = demo_server(pace=0, models=MODELS, answers=lambda _: words("Yes."))
    page = notebook(server, "%%chat -m gemma3:1b -m qwen3:4b\nCan a list change?", "%ollama clear")
    page.run(1)
    page.run(2)
    keep = page.output(1).locator(".ollama-magic-keep > button")
    keep.click()
    says = "No longer part of the conversation: run the cell again"
    page.page.wait_for_function(SAYS, arg=says, timeout=WAIT_MS)
    page.page.wait_for_function(SAYS, arg="Keep", timeout=WAIT_MS)
    page.restart()
    keep.click()
    page.page.wait_for_function(SAYS, arg="Run %load_ext ollama_magic first", timeout=WAIT_MS)
    assert page.errors == []
