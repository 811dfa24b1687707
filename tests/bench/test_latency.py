"""From a token to the screen, in a real JupyterLab: our view against a floor that shows the last 80 characters only."""

from __future__ import annotations

import json
import statistics
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.double import Delta, ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.bench.conftest import Figures
    from tests.browser.lab import Lab, NotebookPage

    Pages = Callable[..., NotebookPage]

TOKENS, WINDOW, TIMES = 32_000, 1_500, 2
PREFILLED_S = 4
# After every frame: the newest mark in the last words of the answer, and when; and tasks that block the page.
PROBE = r"""where => { const probe = window.probe = { seen: [], long: [], top: 0 }, channel = new MessageChannel();
    const note = entry => probe.long.push([performance.timeOrigin + entry.startTime, entry.duration]);
    new PerformanceObserver(list => list.getEntries().forEach(note)).observe({type: 'longtask'});
    const last = (node, text = '') => { for (let child = node?.lastChild; child && text.length < 700;
        child = child.previousSibling) text = child.nodeType === 3 ? child.data + ' ' + text : last(child, text);
        return text; };
    channel.port1.onmessage = () => { const now = performance.timeOrigin + performance.now();
        const root = document.querySelectorAll('.jp-Notebook .jp-Cell')[0].querySelector(where);
        const top = Math.max(0, ...[...last(root).matchAll(/qz(\d+)z/g)].map(found => +found[1]));
        if (top > probe.top) { probe.top = top; probe.seen.push([now, top]); } };
    const frame = () => { channel.port2.postMessage(0); requestAnimationFrame(frame); }; frame(); }"""
ROOTS = {"floor": ".jp-OutputArea", "ours": ".ollama-magic-answer, .ollama-magic"}
FIRST = """() => { const look = () => { const area = document.querySelectorAll('.jp-Notebook .jp-Cell')[1]
    .querySelector('.jp-OutputArea'); if (area?.innerText.includes('First'))
    window.first = performance.timeOrigin + performance.now(); else requestAnimationFrame(look); }; look(); }"""


@pytest.mark.timeout(400)
def test_latency(open_page: Pages, lab: Lab, tmp_path: Path, figures: Figures) -> None:
    """At 32,000 tokens a word is on screen as soon as almost nothing could be sooner, and the page never hangs."""
    lags: dict[str, list[float]] = {"floor": [], "ours": []}
    long, settling = [0.0], [0.0]
    for number in range(TIMES):
        for design in ("floor", "ours"):
            lag, tasks, settled = trial(open_page, lab, design, tmp_path / f"{design}{number}.json")
            lags[design] += lag
            if design == "ours":
                long, settling = long + tasks, settling + settled
    floor, ours = (statistics.quantiles(lags[design], n=20) for design in ("floor", "ours"))
    figures.note_only("32000 tokens, 150/s: latency of the floor, median", floor[9], "ms")
    figures.note_only("32000 tokens, 150/s: latency of the floor, p95", floor[18], "ms")
    alone = "one output without style or script"
    figures.note("32000 tokens: longest task while it settles", max(settling), 100, "ms", instead=alone)
    figures.note("32000 tokens, 150/s: latency, median, over the floor", ours[9] / floor[9], 1.5, "×")
    figures.note("32000 tokens, 150/s: latency, p95, over the floor", ours[18] / floor[18], 1.5, "×")
    figures.note("32000 tokens, 150/s: longest task of the page", max(long), 100, "ms")


def trial(open_page: Pages, lab: Lab, design: str, told: Path) -> tuple[list[float], list[float], list[float]]:
    """Lags of the window's marks, long tasks of the page in the window, and those behind its end; in ms."""
    code = f"import tests.bench.in_kernel as b; b.watched({design!r}, {TOKENS}, {WINDOW}, {str(told)!r})"
    page = open_page(lab.write(f"{told.stem}.ipynb", [code]))
    page.start(0)
    time.sleep(PREFILLED_S)
    page.page.evaluate(PROBE, ROOTS[design])
    end = time.monotonic() + 90
    while not told.exists() and time.monotonic() < end:
        time.sleep(0.2)
    time.sleep(1)
    found: dict[str, Any] = page.page.evaluate("window.probe")
    due = {number: 1000 * when for number, when in json.loads(told.read_text())["due"]}
    page.close()
    lab.end_kernels()
    begin, finish = min(due.values()), max(due.values())
    tasks = [(when, ms) for when, ms in found["long"] if when >= begin]
    during, after = [ms for when, ms in tasks if when < finish], [ms for when, ms in tasks if when >= finish]
    return list(_lags(due, found["seen"])), during, after


def _lags(due: dict[int, float], seen: list[tuple[float, int]]) -> Iterator[float]:
    """For each mark, how long after its time it or a later one was seen."""
    for number, when in due.items():
        shown = next((at for at, top in seen if top >= number), None)
        if shown is not None:
            yield shown - when


def test_first_word(open_page: Pages, lab: Lab, figures: Figures) -> None:
    """The first word is on screen at once."""
    said: list[float] = []

    def answers(_: dict[str, object]) -> Iterator[Delta]:
        yield Delta("")
        time.sleep(0.5)
        said.append(1000 * time.time())
        yield Delta("First")
        time.sleep(1)

    lags = []
    with ScriptedServer(pace=0, answers=answers) as server:
        load = f"import os\nos.environ['OLLAMA_HOST'] = {server.url!r}\n%load_ext ollama_magic"
        page = open_page(lab.write("first.ipynb", [load, "%%chat --once\nNow"]))
        page.run(0)
        for _ in range(6):
            page.page.evaluate(FIRST)
            page.run(1)
            lags.append(page.page.evaluate("window.first") - said[-1])
            page.page.evaluate("window.jupyterapp.commands.execute('notebook:clear-all-cell-outputs').then(() => null)")
    figures.note("first word on screen after the server sent it, median", statistics.median(lags[1:]), 100, "ms")
    figures.note_only("first word on screen, first turn of a kernel", lags[0], "ms")
