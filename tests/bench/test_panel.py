"""An answer in the panel against the same answer in a cell, in a real JupyterLab: its latency, and its bytes."""

from __future__ import annotations

import json
import statistics
import time
from typing import TYPE_CHECKING, Any

import pytest

from ollama_magic.panel.transcript import Transcript
from tests.bench.test_latency import PROBE, _lags
from tests.double import Delta, ScriptedServer
from tests.turns import a_turn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.bench.conftest import Figures
    from tests.browser.lab import Lab, NotebookPage

    Pages = Callable[..., NotebookPage]

TOKENS, RATE, TIMES = 900, 150, 2
ROOTS = {"cell": ".ollama-magic-answer, .ollama-magic", "panel": ".ollama-magic-inner"}
TYPED = {"cell": "%%chat\nNow", "panel": "%ollama panel"}
BEFORE = """
import os
os.environ['OLLAMA_HOST'] = {url!r}
get_ipython().run_line_magic('load_ext', 'ollama_magic')
from ollama_magic.turns.turn_value import Outcome, RequestSettings, Turn
from ollama_magic.line.loaded import loaded_magics
journal = loaded_magics().session.journal
text = ('Some *words* and `code`.\\n\\n```python\\nprint(1)\\n```\\n\\n- one\\n- two\\n\\n' * 3)
for n in range(1, {above} + 1):
    turn = Turn(f'question {{n}}', text, settings=RequestSettings('demo:latest'), outcome=Outcome('complete'))
    journal.add([turn])
bytes_of, session = {{}}, get_ipython().kernel.session
real = session.serialize
def counting(message, ident=None):
    parts, kind = real(message, ident), message['header']['msg_type']
    bytes_of[kind] = bytes_of.get(kind, 0) + sum(map(len, parts))
    return parts
session.serialize = counting
"""
TOLD = "import json; open({path!r}, 'w').write(json.dumps(bytes_of))"
CLEAR = "bytes_of.clear()"
# The transcript of the turns that were there before has been sent: the first of them stands in it.
FOLLOWED = """() => [...document.querySelectorAll('.ollama-magic-transcript blockquote')]
    .some(one => one.textContent === 'question 1')"""
ALL = f"() => window.probe.top >= {TOKENS // 10 - 1}"


@pytest.mark.timeout(400)
@pytest.mark.parametrize("above", [5, 200])
def test_the_panel_against_a_cell(open_page: Pages, lab: Lab, tmp_path: Path, figures: Figures, above: int) -> None:
    """A streaming answer costs in the panel what it costs in a cell, however many turns stand above it."""
    found: dict[str, list[tuple[float, float, float]]] = {"cell": [], "panel": []}
    for number in range(TIMES):
        for place in ("cell", "panel"):
            found[place].append(trial(open_page, lab, place, above, tmp_path / f"{place}-{above}-{number}.json"))
    cell, panel = (tuple(map(min, zip(*found[place], strict=True))) for place in ("cell", "panel"))
    lead = f"panel, {above} turns above:"
    figures.note_only(f"{lead} latency in a cell, median", cell[0], "ms")
    figures.note(f"{lead} latency, median, over a cell", panel[0] / cell[0], 1.3, "×")
    figures.note(f"{lead} bytes of the answer, over a cell", panel[1] / cell[1], 1.3, "×")
    figures.note_only(f"{lead} the transcript, once, when it has settled", panel[2] / 1000, "kB")


ANSWER = "Some *words* and `code`.\n\n```python\nprint(1)\n```\n\n- one\n- two\n\n" * 3
SEVERAL = 50  # the cost of a turn is an average: now and then some outputs are packed anew


def test_the_transcript_of_many_turns(monkeypatch: pytest.MonkeyPatch, figures: Figures) -> None:
    """A turn has as much of the transcript sent, however many turns stand above it."""
    sent: list[int] = []

    def publish(bundle: dict[str, str], *, metadata: dict[str, Any], **_: object) -> None:
        sent.append(len(json.dumps([bundle, metadata])))

    monkeypatch.setattr("IPython.display.display", publish)
    monkeypatch.setattr("IPython.display.update_display", publish)
    transcript, costs = Transcript("cell/1"), list[int]()
    transcript.open("main", [])
    turns = [a_turn(f"question {n}", ANSWER, model="demo:latest", number=n) for n in range(1, 1001 + SEVERAL)]
    for count in range(1, len(turns) + 1):
        sent.clear()
        transcript.update("main", turns[:count])
        costs.append(sum(sent))
    few, *more = (statistics.mean(costs[above : above + SEVERAL]) for above in (10, 200, 1000))
    figures.note_only("panel, 10 turns above: the transcript after a turn", few / 1000, "kB")
    for above, cost in zip((200, 1000), more, strict=True):
        figures.note(f"panel, {above:,} turns above: the transcript after a turn, over 10", cost / few, 1.5, "×")


def trial(open_page: Pages, lab: Lab, place: str, above: int, told: Path) -> tuple[float, float, float]:
    """Median lag in ms, bytes of the answer, bytes of the transcript."""
    due: dict[int, float] = {}

    def answers(_: dict[str, Any]) -> Iterator[Delta]:
        began = time.time()
        for number in range(TOKENS):
            time.sleep(max(0.0, began + number / RATE - time.time()))
            mark = f"qz{number // 10}z" if number % 10 == 0 else "word"
            if number % 10 == 0:
                due[number // 10] = 1000 * time.time()
            yield Delta(f"{mark}{'.' if number % 40 == 39 else ''}{chr(10) * 2 if number % 80 == 79 else ' '}")

    with ScriptedServer(pace=0, answers=answers) as server:
        page = open_page(lab.write(f"{told.stem}.ipynb", [TYPED[place]]))
        page.tell_kernel(BEFORE.format(url=server.url, above=above))
        if place == "panel":
            page.run(0)
            page.page.wait_for_function("() => document.querySelector('.ollama-magic-panel')?.dataset.ollamaMagic")
            page.page.wait_for_function(FOLLOWED)
        page.page.evaluate(PROBE, ROOTS[place])
        page.tell_kernel(CLEAR)
        if place == "panel":
            page.page.locator(".ollama-magic-draft textarea").last.fill("Now")
            page.page.keyboard.press("Enter")
        else:
            page.start(0)
        page.page.wait_for_function(ALL, timeout=60_000)
        time.sleep(5 if place == "panel" else 1)  # until the transcript has been sent
        page.tell_kernel(TOLD.format(path=str(told)))
        seen = page.page.evaluate("window.probe.seen")
        page.close()
        lab.end_kernels()
    sent: dict[str, int] = json.loads(told.read_text())
    transcript = sent.get("update_display_data", 0) if place == "panel" else 0
    counted = sum(count for kind, count in sent.items() if kind.startswith("comm") or kind.endswith("display_data"))
    return statistics.median(_lags(due, seen)), counted - transcript, transcript


OPEN = """() => { const look = () => document.querySelectorAll('.ollama-magic-said').length >= 20
    ? window.opened = performance.timeOrigin + performance.now() : requestAnimationFrame(look); look(); }"""

FRAMES = """by => new Promise(done => { const list = document.querySelector('.ollama-magic-turns'), found = [];
    let last = performance.now(); const step = () => { const now = performance.now(); found.push(now - last);
    last = now; list.scrollTop -= by; found.length < 100 ? requestAnimationFrame(step) : done(found); };
    requestAnimationFrame(step); })"""


@pytest.mark.timeout(200)
def test_five_hundred_turns(open_page: Pages, lab: Lab, figures: Figures) -> None:
    """A conversation of 500 turns opens at once, and scrolls without lag."""
    with ScriptedServer(pace=0) as server:
        page = open_page(lab.write("many.ipynb", [TYPED["panel"]]))
        page.tell_kernel(BEFORE.format(url=server.url, above=500) + "import ollama_magic.panel.panel_view")
        page.page.evaluate(OPEN)
        began = 1000 * time.time()
        page.start(0)
        page.page.wait_for_function("() => window.opened")
        figures.note("panel: 500 turns are open after", page.page.evaluate("window.opened") - began, 1000, "ms")
        still, scrolled = (statistics.quantiles(page.page.evaluate(FRAMES, by), n=20)[18] for by in (0, 60))
        figures.note_only("panel: 95 of 100 frames at rest, within", still, "ms")
        figures.note("panel: 95 of 100 frames while 500 turns scroll, over those at rest", scrolled / still, 1.5, "×")
