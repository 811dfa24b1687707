"""Feeds texts piece by piece, as the display does, and keeps the answer's blocks."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path

from ollama_magic.markdown.fence import joined
from ollama_magic.markdown.incremental import IncrementalMarkdown, Paint
from ollama_magic.markdown.renderer import Block, MarkdownRenderer

EXAMPLES: list[dict[str, str]] = json.loads(Path(__file__).with_name("commonmark.json").read_text("utf-8"))["examples"]
MORE = [
    "$$\nx_1*a\n\ny\n$$\n",
    "\\[ a_1\nb \\]\n",
    "$$\nopen\n",
    "text\n$$\na\n$$ tail\n",
    "- a\n\n  $$\n  b\n  $$\n",
    "$$ x^2\n",
    "> $$\n> a\n> $$\n",
    "| a | b |\n|--|--|\n| 1 | 2 |\n",
    "text\n```py\nx = 1\n```\ntext\n",
    "[foo]: http://late.x/\n",
    "[bar]: http://late.x/ 'a\nb'\n",
    "```\n```\n[a]: http://late.x/\n'title\n",
    "**注意：**这是 $x$\r\n",
]


def with_web_links(text: str) -> str:
    """The example with its relative targets as web addresses, so that they are links for us."""
    return re.sub(r"(\]\(<?|: <?)/", r"\1http://h.x/", text)


def mixes(count: int, seed: int = 1) -> list[str]:
    """Shuffled chains of the examples."""
    dice = random.Random(seed)
    pieces = [with_web_links(example["markdown"]) for example in EXAMPLES] + MORE
    return [
        dice.choice(["\n", "\n\n", ""]).join(dice.choice(pieces) for _ in range(dice.randrange(2, 7)))[:1200]
        for _ in range(count)
    ]


class Screen:
    """What stands on the screen: frozen blocks, patched where told, and the tail."""

    def __init__(self) -> None:
        self.growing = IncrementalMarkdown()
        self.blocks: list[Block] = []
        self.tail = Block("")
        self.patches = 0

    def paint(self, paint: Paint) -> None:
        for index, block in paint.patched:
            self.blocks[index] = block
            self.patches += 1
        self.blocks.extend(paint.frozen)
        self.tail = paint.tail

    def feed(self, text: str) -> None:
        self.growing.feed(text)
        self.paint(self.growing.update())

    def finish(self) -> str:
        self.paint(self.growing.finish())
        return joined(self.blocks)


def streamed(text: str, step: int = 1) -> str:
    """The HTML at the end, the text having come in pieces of `step` characters."""
    screen = Screen()
    for at in range(0, len(text), step):
        screen.feed(text[at : at + step])
    return screen.finish()


def rendered(text: str) -> str:
    """The HTML of one render."""
    return MarkdownRenderer().render(text).html


def uncoloured(html: str) -> str:
    """Without the colours of code, and with the parts of a split fence joined."""
    return re.sub(r"</?span[^>]*>|</pre></div>\n<div class=highlight><pre>(?:\n(?=\n))?", "", html)
