"""However a text is cut, it ends as one render; what is frozen stays, and each step is small."""

from __future__ import annotations

import os
import random

import pytest

from ollama_magic.markdown.html import Writer

from .growing import EXAMPLES, Screen, mixes, rendered, streamed, uncoloured, with_web_links
from .strict import Strict

MIXES = int(os.environ.get("MARKDOWN_MIXES", "1000"))  # make stress: many more


def test_every_example_letter_by_letter() -> None:
    """All CommonMark examples, as they are and with web links, end as one render when streamed letter by letter."""
    texts = [change(example["markdown"]) for example in EXAMPLES for change in (str, with_web_links)]
    assert [text for text in texts if streamed(text) != rendered(text)] == []


def test_mixes_of_the_examples() -> None:
    """Shuffled chains of examples and math end as one render, whatever the pieces."""
    dice = random.Random(2)
    texts = mixes(MIXES)
    ends = [(streamed(text, dice.choice((2, 5, 15, 60))), rendered(text)) for text in texts]
    assert [end for end, once in ends if end != once] == []


def test_the_still_part_of_a_tail() -> None:
    """A tail says where its last block begins; what stands before it is that much of one render."""
    screen = Screen()
    screen.feed("# Title\n- one\n- two\n\nand so")
    assert screen.tail.html[screen.tail.still :] == "<p>and so</p>\n"
    assert screen.tail.html == rendered("# Title\n- one\n- two\n\nand so")
    screen.feed(" on\n\n3. a\n4. b\n   - c\n5. d")
    assert screen.tail.html[screen.tail.still :] == "<li>d\n</li>\n</ol>\n"
    assert screen.tail.bridge == ("</ol>\n", "<ol start=5>\n")
    screen.feed("\n\nand\n\n    code")
    assert screen.tail.html[screen.tail.still :] == rendered("    code")


def test_finished_rows_with_formulas_are_still() -> None:
    """The rows of a growing table stand apart from the last one as soon as there is a formula to typeset in them."""
    screen = Screen()
    screen.feed("| a | b |\n|---|---|\n| 1 | 2 |\n| x")
    assert screen.tail.still == 0
    screen.feed(" | $x_1$ |\n| y")
    tail = screen.tail
    assert tail.html[tail.still :].startswith("<tr><td><div align=left>y</div>")
    assert "$x_1$" in tail.html[: tail.still]
    assert tail.bridge == ("</tbody>\n</table></div>\n", "<div class=ollama-table><table>\n<tbody>\n")
    screen.feed(" | z |\n\nend")
    assert screen.tail.bridge == ("", "")


@pytest.mark.parametrize(
    "text",
    [
        "a\r\nb\r\rc\r",
        "\r",
        "\r\n\r\n```\r\nx\r\n```\r\n",
        "",
        "\n\n",
        "😀 \ud83d\ude00",
        "$$\nx\n\ny\n$$\nz",
        "```\n",
        "```\n```\n    ```\nx\n",
        "```\nx\n   ",
        "~~~ a\n\tb\n~~~",
        " ```\n\tx\n  y\n ```\nz",
        "[a]\n\n[a]: http://h/1\n\n[a]: http://h/2",
        "[a]\n\n```\nx\n```\n[a]: http://h/\n'title'\n\nb",
    ],
)
@pytest.mark.parametrize("step", [1, 2, 5])
def test_line_ends_and_edges(text: str, step: int) -> None:
    """Line ends of every kind, characters in halves, fences and late definitions end as one render."""
    assert streamed(text, step) == rendered(text)


def test_a_line_that_becomes_a_row_loses_its_border() -> None:
    """The pipe of a line that has just become the head of a table is not shown any more."""
    text = "|<a>\n--"
    assert "<div align=left>&lt;a&gt;</div>" in rendered(text)
    assert streamed(text, 4) == rendered(text)


@pytest.mark.parametrize("run", ["```", "~~~"])
def test_a_fence_with_a_pipe_is_no_head_of_a_table(run: str) -> None:
    """A line that opens a fence has opened it, whatever the next line looks like."""
    text = f"{run}yaml | a.yaml\n---|---\na: 1\n{run}\n"
    assert "<table>" not in rendered(text)
    assert streamed(text) == rendered(text)


def test_a_lone_carriage_return_waits() -> None:
    """A carriage return at the end of a piece may be half a line end."""
    screen = Screen()
    screen.feed("a\r")
    assert screen.tail.html == "<p>a</p>\n"
    screen.feed("\nb")
    assert screen.tail.html == "<p>a<br>\nb</p>\n"


def test_freezing_waits_for_a_blank_line() -> None:
    """A block is final once the next one has begun behind a blank line, with a whole line."""
    screen = Screen()
    for piece in ("one\n", "\n", "two"):
        screen.feed(piece)
        assert screen.blocks == []
    screen.feed("\n")
    assert [block.html for block in screen.blocks] == ["<p>one</p>\n"]
    assert screen.tail.html == "<p>two</p>\n"


def test_open_math_freezes_nothing() -> None:
    """While display math is open, what follows may still be part of it."""
    screen = Screen()
    screen.feed("one\n\n$$\na_1\n\nb\n\nc\n\nd\n")
    assert [block.html for block in screen.blocks] == ["<p>one</p>\n"]
    screen.feed("$$\n\ne\n")
    assert screen.blocks[-1].math


def test_a_late_definition_patches_earlier_blocks() -> None:
    """A link that is defined later becomes a link in the block that was frozen before; other blocks are not touched."""
    screen = Screen()
    text = "see [a]\n\nsee [b]\n\nnothing\n\n[a]: http://h.example/\n\nend\n"
    for char in text:
        screen.feed(char)
    assert screen.patches == 1
    assert Strict(screen.blocks[0].html).links == ["http://h.example/"]
    assert screen.finish() == rendered(text)


def test_a_growing_definition_waits() -> None:
    """A definition that is still being typed gives no frozen block its half target."""
    screen = Screen()
    for char in "see [a]\n\n[a]: http://h.example/lo":
        screen.feed(char)
    assert all("href" not in block.html for block in screen.blocks)


def test_a_long_fence_is_frozen_in_parts() -> None:
    """Lines of a long fence are frozen while it grows, are coloured once, and join without a seam."""
    text = "Look:\n```python\n" + "".join(f"x{i} = 'a'\n\n" for i in range(300)) + "```\nend\n"
    screen = Screen()
    longest = 0
    for at in range(0, len(text), 9):
        screen.feed(text[at : at + 9])
        longest = max(longest, len(screen.tail.html))
    html = screen.finish()
    parts = [block.part for block in screen.blocks]
    assert longest < 10_000
    assert parts == ["", "first", *["middle"] * (len(parts) - 4), "last", ""]
    assert uncoloured("".join(block.html for block in screen.blocks)) == uncoloured(rendered(text))
    assert html == rendered(text)
    assert html.count("class=s>") == 300


def test_parts_do_not_cut_strings() -> None:
    """A part of a fence does not end inside a long string, which would be coloured wrongly from there on."""
    text = "```python\n" + "x = 1\n" * 35 + '"""\n' + "words\n" * 30 + '"""\n' + "y = 2\n" * 60 + "```\n"
    screen = Screen()
    for at in range(0, len(text), 11):
        screen.feed(text[at : at + 11])
    assert screen.finish() == rendered(text)
    html = "".join(block.html for block in screen.blocks)
    assert html.count("class=m>2<") == 60
    assert html.count("class=s>") == 1


def test_frozen_blocks_are_written_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The work for a long answer goes with its length: each step looks at the tail alone."""
    seen: list[int] = []
    write = Writer.write
    monkeypatch.setattr(
        Writer, "write", lambda self, tokens, length: seen.append(length) or write(self, tokens, length)
    )
    text = "A paragraph of some *words*, `code` and $x_1$.\n\n- one\n- two\n\n" * 300
    screen = Screen()
    for at in range(0, len(text), 40):
        screen.feed(text[at : at + 40])
    screen.finish()
    assert max(seen) < 500
    assert sum(seen) < 5 * len(text)


def test_nothing_new_costs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A paint without new text renders nothing."""
    screen = Screen()
    screen.feed("*a*")
    monkeypatch.setattr(Writer, "write", lambda *_: pytest.fail("rendered again"))
    screen.feed("")
    assert screen.tail.html == "<p><em>a</em></p>\n"


def test_a_hopeless_paragraph_is_not_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A paragraph that took too long once is shown plainly from then on, without another try at each paint."""
    screen = Screen()
    screen.feed("[" * 50_000)
    tried: list[str] = []
    parser = screen.growing._renderer.parser
    inline = type(parser).inline
    monkeypatch.setattr(type(parser), "inline", lambda self, text, env: tried.append(text) or inline(self, text, env))
    for _ in range(20):
        screen.feed("[[[[")
    assert tried == []


def test_math_is_told() -> None:
    """A block says whether it needs typesetting, frozen or not."""
    screen = Screen()
    screen.feed("no math, $5\n\n$x_1$\n\nno\n")
    screen.feed("more $y_1$")
    assert [block.math for block in screen.blocks] == [True]
    assert screen.tail.math


def test_everything_is_frozen_at_the_end() -> None:
    """After the end the tail is empty and the blocks are the answer."""
    screen = Screen()
    screen.feed("# a\n\nb\n```\nopen")
    html = screen.finish()
    assert screen.tail.html == ""
    assert html == rendered("# a\n\nb\n```\nopen")
