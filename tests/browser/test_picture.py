"""The README's picture: an answer that streams in the quickstart. OLLAMA_MAGIC_PICTURE names the file to make."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from ollama_magic.example_notebooks import copy_examples
from tests.answers import chats

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.browser.lab import Lab, NotebookPage
    from tests.double import ScriptedServer


def test_the_quickstart_streams(
    demo_server: Callable[..., ScriptedServer], open_page: Callable[..., NotebookPage], lab: Lab, tmp_path: Path
) -> None:
    """The quickstart, in the browser and at the demo server's own pace, shows an answer growing."""
    server = demo_server()
    page = open_page(copy_examples(lab.work), size=(1080, 900))
    page.page.evaluate("window.jupyterapp.commands.execute('application:toggle-left-area')")
    page.tell_kernel(f"import os; os.environ['OLLAMA_HOST'] = {server.url!r}")
    page.run(1)
    page.run(2)
    page.start(6)
    page.output(6).locator("table tr").nth(4).wait_for()
    assert not chats(server)[1].ended.is_set()
    page.output(6).scroll_into_view_if_needed()
    page.page.mouse.move(5, 5)
    picture = page.shot(tmp_path, "streaming")
    page.wait_run(6)
    assert page.errors == []
    if wanted := os.environ.get("OLLAMA_MAGIC_PICTURE"):
        shutil.copy(picture, wanted)
