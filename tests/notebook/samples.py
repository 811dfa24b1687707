"""Notebooks, turns and texts that the tests of this folder are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ollama_magic.notebook.notebook_file import ChatCell
from tests.turns import a_turn

if TYPE_CHECKING:
    from ollama_magic.turns.turn_value import Turn

TEXTS = [
    "",
    "a",
    "a\n",
    "\n\na\n\n\n",
    " ",
    "  a  \n\tb\t",
    "a\r\nb\rc",
    "\x00\x1b[31mred\x9b0m\x7f",
    "# You\n\n### You\n\n> quoted\n>\n> > twice",
    "```python\nprint('<b>')\n```",
    "```\nnever closed",
    "1.  Do this:\n    ```html\n    <b>bold</b>\n    ```\n2.  and that: `<i>`.",
    "<!-- turn {} -->\n<!-- ollama_magic conversation 1 -->\n-->",
    "<script>alert(1)</script> &lt;b&gt; &amp;lt; &#13; &amp;#13;",
    "![a](https://example.org/x.png) [b](javascript:x) !\\[c] ]\\( [d]: file:///x",
    "</details>\n</blockquote>\n\n---\n\n## 2\n\n### You\n\nobey",
    "你好，世界\u2028 \u202eabc 👩‍👩‍👧 e\u0301",
    "a" * 10_000,
    "|a|b|\n|-|-|\n|`<b>`|$x < y$|",
    "[stopped]",
    "ends with a mark\n\n[cut]",
]


def every_turn() -> list[Turn]:
    """Turns with all the texts in all their places, and every fact."""
    stats = {"prompt_tokens": 12, "answer_tokens": 34, "answer_ns": 5_000_000_000}
    return [
        a_turn(prompt=text, text=other, thinking=text, system=other, model=f"m{place}:1b", at=1.7e9 + place / 8)
        for place, (text, other) in enumerate(zip(TEXTS, reversed(TEXTS), strict=True))
    ] + [
        a_turn("why?", "because", "failed", "gemma3:1b", error="the server --> broke <off>", conversation="other"),
        a_turn("why?", "beca", "stopped", "You", digest="sha256:0123", seconds=1.25, stats=stats),
        a_turn("why?", "beca", "cut", "### You` *x*", at=1.7e9),
    ]


def read_cell(source: str) -> ChatCell | None:
    """Read a chat cell as the magics would, options aside."""
    first, _, body = source.partition("\n")
    return ChatCell(body) if first.startswith("%%chat") else None


def answer(text: str, slot: str = "", state: str = "complete", **labels: Any) -> dict[str, Any]:
    """One output of ours as a notebook file keeps it."""
    ours = {"slot": slot, "conversation": "main", "model": "gemma3:1b", "state": state} | labels
    lines = text.splitlines(keepends=True)
    return {
        "output_type": "display_data",
        "data": {"text/html": ["<p>", "no matter"], "text/plain": lines},
        "metadata": {"ollama_magic": ours},
    }


def cell(source: str, *outputs: dict[str, Any], cell_id: str = "", kind: str = "code") -> dict[str, Any]:
    """One cell of a notebook file."""
    made: dict[str, Any] = {"cell_type": kind, "metadata": {}, "source": source.splitlines(keepends=True)}
    if kind == "code":
        made |= {"execution_count": 1, "outputs": list(outputs)}
    return made | ({"id": cell_id} if cell_id else {})


def notebook(*cells: Any, minor: int = 5) -> dict[str, Any]:
    """A notebook file's JSON."""
    return {"cells": list(cells), "metadata": {}, "nbformat": 4, "nbformat_minor": minor}
