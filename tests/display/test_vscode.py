"""In VS Code, which has none of Jupyter's styles: what answers bring along there, and only there."""

from __future__ import annotations

import sys
from html.parser import HTMLParser
from types import SimpleNamespace

import pytest

from ollama_magic.display import host, mathml
from ollama_magic.display.history import history_view
from ollama_magic.display.host import answers_clicks_while_busy, in_vscode
from ollama_magic.display.live import LiveView
from ollama_magic.display.mathml import with_mathml
from ollama_magic.display.settled import bundle
from ollama_magic.display.updating import UpdatingView
from ollama_magic.markdown.renderer import MarkdownRenderer
from tests.display.replies import HTML, TEXT, RecordedSlot, a_reply, ended, page
from tests.turns import a_turn

ANSWER = "# One\n\n```python\nx = 1\n```\n\nEuler: $e^{i\\pi} + 1 = 0$\n\n$$\\frac{a}{b}$$\n\nIt costs $5.\n"
CELL = "vscode-notebook-cell:/a.ipynb#X1"


def shell_in(cell=None, **names):
    parent = {"header": {}, "metadata": {"cellId": cell} if cell else {}}
    kernel = SimpleNamespace(get_parent=lambda: parent, _supports_kernel_subshells=True)
    return SimpleNamespace(kernel=kernel, user_ns=names)


@pytest.fixture
def vscode(monkeypatch, shell):
    """The shell of this process runs for VS Code."""
    monkeypatch.setitem(shell.user_ns, host.VSCODE_VARIABLE, "/a.ipynb")


def test_how_vscode_is_known():
    """By the id of its cells, or by the variable that its extension sets; there no click is heard in a busy kernel."""
    assert in_vscode(shell_in(CELL))
    assert in_vscode(shell_in(__vsc_ipynb_file__="/a.ipynb"))
    assert not in_vscode(shell_in("5b2c"))
    assert not in_vscode(None)
    assert [answers_clicks_while_busy(shell_in(cell)) for cell in (CELL, "5b2c")] == [False, True]


@pytest.mark.usefixtures("vscode")
def test_a_settled_answer_brings_its_style_and_formulas():
    """Code has colours of VS Code's theme, and formulas are MathML; the plain text is the answer as ever."""
    found = bundle(ended(ANSWER))
    assert "--vscode-charts-" in found[HTML]
    assert found[HTML].count("<math") == 2
    assert "<mfrac>" in found[HTML]
    assert "$5" in found[HTML]
    assert found[TEXT] == ANSWER


@pytest.mark.usefixtures("vscode")
def test_every_view_brings_them():
    """So do the live view, the view without widgets, and the history."""
    view, reply = LiveView(RecordedSlot()), a_reply(ANSWER)
    view.begin(reply, lambda: None)
    view.show(reply)
    updating = UpdatingView(RecordedSlot())
    updating.begin(reply, lambda: None)
    updating.show(reply)
    history = history_view("main", [a_turn("Hi", ANSWER)])
    for html in (page(view.root), updating.slot.last[HTML], history.html):
        assert "--vscode-charts-" in html
        assert html.count("<math") == 2


@pytest.mark.usefixtures("shell")
def test_elsewhere_nothing_changes():
    """A notebook of JupyterLab holds no style and no MathML."""
    html = bundle(ended(ANSWER))[HTML]
    assert "<style" not in html
    assert "<math" not in html
    assert "mathjax_process" in html


@pytest.mark.usefixtures("vscode")
def test_without_the_extra_formulas_stay_as_typed(monkeypatch):
    """Where latex2mathml is not installed, TeX reads as it was typed."""
    monkeypatch.setattr(mathml, "find_spec", lambda _: None)
    assert "$e^{i\\pi} + 1 = 0$" in bundle(ended(ANSWER))[HTML]


HOSTILE = [
    r"$\text{<script>alert(1)</script>}$",
    r"$\mathrm{&lt;img src=x onerror=alert(1)&gt;}$",
    r"$\href{javascript:alert(1)}{x}$",
    r"$\style{background:url(x)}{x}\class{a}{b}\cssId{c}{d}$",
    r"$\color{red" + '" onclick="alert(1)' + r"}{x}$",
    r"$\textcolor{red}{x}\colorbox{blue}{y}$",
    "$" + "{" * 3000 + "x" + "}" * 3000 + "$",
    "$" + r"\frac{" * 400 + "x" + "}" * 400 + "$",
    "$" + "x^" * 900 + "x$",
    "$$" + r"\begin{matrix}" * 200 + "$$",
    "$\\text{\u202egnp.exe}$",
    r"$\rule{99999em}{99999em}\hspace{1e9em}x$",
]


class Look(HTMLParser):
    """Notes every element and attribute that is neither Markdown's own nor on the list of MathML's."""

    def __init__(self):
        super().__init__()
        self.strange = []

    def handle_starttag(self, tag, attrs):
        if tag not in ("p", "div", "code", "samp", "pre") and not mathml._ELEMENT.fullmatch(tag):
            self.strange.append(tag)
        for name, value in attrs:
            if name != "class" and not (mathml._ATTRIBUTE.fullmatch(name) and mathml._VALUE.fullmatch(value)):
                self.strange.append((tag, name, value))


@pytest.mark.parametrize("tex", HOSTILE)
def test_hostile_formulas_are_inert(tex):
    """Whatever a formula holds: no element, attribute or hidden letter but those of a fixed list gets into the page."""
    marked = f'<samp class="mathjax_process">{tex.replace("&", "&amp;").replace("<", "&lt;")}</samp>'
    for html in (with_mathml(marked), with_mathml(MarkdownRenderer().render(tex).html)):
        assert "\u202e" not in html
        look = Look()
        look.feed(html)
        assert look.strange == []


def test_a_formula_is_converted_once(monkeypatch):
    """A live view shows a formula with every paint; it is converted with the first."""
    import latex2mathml.converter

    calls = []
    real = latex2mathml.converter.convert_to_element
    monkeypatch.setattr(
        latex2mathml.converter, "convert_to_element", lambda *args, **named: calls.append(args) or real(*args, **named)
    )
    for _ in range(5):
        with_mathml('<samp class="mathjax_process">$q_{0123}$</samp>')
    assert len(calls) == 1
    assert "latex2mathml" in sys.modules
