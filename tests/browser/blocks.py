"""Blocks of 100 kB and floods of words, as a page shows them: what was there when, and how long nothing moved."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.browser.lab import NOTEBOOK_JS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.browser.lab import NotebookPage
    from tests.double import ScriptedServer

# The longest time without a frame, and when the end of an answer could first be read: live, and settled.
PROBE = """() => { if (window.probed) return; window.probed = true; let last = performance.now();
    const frame = () => { const now = performance.now(); window.gap = Math.max(window.gap, now - last); last = now;
        requestAnimationFrame(frame); };
    requestAnimationFrame(frame);
    setInterval(() => { const cells = [...document.querySelectorAll('.jp-Notebook .jp-Cell')];
        for (const [i, cell] of cells.entries()) for (const kind of ['.ollama-magic-live', '.jp-RenderedHTML']) {
            const key = i + kind; const root = key in window.ends ? null : cell.querySelector(kind);
            if (root?.textContent.includes('KEEP-end')) window.ends[key] = Date.now() / 1000; } }, 20); }"""
RESET = "window.gap = 0, window.ends = {}"
ENDS = """index => { const settled = window.ends[index + '.jp-RenderedHTML'];
    return [window.ends[index + '.ollama-magic-live'] ?? settled, settled]; }"""
FILE = Path(__file__).parent.parent / "hostile" / "markdown.jsonl"


def built(payload: dict[str, Any]) -> str:
    return "".join(unit * times for unit, times in payload["build"])


PAYLOADS = [json.loads(line) for line in FILE.read_text(encoding="utf8").splitlines()]
BIG = {payload["id"]: built(payload) for payload in PAYLOADS if payload["class"] == "big"}
HOSTILE = {payload["id"]: built(payload) for payload in PAYLOADS if "build" in payload and payload["id"] not in BIG}
OURS = {
    "list": "".join(f"- item {n} of **many**\n" for n in range(4_000)),
    "table": "| a | b | c |\n|---|---|---|\n" + "".join(f"| {n} | `x{n}` | *y* |\n" for n in range(4_500)),
    "fence": "```python\n" + "".join(f"x{n} = [{n}, 'text']  # why\n" for n in range(3_300)),
    "stars": "*a_ **b _c*" * 9_000,
    "dollars": "$x $ $$y$ \\( ".__mul__(7_500),
    "quotes": "".join(f"{'> ' * (n % 60)}deep {n}\n" for n in range(1_500)),
    "line": "word " * 20_000,
    "formulas": "$x_1^2 + \\frac{a}{b}$ and " * 4_000,
    "links": "[a](https://example.org/b) " * 3_700,
}

BLOCKS = HOSTILE | OURS


@dataclass(frozen=True)
class Shown:
    """When the end of a block could be read, in seconds after it was sent, and the longest time without a frame."""

    name: str
    live: float
    settled: float
    gap: float


def watched(page: NotebookPage) -> NotebookPage:
    page.page.evaluate(RESET)
    page.page.evaluate(PROBE)
    return page


def gap(page: NotebookPage) -> float:
    """The longest time without a frame so far, in seconds."""
    return float(page.page.evaluate("window.gap")) / 1000


def wait_settled(page: NotebookPage, *cells: int) -> None:
    page.page.wait_for_function(
        "cells => cells.every(i => (i + '.jp-RenderedHTML') in window.ends)", arg=list(cells), timeout=600_000
    )


def all_shown(
    server: Callable[..., ScriptedServer], notebook: Callable[..., NotebookPage], blocks: dict[str, str]
) -> Iterator[Shown]:
    """Have each block be the answer of a cell, sent as fast as possible; its output is taken away behind it."""
    ended: dict[str, float] = {}

    def speak(body: dict[str, Any]) -> Iterator[str]:
        name = body["messages"][-1]["content"]
        text = blocks[name] + "\n\nKEEP-end"
        yield from (text[at : at + 500] for at in range(0, len(text), 500))
        ended[name] = time.time()

    page = watched(notebook(server(pace=0, answers=speak), *(f"%%chat --once\n{name}" for name in blocks)))
    for index, name in enumerate(blocks, 1):
        page.page.evaluate(RESET)
        page.start(index)
        wait_settled(page, index)
        live, settled = (when - ended[name] for when in page.page.evaluate(ENDS, index))
        yield Shown(name, live, settled, gap(page))
        page.page.evaluate(f"{NOTEBOOK_JS}.content.widgets[{index}].model.outputs.clear()")
    assert page.errors == []
