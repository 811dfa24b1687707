"""A trial of hostile answers: all of them in one notebook, seen in every place where an answer is shown."""

from __future__ import annotations

import json
import re
import threading
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
import pytest
from nbconvert import HTMLExporter
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from ollama_magic.markdown.incremental import IncrementalMarkdown
from ollama_magic.markdown.renderer import MarkdownRenderer
from tests.browser.conftest import LOAD
from tests.browser.inert import LOOK, Look, Sight, Watched, squeezed
from tests.browser.lab import NotebookPage
from tests.double import Delta, Fault, ScriptedServer
from tests.markdown.strict import Strict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

    from tests.browser.canary import Canary
    from tests.browser.lab import Lab

FILE = Path(__file__).parent.parent / "hostile" / "markdown.jsonl"
PAYLOADS = [json.loads(line) for line in FILE.read_text(encoding="utf8").splitlines()]
PAYLOADS = [payload for payload in PAYLOADS if "text" in payload]  # the others take time: test_flood
MARKER = "MARKER-of-a-file-that-nobody-opens"
# What the file does not have: formulas that are typeset, and answers that look like parts of ours.
MORE = {
    "math": "$x^2 + y^2$ and\n\n$$\\frac{a}{b}$$\n\nKEEP-m",
    "math-html": "$\\text{<img src=x onerror=window.__pwned=1>} + 1$ KEEP-n",
    "math-colour": "$\\color{red;background:url({{CANARY}})}{x^2}$ KEEP-o",
    "math-box": "$\\colorbox{url({{CANARY}})}{x}$ KEEP-p",
    "math-token": '$\\mmlToken{mi}[href="javascript:window.__pwned=1"]{x}$ KEEP-pp',
    "outside": "</pre></div></div></samp><style>*{color:red}</style><div class='lm-Widget'>KEEP-q",
    "processed": "<samp class='mathjax_process'>$\\href{javascript:window.__pwned=1}{x}$</samp> KEEP-r",
    "row": '|<img src=x onerror=window.__pwned=1>|b|\n|:--" onclick="x|--|\n|KEEP-s|![i]({{CANARY}})|',
    "table": "|a|b|\n|:-:|--|\n|<b onclick=window.__pwned=1>KEEP-t|![i]({{CANARY}})|",
    "heading": "# <a name=x id=y>KEEP-u</a> {#id .class onclick=x}\n\n<https://{{HOSTPORT}}/canary/auto>",
    "think": "<think><img src={{CANARY}}></think>KEEP-v",
}
PAYLOADS += [
    {"id": name, "text": text, "must": [], "keep": text[text.index("KEEP") :][:6]} for name, text in MORE.items()
]
ERROR = "<img src={canary} onerror=window.__pwned=1>\u202e\u001b[2J KEEP-error"
# Cells that run when all payloads have settled: an answer that fails, one of all payloads, remembered, and its history.
AFTER = {
    "error": "%%chat --once\nnothing",
    "everything": "%%chat\neverything",
    "history": "%ollama history",
    "kernel": "import os; print('PWNED' in os.environ)",
}
PLACES = ["live", "settled", "untrusted", "trusted", "exported"]
AT_ONCE = 22  # many more, and the Jupyter server begins to drop what their widgets send
RUN_MANY = """([first, last]) => { const app = window.jupyterapp, notebook = app.shell.currentWidget.content;
    notebook.deselectAll(); notebook.activeCellIndex = first; notebook.extendContiguousSelectionTo(last);
    return app.commands.execute('notebook:run-cell').then(() => null); }"""
MISSING = f"""([texts, root, first]) => {{ const looks = ({LOOK})(), cells = document.querySelectorAll('.jp-Cell');
    return texts.map((text, i) => [i + first, text, (looks[i + first]?.text ?? '').replace(/\\s+/g, '')])
        .filter(([i, text, seen]) => !cells[i]?.querySelector(root) || seen.split(text).length <= 2); }}"""


def odd_pieces(text: str) -> list[str]:
    """The text cut where no one would cut it."""
    pieces, at = [], 0
    while at < len(text):
        size = (1, 2, 3, 5, 7, 13)[len(pieces) % 6]
        pieces.append(text[at : at + size])
        at += size
    return pieces


@dataclass
class Trial:
    """The answers, what they aim at, and what was seen of them in each place."""

    canary: Canary
    folder: Path
    answers: dict[str, str] = field(default_factory=dict)
    sights: dict[str, Sight] = field(default_factory=dict)
    disturbed: dict[str, bool] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        (self.folder / "secret.txt").write_text(MARKER)
        self.answers = {payload["id"]: self.filled(payload["text"]) for payload in PAYLOADS}
        self.released = threading.Event()

    @property
    def mark(self) -> Path:
        return self.folder / "mark"

    def filled(self, text: str) -> str:
        fill = {"CANARY": self.canary.url, "HOSTPORT": self.canary.host}
        fill |= {"FILE": str(self.folder / "secret.txt"), "MARK": str(self.mark)}
        return re.sub(r"\{\{(\w+)\}\}", lambda found: fill[found[1]], text)

    def speak(self, body: dict[str, Any]) -> Iterator[str | Delta]:
        """The payload as thinking and as the answer; then nothing, so that it can be looked at."""
        text, released = self.answers.get(body["messages"][-1]["content"], ""), self.released
        for piece in odd_pieces(text):
            yield Delta(thinking=piece)
        yield from odd_pieces(text)
        released.wait(120)

    def saw(self, place: str, sight: Sight) -> None:
        self.sights[place], self.disturbed[place] = sight, not self.canary.quiet

    def looks(self, place: str) -> dict[str, Look]:
        """What was seen of each payload, and, but for the live view, of the cells after them."""
        names = [*(payload["id"] for payload in PAYLOADS), *(AFTER if place != "live" else ())]
        seen = self.sights[place].looks
        return dict(zip(names, seen[len(seen) - len(names) :], strict=True))

    def expect(self, *, settled: bool) -> list[str]:
        """The text that each cell shows, formulas apart."""
        return [
            payload["keep"] if payload["id"] == "think" else shown_text(self.answers[payload["id"]], settled=settled)
            for payload in PAYLOADS
        ]


def shown_text(text: str, *, settled: bool) -> str:
    """What the renderer makes of a text, squeezed and without its formulas."""
    if settled:
        html = MarkdownRenderer().render(text).html
    else:
        growing = IncrementalMarkdown()
        growing.feed(text)
        paint = growing.update()
        html = "".join(block.html for block in [*paint.frozen, paint.tail])
    return squeezed(Strict(re.sub(r'<(samp|pre) class="mathjax.*?</\1>', "", html, flags=re.DOTALL)).text)


def held(canary: Canary, folder: Path, browser: Browser, lab: Lab) -> Trial:
    """The whole trial."""
    trial = Trial(canary, folder)
    with ScriptedServer(pace=0, answers=trial.speak) as server:
        path = ask(trial, browser, lab, server)
    lab.end_kernels()
    reopen(trial, browser, lab, path, "trusted")
    reopen(trial, browser, lab, edited(path), "untrusted")
    export(trial, browser, path)
    return trial


def ask(trial: Trial, browser: Browser, lab: Lab, server: ScriptedServer) -> Path:
    """Ask for every answer at once; look while the streams are open, and when they have ended."""
    cells = [f"%%chat --once --think -b\n{payload['id']}" for payload in PAYLOADS]
    path = lab.write("hostile.ipynb", [LOAD.format(url=server.url), *cells, *AFTER.values()])
    watched = Watched(browser.new_context(viewport={"width": 1280, "height": 900}), lab.url)
    page = NotebookPage(lab, watched.context, path)
    page.run(0)
    sights = [stream(trial, page, watched, first) for first in range(1, len(cells) + 1, AT_ONCE)]
    trial.saw("live", replace(sights[-1], looks=[look for sight in sights for look in sight.looks]))
    server.faults.append(Fault("error_line", error=ERROR.format(canary=trial.canary.url)))
    trial.answers["everything"] = "\n\n".join(sorted(trial.answers.values(), key=opens_a_fence))
    for index in range(len(cells) + 1, len(cells) + 1 + len(AFTER)):
        page.run(index)
    trial.saw("settled", watched.look(page.page))
    page.save()
    trial.errors += page.errors
    page.close()
    return path


def stream(trial: Trial, page: NotebookPage, watched: Watched, first: int) -> Sight:
    """Some answers, live; then they settle."""
    last = min(first + AT_ONCE, len(PAYLOADS) + 1)
    trial.released = threading.Event()
    page.page.evaluate(RUN_MANY, [first, last - 1])
    wait_for_text(page, trial.expect(settled=False)[first - 1 : last - 1], ".ollama-magic-live", first)
    sight = watched.look(page.page)
    trial.released.set()
    wait_for_text(page, trial.expect(settled=True)[first - 1 : last - 1], ".jp-RenderedHTML", first)
    return replace(sight, looks=sight.looks[first:last])


def opens_a_fence(text: str) -> bool:
    """Whether it would swallow what follows."""
    return "```" in text or "~~~" in text


def wait_for_text(page: NotebookPage, texts: list[str], root: str, first: int = 1) -> None:
    """Wait until every cell shows its thinking and its answer whole."""
    try:
        page.page.wait_for_function(f"args => ({MISSING})(args).length === 0", arg=[texts, root, first], polling=300)
    except PlaywrightTimeout:
        missing = page.page.evaluate(MISSING, [texts, root, first])
        pytest.fail("\n".join(f"cell {i}: {text!r}\n  but {seen!r}" for i, text, seen in missing), pytrace=False)


def edited(path: Path) -> Path:
    """A notebook that this server never signed."""
    notebook = nbformat.read(path, 4)
    notebook.metadata["from"] = "elsewhere"
    notebook.cells[1].source += " "
    other = path.with_name("hostile-untrusted.ipynb")
    nbformat.write(notebook, other)
    return other


def reopen(trial: Trial, browser: Browser, lab: Lab, path: Path, place: str) -> None:
    watched = Watched(browser.new_context(viewport={"width": 1280, "height": 900}), lab.url)
    page = NotebookPage(lab, watched.context, path, kernel=False)
    wait_for_text(page, trial.expect(settled=True), ".jp-RenderedHTML")
    trusted = page.page.evaluate("window.jupyterapp.shell.currentWidget.content.widgets[1].model.trusted")
    assert trusted is (place == "trusted")
    trial.saw(place, watched.look(page.page))
    trial.errors += page.errors
    page.close()


def export(trial: Trial, browser: Browser, path: Path) -> None:
    html, _ = HTMLExporter().from_filename(str(path))
    exported = trial.folder / "exported.html"
    exported.write_text(html, encoding="utf8")
    watched = Watched(browser.new_context(), exported.as_uri())
    page = watched.context.new_page()
    page.goto(exported.as_uri(), wait_until="domcontentloaded")
    trial.saw("exported", watched.look(page))
    watched.context.close()
