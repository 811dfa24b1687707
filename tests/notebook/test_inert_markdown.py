"""Markdown in a saved file acts on nobody, and code in it stays letter for letter."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from markdown_it import MarkdownIt

from ollama_magic.notebook.conversation_markdown import quoted
from tests.notebook.samples import TEXTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from markdown_it.token import Token

HOSTILE = Path(__file__).parent.parent / "hostile" / "markdown.jsonl"
EXAMPLES = Path(__file__).parent.parent / "markdown" / "commonmark.json"
SAFE = ("http://", "https://", "mailto:", "#")
# fmt: off
PIECES = [
    "`", "``", "```", "~~~", "    ", "   ", " ", "\t", "\n", "\n\n", "- ", "1. ", "1.  ", "> ", "10) ", "<script>",
    "</a>", "<!--", "-->", "<b>", "![x](y)", "![", "](", ")", "[a]", "[a]: ", "[a]: /u", "javascript:x", "www.a.b/",
    "https://a.b/", "|", "\n|---|\n", "\\", "!", "&lt;", "&amp;", "&#13;", "\r", "\x1b", "word ", "[^1]: ", "---\n",
    "'", '"', "<javascript:x>", "](https://a.b)", '](https://a.b "t', "- [ ] ", "\n  ", "\n    ", "\n```\n",
    "\n    ```\n", "\n   ```\n", "1. x\n   ```", "1.  x\n    ```", "- y\n  ~~~", "`<b>`", "\n\n2.  z\n    ```js\n    ",
]
# fmt: on


def readers() -> list[MarkdownIt]:
    """Readers that let HTML and every link through."""
    both = [MarkdownIt("commonmark"), MarkdownIt("commonmark").enable(["table", "strikethrough"])]
    for one in both:
        one.validateLink = lambda _: True  # type: ignore[method-assign]
    return both


def tokens_of(text: str) -> Iterator[Token]:
    for reader in readers():
        for token in reader.parse(text):
            yield token
            yield from token.children or ()


def acts(text: str) -> list[str]:
    """All in a text that a reader of Markdown would obey."""
    found = [token.content for token in tokens_of(text) if token.type in ("html_block", "html_inline", "image")]
    links = [str(token.attrGet("href")) for token in tokens_of(text) if token.type == "link_open"]
    return found + [link for link in links if not link.lower().startswith(SAFE)]


def mixtures(count: int) -> Iterator[str]:
    chance = random.Random(7)
    for _ in range(count):
        yield "".join(chance.choice(PIECES) for _ in range(chance.randint(1, 25)))


def hostile_texts() -> list[str]:
    rows = [json.loads(line) for line in HOSTILE.read_text(encoding="utf8").splitlines()]
    texts = [row["text"] for row in rows if "text" in row]
    return texts + [one["markdown"] for one in json.loads(EXAMPLES.read_text(encoding="utf8"))["examples"]]


def test_hostile_answers_are_inert() -> None:
    """Every hostile answer and every CommonMark example is inert when saved."""
    for text in [*hostile_texts(), *TEXTS]:
        assert not acts(quoted(text))


def test_mixtures_are_inert() -> None:
    """No mixture of fences, lists, quotes, tables, ticks and tags finds a way out."""
    for text in mixtures(1500):
        assert not acts(f"1. item\n\n# h\n\n{quoted(text)}\n\n## next"), text


def test_a_quote_holds_its_text() -> None:
    """Whatever a quote holds, the heading after it is a heading at the top."""
    for text in [*hostile_texts(), *mixtures(500)]:
        tokens = readers()[0].parse(f"{quoted(text)}\n\n## next\n")
        last = [token for token in tokens if token.type == "heading_open" and token.level == 0]
        assert last, text
        assert [token.content for token in tokens if token.type == "inline"][-1] == "next", text


@pytest.mark.parametrize(
    "text",
    [
        "plain *words*, `code`, **bold** and [a link](https://example.org/a_(b)).",
        "a > b, f(x)[0], 3 &lt 4",
        "```html\n<p>![x](y)</p>\n```\n\nand `b` once more",
        "see https://example.org and [1]: https://example.org",
        "- item\n- next `b`",
    ],
)
def test_harmless_text_stays_as_it_is(text: str) -> None:
    """Code and plain Markdown are saved as they stand."""
    assert quoted(text) == "\n".join(f"> {line}" if line else ">" for line in text.split("\n"))


@pytest.mark.parametrize(
    ("text", "saved"),
    [
        ("a <b>c</b>", "a &lt;b>c&lt;/b>"),
        ("![x](https://a.b/c.png)", "!\\[x](https://a.b/c.png)"),
        ("[x](javascript:y)", "[x]\\(javascript:y)"),
        ("[x]: data:y", "[x]\\: data:y"),
        ("- ```\n  <a>", "- ```\n  &lt;a>"),
        ("1. x\n   ```js\n   a\n   ```\n<a>", "1. x\n```js\na\n```\n&lt;a>"),
        ("~~~\n```\n<b>", "````\n```\n<b>\n````"),
    ],
)
def test_what_acts_loses_its_power(text: str, saved: str) -> None:
    """What would act is written so that it is seen; code is written within a fence of ours."""
    assert quoted(text) == "\n".join(f"> {line}" for line in saved.split("\n"))
