"""CPU of rendering an answer as it grows: per token and per paint. Run: python -m tests.bench.markdown_cost."""

from __future__ import annotations

import random
from time import process_time

from ollama_magic.markdown.incremental import IncrementalMarkdown
from ollama_magic.markdown.renderer import MarkdownRenderer

WORDS = ["model", "token", "stream", "kernel", "widget", "answer", "value", "result", "**layout**", "`frame_1`"]
WORDS += ["[text](https://h.example/)", "$x_{i}^2$", "流式输出"]
TOKEN = 4
KINDS = ("mixed", "fence", "list", "table", "paragraph")


def prose(dice: random.Random, count: int) -> str:
    """Some words."""
    return " ".join(dice.choice(WORDS) for _ in range(count))


def answer(tokens: int, kind: str = "mixed") -> str:
    """An answer of about so many tokens: of many blocks, or of one endless block."""
    dice, parts, size = random.Random(7), [], 0
    while size < tokens * TOKEN:
        parts.append(piece(dice, kind, len(parts)))
        size += len(parts[-1]) + 2
    head = {"fence": "```python\n", "table": "| a | b |\n|---|---|\n"}.get(kind, "")
    return head + ("\n\n" if kind == "mixed" else " " if kind == "paragraph" else "\n").join(parts)


def piece(dice: random.Random, kind: str, number: int) -> str:
    """One block of a mixed answer, or one line of an endless one."""
    if kind == "mixed":
        kind = dice.choice(["paragraph", "paragraph", "heading", "items", "code", "math", "rows"])
    return {
        "fence": lambda: f"    value_{number} = compute({number})  # note",
        "list": lambda: f"- {prose(dice, 8)}",
        "table": lambda: f"| {prose(dice, 4)} | {number} |",
        "paragraph": lambda: prose(dice, 40),
        "heading": lambda: f"## {prose(dice, 4)}",
        "items": lambda: "\n".join(f"- {prose(dice, 8)}" for _ in range(5)),
        "code": lambda: "```python\n" + "".join(f"x_{i} = call({i}, 'a')\n" for i in range(15)) + "```",
        "math": lambda: "$$\n\\sum_{k=1}^{n} \\frac{k^2}{2}\n$$",
        "rows": lambda: "| a | b |\n|---|--:|\n" + "\n".join(f"| {prose(dice, 3)} | {i} |" for i in range(6)),
    }[kind]()


def growing(text: str, per_paint: int) -> tuple[float, float]:
    """Seconds for the whole answer, and for the longest paint."""
    growing, longest, begin = IncrementalMarkdown(), 0.0, process_time()
    for number, at in enumerate(range(0, len(text), TOKEN)):
        growing.feed(text[at : at + TOKEN])
        if number % per_paint == per_paint - 1:
            before = process_time()
            growing.update()
            longest = max(longest, process_time() - before)
    growing.finish()
    return process_time() - begin, longest


def main() -> None:
    """Print one line per kind and length."""
    MarkdownRenderer().render("```python\nx = 1\n```")
    for kind in KINDS:
        for tokens in (2_000, 8_000, 32_000):
            text = answer(tokens, kind)
            begin = process_time()
            MarkdownRenderer().render(text)
            once = process_time() - begin
            seconds, longest = growing(text, 5 if kind in ("mixed", "fence") else max(5, tokens // 100))
            print(
                f"{kind:10} {tokens:6} tokens: {1000 * seconds / tokens:.3f} ms a token,"
                f" longest paint {1000 * longest:.0f} ms, one render {1000 * once:.0f} ms"
            )


if __name__ == "__main__":
    main()
