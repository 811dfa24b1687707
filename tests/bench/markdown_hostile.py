"""CPU of the worst 100 kB of Markdown we know, at once and growing. Run: python -m tests.bench.markdown_hostile."""

from __future__ import annotations

from time import process_time

from ollama_magic.markdown.incremental import IncrementalMarkdown
from ollama_magic.markdown.renderer import MarkdownRenderer

N = 100_000
BRACKETS = ["[", "[a](", "[a](b", "[a][", "![", "<", "<http://a ", "((", "[a]: b\n", "[x]: http://h/\n\n", "[a]\n\n"]
RUNS = [
    "*",
    "_",
    "*a_ ",
    "**a *b ",
    "~~a ",
    "_*a*_",
    "**注意：**这",
    "`",
    "`a`` ",
    "&",
    "\\",
    "$",
    "$a ",
    "\\(",
    "$x$ ",
]
BLOCKS = ["> ", "- ", "- - ", "-\n", "1. ", "- a\n - b\n", "  - a\n", "#\n", "# a\n", "a\n=\n", "\t", "\n", "a\\\n"]
BLOCKS += ["|", "a|b\n-|-\n", "|-|\n", "```\n", "~~~ a\n", "$$\n", "\\[ x^2\n", "$x_1$\n\n"]
SLIPS = [
    "<b>*a ",
    "<details>\n",
    "<details>\n\n</details>\n",
    "https://a.b/((",
    "**a ** b ",
    "|`a``b",
    "|$a ",
    "```md\n```py\n",
]
SLIPS += ["- a\n  ```\nx\n", "[\n\\xx\n", "\\begin{align}\n", "a: $$\nb\n$$\n", "1+1\n===\n", "[a]: https://x.y/\n"]
HIDDEN = ["\u202e", "\u00ad", "😀\u200d", "Z\u0334\u0335"]


def main() -> None:
    """Print one line per text: seconds of one render, of the longest of 50 paints, of the end; and the growth."""
    for unit in BRACKETS + RUNS + BLOCKS + SLIPS + HIDDEN:
        text = (unit * N)[:N]
        begin = process_time()
        block = MarkdownRenderer().render(text)
        once, growing, longest = process_time() - begin, IncrementalMarkdown(), 0.0
        for at in range(0, N, N // 50):
            before = process_time()
            growing.feed(text[at : at + N // 50])
            growing.update()
            longest = max(longest, process_time() - before)
        before = process_time()
        growing.finish()
        end = process_time() - before
        print(
            f"{unit[:12]!r:18} once {once:.2f} s, paint {longest:.2f} s, end {end:.2f} s, × {len(block.html) / N:.1f}"
        )


if __name__ == "__main__":
    main()
