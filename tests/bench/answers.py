"""Answers of any length for the benchmarks: prose, lists, code, tables and math, with numbered marks to look for."""

from __future__ import annotations

import random
import re

TOKEN = 4
WORDS = [
    "model",
    "token",
    "stream",
    "kernel",
    "widget",
    "answer",
    "value",
    "frame",
    "because",
    "however",
    "often",
    "simple",
]
CHINESE = "流式输出让用户在模型生成的同时阅读答案"
MARK = re.compile(r"qz(\d+)z")
KINDS = ["prose"] * 6 + ["items"] * 3 + ["code"] * 2 + ["heading"] * 3 + ["rows", "formula", "quote"]


class Author:
    """Writes the same answer every time."""

    def __init__(self) -> None:
        self.dice, self.marks = random.Random(7), 0

    def answer(self, tokens: int) -> str:
        """Markdown of about so many tokens, with a mark as its last word."""
        parts, size = ["# Answer"], 0
        while size < (tokens - 10) * TOKEN:
            part = getattr(self, self.dice.choice(KINDS))()
            left = (tokens - 10) * TOKEN - size
            parts.append(part if len(part) < left + 200 else self.words(max(left // 8, 3)))
            size += len(parts[-1]) + 2
        return "\n\n".join([*parts, f"The end {self.mark()}"])

    def mark(self) -> str:
        self.marks += 1
        return f"qz{self.marks}z"

    def words(self, count: int) -> str:
        return " ".join(self.mark() if at % 6 == 5 else self.word() for at in range(count))

    def word(self) -> str:
        word, luck = self.dice.choice(WORDS), self.dice.random()
        forms = [f"**{word}**", f"*{word}*", f"`{word}_{self.marks}`", f"[{word}](https://example.org/{word})", CHINESE]
        return forms[int(luck * 50)] if luck < len(forms) / 50 else word

    def prose(self) -> str:
        sentences = [self.words(self.dice.randrange(6, 14)).capitalize() for _ in range(self.dice.randrange(2, 6))]
        return ". ".join(sentences) + (" with $x_{i}^{2}$." if self.dice.random() < 0.3 else ".")

    def heading(self) -> str:
        return f"## {self.words(4)}"

    def items(self) -> str:
        return "\n".join(f"- {self.words(9)}" for _ in range(self.dice.randrange(3, 8)))

    def code(self) -> str:
        lines = [f"{self.dice.choice(WORDS)}_{at} = call(a={at}, b='text')  # {self.mark()}" for at in range(25)]
        return "\n".join(["```python", *lines[: self.dice.choice([6, 12, 25])], "```"])

    def rows(self) -> str:
        rows = [f"| {self.words(6)} | {self.dice.randrange(9999)} |" for _ in range(self.dice.randrange(3, 9))]
        return "\n".join(["| name | value |", "| --- | ---: |", *rows])

    def formula(self) -> str:
        return "$$\n\\sum_{k=1}^{n} \\frac{k^2}{2}\n$$"

    def quote(self) -> str:
        return f"> {self.words(18)}"


def answer(tokens: int) -> str:
    """An answer of about so many tokens."""
    return Author().answer(tokens)


def pieces(text: str) -> list[str]:
    """The text in tokens of 2 to 6 characters."""
    dice, found, at = random.Random(3), [], 0
    while at < len(text):
        size = dice.choice([2, 3, 4, 4, 5, 6])
        found.append(text[at : at + size])
        at += size
    return found


def marks(text: str) -> list[tuple[int, int]]:
    """Every mark: where it ends, and its number."""
    return [(match.end(), int(match[1])) for match in MARK.finditer(text)]
