"""The slips of models, kind by kind, beyond the cases: what is read, and what stays as it is."""

from __future__ import annotations

import re

import pytest

from .growing import Screen, rendered, streamed
from .strict import Strict

WRAPPED = """The quick brown fox jumps over the lazy dog, and then goes on to
Berlin and Paris, where it meets the other foxes of the old and
venerable guild of foxes, as was said before in this very text."""


def body(text: str) -> str:
    """The HTML without the attributes of links and formulas; live and settled are equal and strict."""
    html = rendered(text)
    assert streamed(text) == html
    assert Strict(html).wrong == []
    return html.replace(' target=_blank rel="noopener noreferrer"', "").replace(
        "mathjax_process tex2jax_process", "TeX"
    )


def growing(text: str) -> str:
    """What stands on the screen while the answer goes on."""
    screen = Screen()
    screen.feed(text)
    return "".join(block.html for block in (*screen.blocks, screen.tail))


@pytest.mark.parametrize(
    ("text", "breaks"),
    [
        ("one\ntwo\nthree", 2),
        ("> one\n> two", 1),
        ("- item\n  more\n- other", 1),
        ("roses are red\nviolets are blue", 1),
        ("`ls` lists the files of the directory that you are in right now\n`cd` goes to another directory", 1),
        ("The options of this command, all of which may be left out, are:\nfirst the name", 1),
        ("It was a long and rather dull sentence that ended right here.\nthen another began", 1),
        ("a) the first of the possible answers, which is a rather long one\nb) the second of the possible answers", 1),
        ("name: the name of the person that this record is all about, in full\nage: the age in years", 1),
        ("a  \nb", 1),
        ("**A\nB** c", 1),
        ("[a\nb](https://h.example)", 1),
        ("`a\nb`", 0),
        ("A sentence that is wrapped at about seventy characters, as some models\nand many people do, goes on.", 0),
        ("He said at the end of that long day, which had been a hot one, that\n*nobody* would go on.", 0),
        (WRAPPED, 0),
        ("> A quotation of many words that was wrapped at about seventy letters\n> and goes on.", 0),
    ],
)  # fmt: skip
def test_lines(text: str, breaks: int) -> None:
    """A line stays a line; only a long one that goes on in lower case was wrapped."""
    assert body(text).count("<br>") == breaks


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("Title\n-----\n", ["h2"]),
        ("Title\n---\n\ntext", ["h2", "p"]),
        ("Hello World!\n============", ["h1"]),
        ("What is it?\n-----------", ["h2"]),
        ("This is a sentence.\n---\nmore", ["p", "hr", "p"]),
        ("A sentence: \n\n---", ["p", "hr"]),
        ("Is it? Yes, it is, and it was so yesterday, and before?\n---", ["p", "hr"]),
        ("**A whole sentence.**\n---", ["p", "hr"]),
        ("**Age:** 36\n---", ["p", "hr"]),
        ("12.50\n+3.50\n=====\n16.00", ["p", "hr", "p"]),
        ("- 3 + 4 = 7.\n  ---\n  x", ["ul", "li", "hr"]),
        ("A sentence:\n-\nb", ["p"]),
        ("整句话。\n---\n下一句", ["p", "hr", "p"]),
    ],
)
def test_underlines(text: str, tags: list[str]) -> None:
    """A row of signs makes a title of a title only; below a sentence or figures it is a rule."""
    assert re.findall(r"<(h\d|hr|p|ul|li)>", body(text))[: len(tags)] == tags


@pytest.mark.parametrize("sign", ["-", "--", "---", "=", "====", "- "])
@pytest.mark.parametrize("before", ["Intro", "Shopping list", "> quoted", "- item\n  more", "a\nb"])
def test_no_heading_flashes(before: str, sign: str) -> None:
    """While the last line is a row of `-` or `=`, it may become a list or a table: the line above is no heading."""
    indent = "> " if before[0] == ">" else "  " if before[0] == "-" else ""
    assert not re.search(r"<h\d", growing(f"{before}\n{indent}{sign}"))


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("a<br>b<BR/>c<br />d", "a<br>\nb<br>\nc<br>\nd"),
        ("a<br>\nb", "a<br>\nb"),
        ("<SUB>1</SUB><sup>2</sup>", "<sub>1</sub><sup>2</sup>"),
        ("<b>x</b> <i>y</i>", "<strong>x</strong> <em>y</em>"),
        ("<mark>x <u>y</u></mark>", "<mark>x <u>y</u></mark>"),
        ("<s>**x**</s>", "<s><strong>x</strong></s>"),
        ("**<u>x</u>**", "<strong><u>x</u></strong>"),
        ("<code>a*b*c</code>", "<code>a*b*c</code>"),
        ("<code>if a &lt; b</code>", "<code>if a &lt; b</code>"),
        ("<kbd>\\</kbd> <kbd>*</kbd>", "<kbd>\\</kbd> <kbd>*</kbd>"),
        ("<b>x <i>y</b>", "<strong>x &lt;i&gt;y</strong>"),
        ("x</b>", "x&lt;/b&gt;"),
        ("**a <b>b** c</b>", "<strong>a &lt;b&gt;b</strong> c&lt;/b&gt;"),
        ("<b class=x>y</b>", "&lt;b class=x&gt;y&lt;/b&gt;"),
        ("<b\nonclick=x>y", "&lt;b<br>\nonclick=x&gt;y"),
        ("<ul><li>x</li></ul>", "&lt;ul&gt;&lt;li&gt;x&lt;/li&gt;&lt;/ul&gt;"),
        ("`<b>x</b>`", "<code>&lt;b&gt;x&lt;/b&gt;</code>"),
        ("\\<b>x", "&lt;b&gt;x"),
        ("<img src=x onerror=y> <iframe>", "&lt;img src=x onerror=y&gt; &lt;iframe&gt;"),
        ("|a|\n|-|\n|<ol><li>x</li><li>y</li></ol>|", "<ol><li>x</li><li>y</li></ol>"),
        ("|a|\n|-|\n|<li>x</li>|", "• x<br>"),
        ("|a|\n|-|\n|<ul onclick=x><li>x|", "&lt;ul onclick=x&gt;&lt;li&gt;x"),
        ("# T<sub>1</sub>", "<h1>T<sub>1</sub></h1>"),
    ],
)
def test_tags(text: str, html: str) -> None:
    """Tags of the list without attributes are ours where they are balanced; all others are text."""
    assert html in body(text)


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("<details><summary>S</summary>in</details>", "<details>\n<summary>S</summary>\n<p>in</p>\n</details>"),
        ("<details>\n<summary>S</summary>\n\n- a\n\n</details>\nb", "<li>a\n</li>\n</ul>\n</details>\n<p>b</p>"),
        ("x\n<details>\ny\n</details>", "<p>x</p>\n<details>\n<p>y</p>\n</details>"),
        ("- x\n  <details>\n  y\n  </details>\n- z", "<details>\n<p>y</p>\n</details>\n</li>\n<li>z"),
        ("<details>\n\n```\n</details>\n```\n\n</details>", "<pre>&lt;/details&gt;\n</pre></div>\n</details>"),
        ("<details><summary>A</summary>\n<details>\nx\n</details>\n</details>", "x</p>\n</details>\n</details>"),
        ("<details>\nno end", "&lt;details&gt;"),
        ("<details open>\nx\n</details>", "&lt;details open&gt;"),
    ],
)
def test_details(text: str, html: str) -> None:
    """What may be folded is a container of ours, when it has its end."""
    assert html in body(text)


def test_details_in_a_quote_that_has_ended() -> None:
    """What begins in a quote does not wait for an end behind it: its tag stays, however the text came."""
    text = "> <details>\n\nafter\n\nend\n"
    assert "&lt;details&gt;" in rendered(text)
    assert streamed(text) == rendered(text)


def test_details_that_grow_are_unfolded() -> None:
    """Until its end has come, the content is read without folding and without tags in sight."""
    html = growing("<details>\n<summary>Hint</summary>\n\nTry **this**")
    assert html == "<p>Hint</p>\n<p>Try <strong>this</strong></p>\n"


@pytest.mark.parametrize(
    ("row", "cells"),
    [
        ("| `a | b` | c |", ["a | b", "c"]),
        ("| ``a ` | b`` | c |", ["a ` | b", "c"]),
        ("| $|x|$ | c |", ["$|x|$", "c"]),
        ("| \\(P(A|B)\\) | c |", ["\\(P(A|B)\\)", "c"]),
        ("| a \\| b | c |", ["a | b", "c"]),
        ("| $5 | $6 |", ["$5", "$6"]),
        ("| ` | ` |", ["`", "`"]),
        ("| 1 | 2 | 3 | 4 |", ["1", "2", "3", "4"]),
        ("| 1 |", ["1", ""]),
        ("| 1 | 2 | |", ["1", "2"]),
        ("1 | 2", ["1", "2"]),
    ],
)
def test_cells(row: str, cells: list[str]) -> None:
    """A row shows all its text, each piece in the cell that was meant."""
    html = body(f"| h | i |\n|---|---|\n{row}\n").partition("<tbody>")[2]
    assert [Strict(cell).text for cell in re.findall(r"<td>(.*?)</td>", html, re.DOTALL)] == cells


@pytest.mark.parametrize("rule", ["|---|---|", "|---|", "|---|---|---|", "|:-:|", "|---||---|", "| --- | --- | "])
def test_miscounted_rules(rule: str) -> None:
    """A rule with too few or too many columns makes a table all the same."""
    html = body(f"| a | b |\n{rule}\n| 1 | 2 |\n")
    assert "<table>" in html
    assert html.count("<td>") == 2


@pytest.mark.parametrize("text", ["a | b\n---\n", "a | b\nc | d", "| a |\n- b", "a|b\n|x|y|"])
def test_what_is_no_table(text: str) -> None:
    """Pipes alone make no table."""
    assert "<table>" not in body(text)


@pytest.mark.parametrize(
    ("text", "bold"),
    [
        ("** Name:** x", [" Name:"]),
        ("1. ** Name:** x", [" Name:"]),
        ("**Yes ** go", ["Yes "]),
        ("**Note: **text", ["Note: "]),
        ("** Note ** text", [" Note "]),
        ("**Task:**You", ["Task:"]),
        ("**A:**b **C:**d", ["A:", "C:"]),
        ("**“Quote.”**And", ["“Quote.”"]),
        ("**Step 1 ** open it", ["Step 1 "]),
        ("it is **very good **indeed", ["very good "]),
        ("2 ** 3 ** 4", []),
        ("x ** y and a ** b", []),
        ("f(**kwargs) and 2 ** 3", []),
        ("**kwargs and x ** y", []),
        ("`** a **` and ** b", []),
        ("a **b", []),
        ("** a ** b ** c", []),
        ("\\** a:**", []),
        ("2**8 = **256**", ["256"]),
    ],
)
def test_loose_bold(text: str, bold: list[str]) -> None:
    """A slip of bold text is bold where the line leaves no doubt; powers and arguments stay."""
    assert re.findall("<strong>(.*?)</strong>", body(text)) == bold


@pytest.mark.parametrize(
    ("text", "links"),
    [
        ("https://a.example", ["https://a.example"]),
        ("(https://a.example/b)", ["https://a.example/b"]),
        ("https://a.example/b_(c).", ["https://a.example/b_(c)"]),
        ("https://a.example/b?c=d&e=f#g!", ["https://a.example/b?c=d&e=f#g"]),
        ("**https://a.example**", ["https://a.example"]),
        ("*https://a.example/*", ["https://a.example/"]),
        ("见https://a.example/b。好", ["https://a.example/b"]),
        ("请看https://a.example/b了解", ["https://a.example/b"]),
        ("https://zh.example/wiki/中文", ["https://zh.example/wiki/%E4%B8%AD%E6%96%87"]),
        ('"https://a.example/b"', ["https://a.example/b"]),
        ("https://a.example/__init__.py", ["https://a.example/__init__.py"]),
        ("https://a.example/x\\_y", ["https://a.example/x_y"]),
        ("http://localhost:11434/api", ["http://localhost:11434/api"]),
        ("HTTP://A.example", ["HTTP://A.example"]),
        ("[https://a.example](https://b.example)", ["https://b.example"]),
        ("[x https://a.example y](https://b.example)", ["https://b.example"]),
        ("[https://a.example]", ["https://a.example"]),
        ("<https://a.example>", ["https://a.example"]),
        ("`https://a.example` <code>https://a.example</code>", []),
        ("$https://a.example_1$ x", []),
        ("ftp://a.example file:///x //a.example www.a.example", []),
        ("https:// http://. https://-", []),
        ("xhttps://a.example", []),
        ("data:text/html,https:", []),
    ],
)
def test_bare_addresses(text: str, links: list[str]) -> None:
    """An address is a link, without what belongs to the sentence around it; code and links stay."""
    assert Strict(body(text)).links == links


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("```markdown\n```py\nx\n```\n```\n**after**", ["```py\nx\n```\n"]),
        ("```md\na\n\n```\nb\n```\n\nc\n```\n**after**", ["a\n\n```\nb\n```\n\nc\n"]),
        ("```md\na\n\n```\n\n**after**", ["a\n\n"]),
        ("~~~markdown\n```\nx\n```\n~~~\n**after**", ["```\nx\n```\n"]),
        ("- a\n  ```\n  x\n```\n- **after**", ["x\n"]),
        ("- a\n  ```\nx\n  y\n  ```\n- **after**", ["x\n  y\n"]),
        ("1. a\n   ```py\ndef f():\n    pass\n```\n2. **after**", ["def f():\n    pass\n"]),
        ("- a\n  - b\n        ```\n        x\n        ```\n  - **after**", ["x\n"]),
        ("a:\n    ```\n    x\n    ```\n**after**", ["x\n"]),
        ("```\nx```\n**after**", ["x\n"]),
        ("```js\n  if (a) {\n  }```\n**after**", ["  if (a) {\n  }\n"]),
        ("- a\n  ```\n  x\n\nb **after**", ["x\n\n"]),
        ("- a\n  ```\n  x\n\nb\n\n```py\ny\n```\n**after**", ["x\n\n", "y\n"]),
        ("> ```\n> x\n\n**after**", ["x\n"]),
    ],
)
def test_fences(text: str, code: list[str]) -> None:
    """A fence ends where its author ended it, and text goes on behind it."""
    html = body(text)
    assert [Strict(pre).text for pre in re.findall(r"<pre>(.*?)</pre>", html, re.DOTALL)] == code
    assert "<strong>after</strong>" in html


def test_backticks_inside_code_do_not_close_it() -> None:
    """Backticks in a line of code are code."""
    text = "```js\nlet a = `x`, b = ```y```;\nz\n```\n"
    assert Strict(body(text)).text.strip() == "let a = `x`, b = ```y```;\nz"


def test_an_open_fence_hides_its_end() -> None:
    """While the closing line grows, it is not shown as code; a long fence with fences inside is frozen in parts."""
    assert "```" not in growing("```py\nx\n```")
    assert growing("```js\n}```") == growing("```js\n}")
    text = "```markdown\n" + "# T\n\n```py\nx = 1\n```\n\n- a\n" * 60 + "```\n\n**after**\n"
    screen = Screen()
    for char in text:
        screen.feed(char)
    assert "<strong>after</strong>" in screen.finish()
    assert {"first", "middle", "last"} <= {block.part for block in screen.blocks}
    assert Strict(screen.blocks[0].html).text.startswith("# T\n\n```py\n")


@pytest.mark.parametrize(
    ("text", "formulas"),
    [
        ("so: $$\nx\n$$\nend", ["$$\nx\n$$"]),
        ("so: \\[\nx_1\n- y\n\\]\nend", ["\\[\nx_1\n- y\n\\]"]),
        ("$$a = b\n+ c$$", ["$$a = b\n+ c$$"]),
        ("- so: $$\n  x = 1\n  $$\n- end", ["$$\nx = 1\n$$"]),
        ("\\begin{equation*}\nx\n\\end{equation*}", ["\\begin{equation*}\nx\n\\end{equation*}"]),
        ("a\n\\begin{gather}\nx \\\\\n\ny\n\\end{gather}\nb", ["\\begin{gather}\nx \\\\\n\ny\n\\end{gather}"]),
        ("A = \\begin{pmatrix} 1 \\\\ 2 \\end{pmatrix}.", ["$\\begin{pmatrix} 1 \\\\ 2 \\end{pmatrix}$"]),
        ("```math\nx\n```", ["$$\nx\n$$"]),
        ("```math\n\\begin{align}x\\end{align}\n```", ["\\begin{align}x\\end{align}"]),
        ("[ x = \\frac{1}{2} ]", ["\\[ x = \\frac{1}{2} \\]"]),
        ("- a\n\n  [ E = mc^2 ]", ["\\[ E = mc^2 \\]"]),
        ("[\nx = \\frac{1}{2}\n]", ["\\[\nx = \\frac{1}{2}\n\\]"]),
        ("[ see below ] [ my_file ] [ C:\\Users\\me ]", []),
        ("[ C:\\Users\\me ]", []),
        ("[ x for x in items if x ^ 2 ]", []),
        ("[ my_file ]", []),
        ("\\begin{itemize}\nx\n\\end{itemize}", []),
        ("```latex\nx^2\n```", []),
        ("$1 = R$ 5,40 and $2 = A$ 3", []),
        ("$ 1 = R$ 5,40 = US$ 1", []),
        ("cost: $$\n- cheap\n- dear\n\nmore $$", []),
    ],
)
def test_formulas(text: str, formulas: list[str]) -> None:
    """Formulas are set, however they begin and end; what only looks like one stays."""
    html = body(text)
    assert [Strict(part).text for part in re.findall(r'class="TeX">(.*?)</(?:samp|pre)>', html, re.DOTALL)] == formulas


def test_dangerous_tex_is_code_in_every_form() -> None:
    """No new form of a formula lets through what may link, style or define."""
    for form in ("```math\n{}\n```", "\\begin{{align}}{}\\end{{align}}", "[ {} ]", "[\n{}\n]", "so: $$\n{}\n$$"):
        for tex in ("\\href{javascript:alert(1)}{x}", "\\style{background:red}{x}", "\\def\\a{\\a\\a}\\a"):
            assert "TeX" not in body(form.format(tex))


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("שלום", '<p dir="auto">'),
        ("# عنوان", '<h1 dir="auto">'),
        ("1. واحد\n2. two", '<ol dir="auto">'),
        ("> سلام", '<blockquote dir="auto">\n<p>'),
        ("| ا | ب |\n|---|---|\n| ج | د |", '<table dir="auto">'),
        ("- hello\n\nسلام", "<ul>"),
        ("**ภาษา:**ไทย", "<strong>ภาษา:</strong>ไทย"),
        ("**ພາສາ:**ລາວ", "<strong>ພາສາ:</strong>ລາວ"),
        ("**ភាសា:**ខ្មែរ", "<strong>ភាសា:</strong>ខ្មែរ"),
        ("**ဘာသာ:**မြန်မာ", "<strong>ဘာသာ:</strong>မြန်မာ"),
        ("**می**\u200cخواهم", "</strong>\u200cخواهم"),
        ("می\u200c**خواهم**", "\u200c<strong>"),
        ("`x`\u200cها", "</code>\u200cها"),
        ("ന്\u200d മ", "ന്\u200d"),
        ("ខ្មែរ\u200bភាសា", "ខ្មែរ\u200bភាសា"),
        ("Donau\u00addampf", "Donau&shy;dampf"),
        ("`a\u00adb`", "⟨U+00AD⟩"),
        ("a \u00ad b", "⟨U+00AD⟩"),
        ("pay\u200bpal pay\u200cpal", "⟨U+200B⟩"),
    ],
)
def test_scripts(text: str, html: str) -> None:
    """Text of every script has its direction, its bold words, and its marks inside words; hidden signs are shown."""
    assert html in body(text)


def test_direction_of_a_growing_list() -> None:
    """The later part of a growing list has the direction of its beginning."""
    screen = Screen()
    screen.feed("- واحد\n- اثنان\n- ثلاثة")
    assert screen.tail.html.startswith('<ul dir="auto">')
    assert screen.tail.bridge == ("</ul>\n", '<ul dir="auto">\n')


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("[1]: https://a.example", "[1]: https://a.example"),
        ('[1]: https://a.example "Title"', '[1]: https://a.example "Title"'),
        ("[1]: https://a.example\n[2]: https://b.example", "[1]: https://a.example\n[2]: https://b.example"),
        ("see [1]\n\n[1]: https://a.example\n[2]: https://b.example", "see 1 (a.example)\n[2]: https://b.example"),
        ("[1]: https://a.example\n\nsee [1]", "see 1 (a.example)"),
        ("[a]: javascript:x", "[a]: javascript:x"),
        ("- [1]: https://a.example", "[1]: https://a.example"),
        ("[a][b]\n\n[a]: https://a.example\n\n[b]: https://b.example", "a (b.example)\n[a]: https://a.example"),
        ("![p](data:image/png;base64,AAAA)", "p"),
        ("![](data:image/png;base64,AAAA)", "image"),
        ("![p](data:image/png;base64,AAAA", "p"),
        ("![p](data:image/svg+xml;utf8,AAAA 'x') end", "p end"),
        ("![p][d]\n\n[d]: data:image/png;base64,AAAA", "p"),
    ],
)
def test_what_would_vanish(text: str, shown: str) -> None:
    """A definition that no link uses is shown, one that is used is not; data of pictures are their words."""
    assert re.sub(r"\n+", "\n", Strict(body(text)).text).strip() == shown


def test_definitions_vanish_when_they_are_used() -> None:
    """A finished definition goes when a later block uses it, and only then."""
    screen = Screen()
    screen.feed("[1]: https://a.example\n\nOne.\n\nTwo.\n\n")
    assert "a.example" in screen.blocks[0].html
    screen.feed("See [1].\n\nThree.\n\nFour.\n\n")
    assert screen.blocks[0].html == "<p>One.</p>\n"
    assert screen.patches == 1
