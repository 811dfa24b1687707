"""Answers of several models side by side as a person sees them: live, settled, narrow, dark, and without a kernel."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.answers import words
from tests.browser.lab import Lab
from tests.double import SMALL, Delta

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Locator

    from tests.browser.lab import NotebookPage
    from tests.double import ScriptedServer

THEMES = [False, True] if "OLLAMA_MAGIC_SHOTS" in os.environ else [False]  # both where pictures are wanted
MODELS = [replace(SMALL, name=name, capabilities=("completion", "thinking")) for name in ("gemma3:1b", "qwen3:4b")]
WIDE = "result = " + " + ".join(f"a_rather_long_name_{number}" for number in range(12))
FIRST = f"""A list **can change**, and this is how.

```python
{WIDE}
```

| type | changes |
| --- | --- |
| list | yes |
"""
SECOND = """קודם כול, רשימה **יכולה להשתנות**.

- ראשון
- שני `x = 1`

$$e^{i\\pi} + 1 = 0$$
"""


def answers(body: Any) -> Iterator[Any]:
    """A short answer with wide code, and one that thinks, is written from right to left, and never ends by itself."""
    if body["model"] == "gemma3:1b":
        yield from words(FIRST)
        return
    yield Delta(thinking="They want to know about lists.")
    yield from words(SECOND)
    for number in range(2000):
        yield f"{number} "


def columns(page: NotebookPage, index: int) -> Locator:
    return page.output(index).locator(".ollama-magic-column")


def side_by_side(page: NotebookPage, index: int) -> bool:
    """Whether the second column begins on the right of the first one."""
    first, second = (columns(page, index).nth(place).bounding_box() for place in (0, 1))
    assert first is not None
    assert second is not None
    assert first["width"] > 200
    return second["x"] >= first["x"] + first["width"]


@pytest.mark.parametrize("dark", THEMES, ids=lambda dark: "dark" if dark else "light")
def test_columns(
    demo_server: Callable[..., ScriptedServer], notebook: Callable[..., NotebookPage], shots: Path, dark: bool
) -> None:
    """Each column has its own end: ■ in one stops that one; settled they stand as before, narrow one below the other.

    *Keep* under the other answer makes it the remembered one. The saved file shows all of it without a kernel.
    """
    theme = "dark" if dark else "light"
    server = demo_server(pace=60, models=MODELS, answers=answers)
    cells = ("%%chat -m gemma3:1b -m qwen3:4b\nCan a list change?", "%ollama panel")
    page = notebook(server, *cells, dark=dark, size=(1280, 1000))
    page.start(1)
    page.wait_text(1, "1 turn sent")  # the first has ended
    page.wait_text(1, "30 ")
    assert side_by_side(page, 1)
    assert columns(page, 1).nth(0).get_by_role("button", name="Stop").count() == 0
    page.page.mouse.move(5, 5)
    page.shot(shots, f"columns-live-{theme}")
    columns(page, 1).nth(1).get_by_role("button", name="Stop").click()
    page.wait_run(1)
    page.wait_text(1, "stopped")
    assert side_by_side(page, 1)
    assert page.output(1).locator(".ollama-magic-live").count() == 0
    assert "remembered" in columns(page, 1).nth(0).inner_text()
    page.page.mouse.move(5, 5)
    page.shot(shots, f"columns-settled-{theme}")
    # The wide code stays in its column.
    assert columns(page, 1).nth(0).evaluate("one => one.scrollWidth <= one.clientWidth")
    if Lab.labextension:
        columns(page, 1).nth(1).get_by_role("button", name="Keep").click()
        page.page.wait_for_function(
            "() => document.querySelector('.ollama-magic-column:nth-child(2) p').innerText.includes('remembered')"
        )
        assert "remembered" not in columns(page, 1).nth(0).inner_text().replace("remembers", "")
        page.page.mouse.move(5, 5)
        page.shot(shots, f"columns-kept-{theme}")
    page.run(2)
    tabs = page.output(2).locator(".ollama-magic-tabs")
    tabs.get_by_role("button", name="qwen3:4b").click()
    page.wait_text(2, "ראשון")
    tabs.scroll_into_view_if_needed()
    page.shot(shots, f"columns-panel-{theme}")
    page.page.set_viewport_size({"width": 800, "height": 1200})
    assert not side_by_side(page, 1)
    page.shot(shots, f"columns-narrow-{theme}")

    page.save()
    page.page.close()
    page.lab.end_kernels()
    page.page = page._open(kernel=False)
    page.page.set_viewport_size({"width": 800, "height": 1200})
    text = page.text(1)
    assert text.index("gemma3:1b") < text.index("A list can change") < text.index("qwen3:4b") < text.index("ראשון")
    page.shot(shots, f"columns-without-kernel-{theme}")
    assert page.errors == []
