"""Strict HTML: whatever a model writes, the page gets few tags, checked links and readable text."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ollama_magic.markdown.renderer import MarkdownRenderer

from .growing import EXAMPLES, Screen, rendered, streamed
from .strict import Strict

PAYLOADS = [
    json.loads(line)
    for line in (Path(__file__).parents[1] / "hostile" / "markdown.jsonl").read_text("utf-8").splitlines()
]
PLACEHOLDERS = {
    "{{CANARY}}": "http://127.0.0.1:9/canary",
    "{{HOSTPORT}}": "127.0.0.1:9",
    "{{FILE}}": "/etc/marker",
    "{{MARK}}": "/nowhere/mark",
}
FULL = bool(os.environ.get("MARKDOWN_FULL"))  # make stress: texts in the size that is promised
N = 100_000 if FULL else 50_000


def text_of(payload: dict) -> str:
    """The payload's text, placeholders filled."""
    share = 5 if payload["class"] == "big" and not FULL else 1
    text = payload.get("text") or "".join(unit * (times // share or 1) for unit, times in payload["build"])
    for name, value in PLACEHOLDERS.items():
        text = text.replace(name, value)
    return text


@pytest.mark.parametrize("payload", PAYLOADS, ids=lambda payload: payload["id"])
def test_hostile_answers_are_inert(payload: dict) -> None:
    """A hostile answer brings only allowed tags and attributes, whole or in pieces, and stays readable and small."""
    text = text_of(payload)
    for html in (rendered(text), streamed(text, max(len(text) // 4, 1))):
        page = Strict(html)
        assert page.wrong == []
        assert payload.get("keep", "") in page.text
        assert len(html) <= 20 * len(text) + 10_000
        if "literal" in payload["must"]:
            assert text.split()[0] in page.text
        assert not {"\u202e", "\u2066", "\u2069", "\u200b", "\u00ad", "\u2060", "\U000e0069"} & set(page.text)


def test_raw_html_is_text() -> None:
    """Tags of the model are shown as it wrote them."""
    assert (
        Strict(rendered("a <b onclick=x>c</b>\n\n<script>d</script>")).text
        == "a <b onclick=x>c</b>\n<script>d</script>\n"
    )


@pytest.mark.parametrize(
    "target",
    [
        "javascript:x",
        "JaVaScRiPt&colon;x",
        "&#106;avascript:x",
        "vbscript:x",
        "file:///etc",
        "data:text/html,x",
        "//h/x",
        "x/y",
        "https:/\\\\h",
        "https:evil.invalid",
        "http://",
        "ftp://h/",
        "blob:x",
        "command:x",
        "mailto:",
        "https://h%0aost/",
        "https://%65vil.invalid/",
    ],
)
def test_only_checked_targets_can_be_clicked(target: str) -> None:
    """A target other than http, https, mailto or an anchor stays text, as typed."""
    page = Strict(rendered(f"[words]({target}) ![words]({target}) <{target}>\n\n[r]\n\n[r]: {target}"))
    assert page.links == []
    assert page.wrong == []
    assert "words" in page.text


@pytest.mark.parametrize(
    ("markdown", "text"),
    [
        ("[docs](https://docs.example/a)", "docs (docs.example)"),
        ("[https://bank.example/login](https://evil.invalid/login)", "https://bank.example/login (evil.invalid)"),
        ("[docs](https://docs.python.org@evil.invalid/)", "docs (evil.invalid)"),
        ("[docs](https://good.example\\\\@evil.invalid/)", "docs (evil.invalid)"),
        ("[docs](https://docs.python.org:x@evil.invalid/)", "docs (evil.invalid)"),
        ("[evil.invalid.bank.example](https://evil.invalid/)", "evil.invalid.bank.example (evil.invalid)"),
        ("[bank.example, evil.invalid](https://evil.invalid/)", "bank.example, evil.invalid (evil.invalid)"),
        ("[раура.com](https://раура.com/)", "раура.com (xn--80aa0cbo.com)"),
        ("[x](https://xn--pple-43d.invalid/)", "x (xn--pple-43d.invalid)"),
        ("<https://ok.example/file.html>", "https://ok.example/file.html"),
        ("[ok.example](https://ok.example/path)", "ok.example"),
        ("[see ok.example](https://ok.example/path)", "see ok.example"),
        ("[OK.example/x](https://ok.example/x)", "OK.example/x"),
        ("[write](mailto:a@b.example)", "write (a@b.example)"),
        ("<a@b.example>", "a@b.example"),
        ("[above](#part)", "above"),
        ("![chart](https://h.example/c.png)", "chart (h.example)"),
        ("![](https://h.example/c.png)", "image (h.example)"),
        ("[![badge](https://h.example/b.png)](https://t.example/)", "badge (t.example)"),
    ],
)
def test_the_real_host_is_seen(markdown: str, text: str) -> None:
    """Where a link's text does not show its host, the host stands behind it."""
    page = Strict(rendered(markdown))
    assert page.text.strip() == text
    assert len(page.links) == 1


def test_no_title_reaches_the_page() -> None:
    """Titles of links and pictures are dropped, and quotes do not break out of an attribute."""
    page = Strict(rendered('[a](https://h.example/"onclick=x "t\\"t") ![b](https://h.example/ "t")'))
    assert page.wrong == []


def test_marks_stand_everywhere() -> None:
    """Bidi and invisible characters are marks in text, code, fences, tables, TeX, entities and plain text alike."""
    hidden = "a\u202eb"
    texts = [
        hidden,
        f"`{hidden}`",
        f"```python\n{hidden} = '{hidden}'\n```",
        f"|{hidden}|\n|-|\n",
        f"${hidden}_1$",
        "a&#x202E;b",
    ]
    for text in [*texts, "[" * N + hidden, f"[{hidden}](https://h.example/{hidden})"]:
        html = rendered(text)
        assert "\u202e" not in html
        assert "⟨U+202E⟩" in html


def test_code_is_coloured_by_a_known_name() -> None:
    """A fence is coloured by the first word of its info if Pygments knows it, and no class comes from the model."""
    assert "<div class=highlight><pre><span class=k>def</span>" in rendered("```python title=x\ndef f(): pass\n```")
    for info in ("nosuchlanguage", "../../etc/passwd", '" onclick=x', 'python" class=jp-x'):
        assert Strict(rendered(f"```{info}\nx = 1\n```")).wrong == []
    assert "span" not in rendered("```nosuchlanguage\nx = 1\n```")


def test_code_reads_back() -> None:
    """Colours lose and add no character of the code."""
    code = '\n  x = """a\n\n <b> & \'c\'"""\n\t# é\n\n'
    assert Strict(rendered(f"```python\n{code}```")).text == code + "\n"


def test_long_code_is_coloured_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fence of many pages is coloured in pieces, without losing a line; the time for it is no matter here."""
    monkeypatch.setattr("ollama_magic.markdown.renderer._COLOUR_PER_CHARACTER", 1 / 1_000)
    code = "".join(f"x{i} = 'text'\n\n" for i in range(4000))
    html = rendered(f"```python\n{code}```")
    assert Strict(html).text == code + "\n"
    assert html.count("class=s>") > 2000


def test_colours_are_remembered_whole() -> None:
    """Code that ran out of time is coloured anew the next time; code that did not is not."""
    from ollama_magic.markdown.code import highlighted

    code = "".join(f"late{i} = 'text'\n" for i in range(300))
    early = highlighted(code, "python", 0.0001)
    assert early.count("class=s>") < 300
    assert highlighted(code, "python", 10.0).count("class=s>") == 300
    assert highlighted(code, "python", 0.0001).count("class=s>") == 300


def test_task_lists_have_no_controls() -> None:
    """Boxes of a task list are characters."""
    assert Strict(rendered("- [ ] a\n- [x] b\n- [y] c")).text.split() == ["☐", "a", "☑", "b", "[y]", "c"]


def test_tables() -> None:
    """Cells are aligned without styles, to the left unless told."""
    html = rendered("| a | b | c |\n|---|:-:|--:|\n| 1 | **2** | |")
    assert html.startswith("<div class=ollama-table><table>")
    assert "<td><div align=left>1</div></td><td><div align=center><strong>2</strong></div></td><td></td>" in html


def test_lists_keep_their_numbers() -> None:
    """A list that goes on after some text goes on counting."""
    assert "<ol start=3>" in rendered("3. c\n4. d")


@pytest.mark.parametrize(
    "unit",
    [
        "[",
        "[a](",
        "[a][",
        "![",
        "*a_ ",
        "**a *b ",
        "~~a ",
        "<",
        "<a ",
        "`a`` ",
        "> ",
        "- ",
        "1. ",
        "- a\n - b\n",
        "$",
        "$a ",
        "$$\n",
        "\\[ x^2\n",
        "\\(",
        "[a]: b\n",
        "[a]: http://h/\n\n[a]\n\n",
        "|a|\n|-|\n",
        "#\n",
        "&",
        "\\",
        "\u202e",
        "\u00ad",
        "Z\u0334\u0335",
        "_*",
        "([",
    ],
)
def test_no_text_is_too_much(unit: str) -> None:
    """Any 100 kB (here 50) come out, rich or plain, in bounded size, at once and in pieces."""
    text = (unit * N)[:N]
    for html in (rendered(text), streamed(text, N // 3 + 1)):
        assert 0 < len(html) <= 20 * len(text)


def test_bombs_stay_small() -> None:
    """Long targets named often, and tables that fill themselves up, do not swell."""
    bombs = [
        "[a]: http://h/" + "u" * 1000 + "\n\n" + "[a]" * 30_000,
        "[a]: http://h/" + "u" * 1000 + "\n\n" + "[a]\n\n" * 15_000,
        "|" + "a|" * 6000 + "\n|" + "-|" * 6000 + "\n" + "|\n" * 6000,
        (">" * 20 + "\n\n") * 4000,
    ]
    for text in bombs:
        assert len(rendered(text)) <= 20 * len(text) + 10_000
        assert len(streamed(text, 40_000)) <= 20 * len(text) + 20_000


def test_deep_nesting_loses_nothing() -> None:
    """What is nested deeper than anybody reads is still there as text."""
    assert "KEEP" in Strict(rendered("> " * 500 + "KEEP")).text
    assert "KEEP" in Strict(rendered("".join("  " * i + "- a\n" for i in range(60)) + "  " * 60 + "- KEEP")).text


def test_one_bad_paragraph_spoils_no_other() -> None:
    """Beside a paragraph that takes too long the others stay rich."""
    html = rendered("**bold**\n\n" + "[" * 40_000 + "\n\n```python\nx = 1\n```\n")
    assert "<strong>bold</strong>" in html
    assert "class=m>" in html


def test_no_budget_means_plain_text() -> None:
    """A text that overruns its budget is shown as it stands."""
    text = "**a**\n<b>\u202e\n" * 50
    html = MarkdownRenderer(budget=0.0).render("> " * 20 + text).html
    assert Strict(html).wrong == []
    assert Strict(html).text.count("**a**") in (0, 50)


def test_controls_are_left_out() -> None:
    """No control character reaches the page; carriage returns end lines."""
    assert rendered("a\x00b\x1b[2J\x9bc\r\rd\r\n\r\ne") == rendered("ab[2Jc\n\nd\n\ne")


def test_no_example_escapes() -> None:
    """Every example of the CommonMark specification comes out strictly."""
    assert [e["markdown"] for e in EXAMPLES if Strict(rendered(e["markdown"])).wrong] == []


def test_pygments_waits_for_the_first_fence() -> None:
    """Importing the room does not import Pygments' lexers."""
    code = "import sys, ollama_magic.markdown.incremental; print([m for m in sys.modules if m.startswith('pygments')])"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )


@pytest.mark.parametrize(
    "name", ["c", "html", "matlab", "html+php", "css+mako", "yaml", "console", "restructuredtext", "gherkin"]
)
def test_no_code_is_too_much(name: str) -> None:
    """Code that makes a lexer think long is coloured as far as the time goes, and all of it is there."""
    for unit in ("\n", "/*\n", "<%\n", "a::\n", "\t\n", "`\n"):
        code = unit * 8_000
        html = rendered(f"```{name}\n{code}```")
        assert Strict(html).text == code + "\n"
        assert len(html) <= 20 * len(code)


@pytest.mark.parametrize("info", ["", "python", "yaml"])
@pytest.mark.parametrize("code", ["\nx = 1\n", "\n\n  x = 1\n", "\n", "x = 1\n" * 11 + "\n\n" * 20])
def test_code_keeps_a_first_line_that_is_empty(info: str, code: str) -> None:
    """HTML drops a newline right behind `<pre>`, so one more stands there: settled, growing, and in parts."""
    text = f"```{info}\n{code}"
    screen = Screen()
    for at in range(len(text)):
        screen.feed(text[at])
        shown = "".join(block.html for block in (*screen.blocks, screen.tail))
        assert Strict(shown).text.replace("\n", "") == text[: at + 1].partition("\n")[2].replace("\n", "") or at < 14
    screen.finish()
    parts = [Strict(block.html).text.removesuffix("\n") for block in screen.blocks]
    assert "".join(parts) == code
    assert Strict(rendered(f"{text}```")).text == f"{code}\n"
