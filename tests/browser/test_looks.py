"""Pictures of an answer in each state, light and dark, for people to look at; OLLAMA_MAGIC_SHOTS names a folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tests.answers import words
from tests.browser.conftest import themes
from tests.double import Delta, Fault

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.browser.lab import NotebookPage
    from tests.double import ScriptedServer

THOUGHT = "The question is short. A table says it best, then some code, and one formula to end with."
RICH = """## Sequences in Python

A **list** can change, a *tuple* cannot, and `set` knows no order.

| type | ordered | changes |
| --- | :---: | ---: |
| `list` | yes | yes |
| `tuple` | yes | no |

```python
def first(items: list[int], default: int = 0) -> int:
    \"\"\"The first item.\"\"\"
    return items[0] if items else default  # never fails
```

1. Euler: $e^{i\\pi} + 1 = 0$
2. 中文：**重点。**下一句 🚀
   - nested, with a [link](https://example.org)

> It costs $5 and not $6.

"""
COMPOSITE = Path(__file__).parent.parent / "markdown" / "composite.md"
LAST = "And this paragraph goes on for a while. " * 60


def pictures(page: NotebookPage, shots: Path, name: str, dark: bool) -> str:
    page.page.mouse.move(5, 5)
    page.shot(shots, f"{name}-{'dark' if dark else 'light'}")
    return page.text(1)


@themes(False)
def test_looks(
    demo_server: Callable[..., ScriptedServer], notebook: Callable[..., NotebookPage], shots: Path, dark: bool
) -> None:
    """Thinking, live, stopped, settled, failed and cut answers are readable in both themes."""
    rich, thought = words(RICH), [Delta(thinking=word) for word in words(THOUGHT)]
    server = demo_server(
        pace=60,
        faults=[
            Fault("script", script=[*thought, *words(RICH + LAST)]),
            Fault("script", script=[*thought, *rich]),
            Fault("error_line", after=40),
            Fault("no_done", after=40),
        ],
    )
    page = notebook(server, "%%chat --think\nHow do lists and tuples differ?", dark=dark, size=(1100, 1100))
    page.start(1)
    page.output(1).get_by_role("button", name="Thinking").click()
    page.wait_text(1, "short")
    assert "Stop" in pictures(page, shots, "thinking", dark)
    page.wait_text(1, "goes on")
    assert "Stop" in pictures(page, shots, "live", dark)
    page.interrupt()
    page.wait_run(1)
    assert "stopped" in pictures(page, shots, "stopped", dark)
    page.run(1)
    page.page.wait_for_selector(".jp-OutputArea mjx-container")
    settled = pictures(page, shots, "settled", dark)
    assert "It costs $5 and not $6." in settled
    assert "**" not in settled
    for name in ("failed", "cut"):
        page.run(1)
        assert name in pictures(page, shots, name, dark)
    assert page.errors == []


@themes(True)
def test_answers_as_models_write_them(
    demo_server: Callable[..., ScriptedServer], notebook: Callable[..., NotebookPage], shots: Path, dark: bool
) -> None:
    """A composite of all slips and extras of real answers reads the same live and settled, in both themes."""
    said, endless = words(COMPOSITE.read_text("utf8")), words(LAST * 10)
    server = demo_server(pace=200, faults=[Fault("script", script=[*said, *endless]), Fault("script", script=said)])
    page = notebook(server, "%%chat\nAll of it, please.", dark=dark, size=(1100, 3400))
    page.start(1)
    page.wait_text(1, "And this paragraph")
    live = pictures(page, shots, "composite-live", dark)
    page.interrupt()
    page.wait_run(1)
    page.run(1)
    settled = pictures(page, shots, "composite-settled", dark)
    assert "Name: Ada" in live
    assert "Stop" in live
    assert "Name: Ada" in settled
    assert "** Servings" not in settled
