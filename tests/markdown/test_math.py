"""TeX and prices, told apart; dangerous TeX is code."""

from __future__ import annotations

import pytest

from ollama_magic.markdown.math import settable
from ollama_magic.markdown.renderer import MarkdownRenderer

from .growing import rendered
from .strict import Strict


def formulas(text: str) -> list[str]:
    """What is handed to MathJax."""
    html = rendered(text)
    parts = html.split('class="mathjax_process tex2jax_process">')[1:]
    return [Strict(part.split("</samp>")[0].split("</pre>")[0]).text for part in parts]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("$5 and $6", []),
        ("**$4**", []),
        ("**$4** or **5$**", []),
        ("$\\$0.60$", ["$\\$0.60$"]),
        ("$x$ costs $5", ["$x$"]),
        ("$5 costs $x$", ["$x$"]),
        ("\\(a_1\\)", ["\\(a_1\\)"]),
        ("costs $5-$10", []),
        ("US$5 or A$6", []),
        ("$1,000 to $2,000", []),
        ("between 5$ and 6$", []),
        ("costs $5, or 10$.", []),
        ("$x_1$, $x_2$", ["$x_1$", "$x_2$"]),
        ("$ x $", ["$ x $"]),
        ("about 5 $ and 10 $ total", []),
        ("`$x$` and `$5`", []),
        ("$HOME and $PATH, $HOME/$USER", []),
        ("这个$5，那个6$", []),
        ("设$x$为$y_1$。", ["$x$", "$y_1$"]),
        ("the $n$th and 3$\\times$3", ["$n$", "$\\times$"]),
        ("$a*b*c$ and $a_b_c$", ["$a*b*c$", "$a_b_c$"]),
        ("$E = mc^2$, $P(A \\mid B)$", ["$E = mc^2$", "$P(A \\mid B)$"]),
        ("so $$a*b*c$$ here", ["$$a*b*c$$"]),
        ("so \\[a*b*c\\] here", ["\\[a*b*c\\]"]),
        ("from $$ to $$$", []),
        ("\\$x\\$ and \\\\(a)", []),
        ("$x < y$ & $a<b>c$", ["$x < y$", "$a<b>c$"]),
        ("| $a_1$ | $5 |\n|---|---|\n| $b_1$ | $6 |", ["$a_1$", "$b_1$"]),
    ],
)
def test_formulas_and_prices(text: str, found: list[str]) -> None:
    """A dollar opens a formula only where it is not money or a shell variable."""
    assert formulas(text) == found


def test_prices_are_left_alone() -> None:
    """Text with prices reads as it was written."""
    text = "It costs $5 and then $6, **$4** each, $1,000 to $2,000."
    assert Strict(rendered(text)).text.strip() == text.replace("**", "")


@pytest.mark.parametrize(
    "text",
    [
        "$$\nx_1\n$$",
        "$$x_1$$",
        "$$ x_1\n+ y $$",
        "\\[\nx_1\n\n+ y\n\\]",
        "Text:\n$$\nx_1\n$$\nmore",
        "> $$\n> x_1\n> $$",
        "- a\n  \\[\n  x_1\n  \\]\n- b",
    ],
)
def test_display_math(text: str) -> None:
    """Display math may stand on lines of its own, behind text, in quotes and in lists, blank lines included."""
    html = rendered(text)
    assert '<div class=ollama-math><pre class="mathjax_process tex2jax_process">' in html
    assert "<em>" not in html


def test_text_behind_a_closing_delimiter_is_shown() -> None:
    """What follows the closing delimiter on its line is a paragraph."""
    assert "<p>where <em>x</em></p>" in rendered("$$\nx_1\n$$ where *x*")


def test_unclosed_math_is_code_up_to_the_next_blank_line() -> None:
    """A formula that was cut off stands there as it came; what follows a blank line is Markdown again."""
    html = rendered("$$\nx_1 = a*b*c\n\n*text*")
    assert "<pre>$$\nx_1 = a*b*c</pre>" in html
    assert "<em>text</em>" in html


@pytest.mark.parametrize(
    "tex",
    [
        "\\href{javascript:alert(1)}{x}",
        "\\style{background:red}{x}",
        "\\class{jp-x}{y}",
        "\\cssId{main}{y}",
        "\\unicode{x41}",
        "\\require{html}x",
        "\\data{a=b}{x}",
        "\\htmlClass{a}{b}",
        "\\def\\a{\\a\\a}\\a",
        "\\newcommand{\\a}{\\a}\\a",
        "\\renewcommand\\sin{x}",
        "\\let\\sin\\cos",
        "\\DeclareMathOperator{\\a}{b}",
        "\\mmlToken{mi}[id=x]{y}",
        "\\bbox[border:1px]{x}",
        "\\toggle{a}{b}\\endtoggle",
        "\\label{main}x",
        "\\ref{main}",
        "\\tag{\\href{a}{b}}",
        "\\kern-99em x",
        "\\hspace{-20em}x",
        "\\rule{100em}{100em}",
        "\\\\[9999px]x",
        "\\llap{x}",
        "x" + "\\!" * 100,
        "\\color{red;background:url(//a.invalid)}{x}",
        "\\colorbox{url(//a.invalid)}{x}",
        "\\fcolorbox{red}{url(//a.invalid)}{x}",
        "\\textcolor [rgb] {var(--jp-x)}{x}",
        "50% hidden",
        "a}b{c",
        "{" * 50 + "x" + "}" * 50,
        "\\sqrt" * 100 + "x",
        "\\left(" * 61 + "x",
        "x\u202ey",
        "x" * 5001,
    ],
)
def test_dangerous_tex_is_code(tex: str) -> None:
    """TeX that could link, style, define, hide, escape its box or run away is not typeset but shown."""
    assert not settable(f"${tex}$")
    assert "mathjax_process" not in rendered(f"$$\n{tex}\n$$")


@pytest.mark.parametrize(
    "tex",
    [
        "\\frac{a_1}{b^2}",
        "\\begin{aligned}a&=b\\\\[4pt]c&=d\\end{aligned}",
        "\\text{50\\% of }x",
        "\\tag{1}x",
        "\\color{red}{x}",
        "\\color{red}{f(x)}",
        "\\textcolor{#ff8800}{x} \\colorbox{yellow}{y}",
        "\\color[rgb]{1, 0.5, 0} x",
        "\\left(\\sum_{i=1}^n\\right)",
        "\\hspace{1em}x\\quad y",
        "\\define x",
    ],
)
def test_ordinary_tex_is_set(tex: str) -> None:
    """What answers are full of goes to MathJax."""
    assert settable(f"$${tex}$$")


def test_formulas_have_an_end() -> None:
    """Beyond three hundred formulas an answer's TeX is code, so that a page does not freeze."""
    text = "".join(f"$x_{n}$\n\n" for n in range(320))
    html = MarkdownRenderer(budget=60).render(text).html
    assert html.count("mathjax_process") == 300
    assert html.count("$x_") == 320
