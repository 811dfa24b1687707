"""One full render: Markdown in, strict HTML out, within a budget. How it grows is `incremental`'s business."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from ollama_magic.foreign import repaired, without_controls
from ollama_magic.markdown.html import Page, Writer, plain
from ollama_magic.markdown.parser import Overrun, Parser, Watch

_SECONDS_PER_CHARACTER = 0.45 / 100_000
_COLOUR_PER_CHARACTER = 0.25 / 100_000
_LONGEST_RENDER = 2.5


@dataclass(frozen=True)
class Block:
    """A piece of finished HTML; `math` says that it needs typesetting.

    `part` is "" for whole blocks; a long fence comes as "first", "middle" … and "last" pieces that belong together.
    `still`: of a tail, how many characters of HTML stand before its last top-level block, or the last item of a list;
    they hardly change any more. `bridge` closes and opens that list again, for who shows the two apart.
    `whole`: of a "last" piece, the code of all pieces and its info string.
    """

    html: str
    math: bool = False
    part: str = ""
    still: int = 0
    bridge: tuple[str, str] = ("", "")
    whole: tuple[str, str] = ("", "")


class MarkdownRenderer:
    """Renders untrusted Markdown. `budget`: CPU seconds, more for long texts; then the text is shown plainly."""

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
        return Block(html, writer.formulas.any_set)

    def writer(self, page: Page, length: int, *, colour: bool) -> Writer:
        """A writer for a piece of that length."""
        seconds = max(self.budget, min(length * _SECONDS_PER_CHARACTER, _LONGEST_RENDER))
        for_colour = max(0.1, min(length * _COLOUR_PER_CHARACTER, _LONGEST_RENDER)) if colour else 0.0
        return Writer(self.parser, page, Watch(seconds), for_colour)


@lru_cache(maxsize=1)
def _parser() -> Parser:
    return Parser()
