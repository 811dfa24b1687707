"""CPU of Markdown: of a long answer as it grows, and of the worst texts."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ollama_magic.markdown.renderer import MarkdownRenderer
from tests.bench.answers import answer, pieces
from tests.bench.markdown_cost import growing
from tests.bench.markdown_hostile import BLOCKS, BRACKETS, HIDDEN, RUNS, SLIPS, N

if TYPE_CHECKING:
    from tests.bench.conftest import Figures


def test_growing(figures: Figures) -> None:
    """Each token of a long answer costs little, and the same as in a short one."""
    MarkdownRenderer().render("```python\nx = 1\n```")
    for tokens in (2_000, 32_000):
        text = answer(tokens)
        seconds, _ = growing(text, 5)
        figures.note(f"{tokens} tokens: CPU of parsing, a token", 1000 * seconds / len(pieces(text)), 0.3, "ms")


def test_hostile(figures: Figures) -> None:
    """No 100 kB take more than a second."""
    worst = 0.0
    for unit in BRACKETS + RUNS + BLOCKS + SLIPS + HIDDEN:
        before = time.thread_time()
        MarkdownRenderer().render((unit * N)[:N])
        worst = max(worst, time.thread_time() - before)
    figures.note("the worst 100 kB: CPU of a render", worst, 1, "s")
