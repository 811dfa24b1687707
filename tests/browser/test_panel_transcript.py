"""The transcript of a long conversation in JupyterLab: hidden while the panel is open, then one text without gaps."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.conftest import themes
from tests.browser.lab import WAIT_MS, Lab, NotebookPage
from tests.browser.test_panel import PANEL, PanelOf, opened, said

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.double import ScriptedServer

    Servers = Callable[..., ScriptedServer]
    Notebooks = Callable[..., NotebookPage]

MANY = """
from ollama_magic.line.loaded import loaded_magics
from ollama_magic.turns.turn_value import Outcome, RequestSettings, Turn
text = '''Some *words* and `code`.

```python
print(1)
```

- one
- two
'''
end = dict(settings=RequestSettings('demo:latest'), outcome=Outcome('complete'))
loaded_magics().session.journal.add([Turn(f'question {n}', f'Answer {n}. ' + text * 4, **end) for n in range(1, 61)])
"""
SHOWS = "part => [...document.querySelectorAll('.ollama-magic-transcript')].some(one => one.textContent.includes(part))"
HEIGHTS = """index => [...document.querySelectorAll('.jp-Notebook .jp-Cell')[index].querySelectorAll(
    '.jp-OutputArea > :not(.jp-OutputArea-promptOverlay)')].map(child => child.getBoundingClientRect().height)"""
GAPS = """index => { const parts = [...document.querySelectorAll('.jp-Notebook .jp-Cell')[index]
    .querySelectorAll('.ollama-magic-transcript > *')].map(one => one.getBoundingClientRect());
    return parts.slice(1).map((one, at) => one.top - parts[at].bottom); }"""
ASKED = [*(f"question {n}" for n in range(1, 61)), "one", "two"]


def long(page: NotebookPage) -> PanelOf:
    """A panel whose conversation has sixty turns already."""
    page.tell_kernel(MANY)
    panel = opened(page, 1)
    page.page.wait_for_function(SHOWS, arg="question 60", timeout=WAIT_MS)
    return panel


def say(panel: PanelOf, text: str) -> None:
    panel.ask(text)
    panel.wait(f"You said: {text}")
    panel.page.page.wait_for_function(SHOWS, arg=f"You said: {text}", timeout=WAIT_MS)


def questions(outputs: list[dict[str, Any]]) -> list[str]:
    """What was asked, as the outputs say it in this order."""
    texts = "\n".join("".join(output["data"].get("text/plain", "")) for output in outputs[1:])
    return re.findall(r"^> (.*)$", texts, re.MULTILINE)


@themes(False)
def test_a_long_transcript(demo_server: Servers, notebook: Notebooks, shots: Path, dark: bool) -> None:
    """It is hidden while the panel is open, and after that one text in order, whose empty outputs take no room."""
    page = notebook(demo_server(pace=0, answers=said), PANEL, dark=dark)
    panel = long(page)
    say(panel, "one")
    say(panel, "two")
    assert page.page.locator(".ollama-magic-transcript").count() > 3
    assert page.page.evaluate(HEIGHTS, 1)[1:] == [0] * 8
    page.reopen_without_kernel()
    page.page.locator(".ollama-magic-transcript").first.wait_for()
    outputs = page.outputs(1)
    assert questions(outputs) == ASKED
    heights = page.page.evaluate(HEIGHTS, 1)
    shown = [bool(output["data"]) for output in outputs]
    assert [height > 0 for height in heights[1:]] == shown[1:]
    assert not all(shown)
    assert max(page.page.evaluate(GAPS, 1)) < 30
    for nth, name in enumerate(("begin", "seam", "end")):
        page.page.locator(".ollama-magic-transcript").nth([0, 2, -1][nth]).scroll_into_view_if_needed()
        page.shot(shots, f"transcript-{name}-{'dark' if dark else 'light'}")
    assert page.errors == []


def test_undo_in_a_long_transcript(demo_server: Servers, notebook: Notebooks) -> None:
    """Outputs that lose all their turns are empty again, on screen and in the file, and take some later."""
    page = notebook(demo_server(pace=0, answers=said), PANEL)
    panel = long(page)
    panel.button("New").click()
    page.page.wait_for_function(f"part => !({SHOWS})(part)", arg="question 1", timeout=WAIT_MS)
    say(panel, "one")
    say(panel, "two")
    assert questions(page.outputs(1)) == ["one", "two"]
    assert [bool(output["data"]) for output in page.outputs(1)] == [True, True] + [False] * 7
    panel.root.locator("select").first.select_option("main")
    page.page.wait_for_function(SHOWS, arg="question 60", timeout=WAIT_MS)
    panel.button("×").click()
    page.page.wait_for_function("() => !document.querySelector('.ollama-magic-panel')")
    assert questions(page.save()["cells"][1]["outputs"]) == ASKED[:-2]
    assert page.page.locator(".ollama-magic-transcript").first.is_visible()
    assert page.errors == []


@pytest.mark.skipif(not Lab.labextension, reason="JupyterLab's part is turned off")
def test_a_long_transcript_after_a_reload(demo_server: Servers, notebook: Notebooks) -> None:
    """In a page that was loaded anew a long transcript goes on in the outputs that were empty."""
    page = notebook(demo_server(pace=0, answers=said), PANEL)
    opened(page, 1)
    page.reload()
    panel = PanelOf(page)
    page.tell_kernel(MANY)
    say(panel, "one")
    say(panel, "two")
    assert questions(page.save()["cells"][1]["outputs"]) == ASKED
    page.reload()
    PanelOf(page)
    assert questions(page.outputs(1)) == ASKED
    assert all(one.is_hidden() for one in page.page.locator(".ollama-magic-transcript").all())
    assert page.errors == []
