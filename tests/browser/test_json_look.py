"""A JSON answer in a real page: code from its first piece on, the same when it has settled, and nothing of it acts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.answers import words
from tests.double import Fault

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.browser.lab import NotebookPage
    from tests.double import ScriptedServer

ANSWER = json.dumps(
    {
        "islands": [{"name": f"n{i}", "people": i * 1000, "big": i > 3} for i in range(12)],
        "note": "<img src=x onerror=alert(1)> **not bold** ```",
    }
)


def test_json_looks_like_code(
    demo_server: Callable[..., ScriptedServer], notebook: Callable[..., NotebookPage], shots: Path
) -> None:
    """Live and settled, the answer is one block of code, laid out in lines, and its tags are letters."""
    server = demo_server(pace=60, faults=[Fault("script", script=words(ANSWER))])
    page = notebook(server, "%%chat -f json\nName some islands, as JSON.", size=(1100, 1100))
    page.start(1)
    page.wait_text(1, '"name": "n2"')
    page.shot(shots, "json-live")
    page.wait_run(1)
    page.shot(shots, "json-settled")
    text = page.text(1)
    assert '  "islands": [\n    {\n      "name": "n0",' in text
    assert '"note": "<img src=x onerror=alert(1)> **not bold** ```"' in text
    assert page.output(1).locator("img, strong").count() == 0
    assert page.errors == []
