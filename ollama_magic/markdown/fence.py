"""A code fence that is still open: line by line, without parsing, frozen in parts of complete lines."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ollama_magic.foreign import visible
from ollama_magic.markdown.code import lines_outside_strings
from ollama_magic.markdown.html import code_block
from ollama_magic.markdown.renderer import Block

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markdown_it.token import Token

PART = 12  # complete lines that are frozen together, at least
_LONGEST_PART = 160
_SECONDS = 0.1


class OpenFence:
    """A top-level fence without its closing line so far; `closed` once that line is complete.

    One without markup has no closing line: it ends with the text.
    """

    def __init__(self, markup: str, info: str, indent: int) -> None:
        self._info, self._indent = info, indent
        self._end = re.compile(rf" {{0,3}}{re.escape(markup[0])}{{{len(markup)},}}[ \t]*" if markup else r"(?!)")
        self._lines: list[str] = []
        self._last: list[str] = []
        self._parts = 0
        self._look_at = PART
        self.closed = False

    @classmethod
    def opened_by(cls, tokens: Sequence[Token], text: str) -> OpenFence | None:
        """The fence that this text consists of, if its first line is complete and it is not closed."""
        if len(tokens) != 1 or tokens[0].type != "fence":
            return None
        first, newline, _ = text.partition("\n")
        if not newline or not _opens(first, tokens[0]):
            return None
        return cls(tokens[0].markup, tokens[0].info, len(first) - len(first.lstrip(" ")))

    @staticmethod
    def skip_opening(text: str) -> str:
        """The text behind the opening line."""
        return text.partition("\n")[2]

    def feed(self, text: str) -> tuple[list[Block], str]:
        """The parts that are final now, and what stands behind the closing line."""
        self._last.append(text)
        if "\n" not in text:
            return [], ""
        *lines, last = "".join(self._last).split("\n")
        for number, line in enumerate(lines):
            if self._end.fullmatch(line):
                self.closed = True
                return self._close(), "\n".join([*lines[number + 1 :], last])
            self._lines.append(self._dedented(line))
        self._last = [last]
        return list(self._full_parts()), ""

    def finish(self) -> list[Block]:
        """The rest; the text ends here, perhaps with a closing line that has no newline."""
        last = "".join(self._last)
        self.closed = True
        if not last.strip(" \t") or self._end.fullmatch(last):
            return self._close()
        self._lines.append(self._dedented(last))
        return self._close(newline=False)

    def tail(self) -> Block:
        """What is not frozen, not coloured yet."""
        code = "".join(f"{line}\n" for line in self._lines) + self._dedented("".join(self._last))
        return Block(visible(code_block(code, "", 0.0)), part="last" if self._parts else "")

    def _dedented(self, line: str) -> str:
        """The line without the indent of the opening one; a tab that reaches beyond it leaves spaces."""
        at = column = 0
        while column < self._indent and line[at : at + 1] in (" ", "\t"):
            column += 1 if line[at] == " " else 4 - column % 4
            at += 1
        return " " * max(column - self._indent, 0) + line[at:]

    def _full_parts(self) -> list[Block]:
        blocks = []
        while len(self._lines) >= self._look_at and (cut := self._cut()):
            lines, self._lines = self._lines[:cut], self._lines[cut:]
            blocks.append(self._block(lines, "middle" if self._parts else "first"))
            self._parts += 1
            self._look_at = PART
        return blocks

    def _cut(self) -> int:
        """After how many lines a part may end: not inside a string or comment, unless that one is very long."""
        lines = self._lines[:_LONGEST_PART]
        cut = lines_outside_strings(lines[: max(PART, len(lines) // PART * PART)], self._info)
        if cut < PART // 2:
            cut = len(lines) if len(lines) == _LONGEST_PART else 0
        self._look_at = len(lines) + PART // 4
        return cut

    def _close(self, *, newline: bool = True) -> list[Block]:
        blocks = self._full_parts() if len(self._lines) > _LONGEST_PART else []
        return [*blocks, self._block(self._lines, "last" if self._parts else "", newline=newline)]

    def _block(self, lines: list[str], part: str, *, newline: bool = True) -> Block:
        code = "\n".join(lines) + ("\n" if newline and lines else "")
        return Block(visible(code_block(code, self._info, _SECONDS)), part=part)


def _opens(first: str, token: Token) -> bool:
    return first.lstrip(" ").startswith(token.markup)
