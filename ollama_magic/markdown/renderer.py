"""One full render: Markdown in, strict HTML out, within a budget. How it grows piece by piece is `incremental`'s business."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from ollama_magic.foreign import repaired, without_controls
from ollama_magic.markdown.html import Page, Writer, plain
from ollama_magic.markdown.parser import Overrun, Parser, Watch

_SECONDS_PER_CHARACTER = 0.65 / 100_000
_LONGEST_RENDER = 2.5


@dataclass(frozen=True)
class Block:
    """A piece of finished HTML; `math` says that it needs typesetting.

    `part` is "" for whole blocks; a long fence comes as "first", "middle" … and "last" pieces that belong together.
    """

    html: str
    math: bool = False
    part: str = ""


class MarkdownRenderer:
    """Renders untrusted Markdown. `budget` is the CPU seconds of one paint; a full render of a long text may take longer."""

    def __init__(self, budget: float = 0.25) -> None:
        self.budget = budget
        self.parser = _parser()

    def render(self, text: str) -> Block:
        """The whole text as HTML; what takes too long is shown plainly. Wrap it in `mathjax_ignore` (see `math`)."""
        text = without_controls(repaired(text))
        writer = self.writer(Page(), len(text), colour=True)
        try:
            html = writer.write(self.parser.blocks(text, writer.env), len(text))
        except Overrun:
            return Block(plain(text))
        return Block(html, writer.math)

    def writer(self, page: Page, length: int, *, colour: bool) -> Writer:
        """A writer for a piece of that length."""
        seconds = max(self.budget, min(length * _SECONDS_PER_CHARACTER, _LONGEST_RENDER)) if colour else self.budget
        return Writer(self.parser, page, Watch(seconds), colour=colour)


@lru_cache(maxsize=1)
def _parser() -> Parser:
    return Parser()
