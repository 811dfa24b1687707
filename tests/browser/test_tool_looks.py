"""Pictures of tool calls, live and settled, light and dark; and what a person can do with them in a real page."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from tests.double import SMALL, Delta
from tests.tools.dialogues import call, rounds

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.browser.lab import NotebookPage
    from tests.double import ScriptedServer

THEMES = [False, True] if "OLLAMA_MAGIC_SHOTS" in os.environ else [False]  # both where pictures are wanted
TOOLS = '''
import time
import ollama_magic

def weather(city: str, days: int = 1) -> str:
    """Say the weather."""
    print("looking up", city)
    time.sleep(0.2)
    return f"18 °C in {city}"

def slow() -> str:
    """Take a while."""
    time.sleep(2)
    return "done"

@ollama_magic.tool(confirm=True)
def order(product: str, pieces: int) -> str:
    """Order."""
    return f"{pieces} × {product} ordered"
'''


def dialogue() -> list[Any]:
    """Two calls that end, one that fails, one that takes a while, one that asks first, and the answer."""
    return [
        [
            Delta(thinking="I need both cities."),
            "Let me look.",
            call("weather", city="Lima"),
            call("weather", city="Oslo"),
        ],
        [call("weather", town="Paris")],
        [call("slow")],
        [call("order", product="umbrella", pieces=2)],
        ["It is **18 °C** in both cities; two umbrellas are ordered."],
    ]


@pytest.mark.parametrize("dark", THEMES, ids=lambda dark: "dark" if dark else "light")
def test_tool_calls_look_right(
    demo_server: Callable[..., ScriptedServer], notebook: Callable[..., NotebookPage], shots: Path, dark: bool
) -> None:
    """Calls are lines that unfold, live and settled; a click on Run answers the question, and what is open stays so."""
    theme = "dark" if dark else "light"
    server = demo_server(pace=0, models=[SMALL], answers=rounds(*dialogue()))
    ask = "%%chat -t weather -t slow -t order\nWhat is the weather in Lima and Oslo?"
    page = notebook(server, TOOLS, ask, dark=dark, size=(1000, 1000))
    page.run(1)
    page.start(2)
    page.wait_text(2, "slow() · running")
    page.output(2).get_by_text('weather(city="Lima")').click()
    page.page.mouse.move(5, 5)
    page.shot(shots, f"tools-live-{theme}")
    page.wait_text(2, "Run order(")
    page.output(2).get_by_role("button", name="Run").scroll_into_view_if_needed()
    page.page.mouse.move(5, 5)
    page.shot(shots, f"tools-asks-{theme}")
    page.output(2).get_by_role("button", name="Run").click()
    page.wait_run(2)
    page.wait_text(2, "umbrellas are ordered")
    page.output(2).get_by_text('weather(city="Lima")').click()
    page.page.mouse.move(5, 5)
    page.shot(shots, f"tools-settled-{theme}")
    settled = page.text(2)
    for line in (
        "→ 18 °C in Lima · ",
        "Error: the argument city is missing",
        "2 × umbrella ordered",
        "looking up Lima",
    ):
        assert line in settled
    assert settled.index("Let me look.") < settled.index("weather(") < settled.index("It is 18 °C")
    assert "Stop" not in settled
    assert page.errors == []
