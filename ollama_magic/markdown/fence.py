"""A code fence that is still open: line by line, without parsing, frozen in parts of complete lines."""

from __future__ import annotations

from dataclasses import replace
from time import thread_time
from typing import TYPE_CHECKING

from ollama_magic.foreign import visible
from ollama_magic.markdown.code import lines_outside_strings
from ollama_magic.markdown.fence_end import FenceEnd, without_run
from ollama_magic.markdown.html import code_block
from ollama_magic.markdown.renderer import Block

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from markdown_it.token import Token

PART = 12  # complete lines that are frozen together, at least
_LONGEST_PART = 160
_SECONDS = 0.1
_LONGEST_COLOURING = 0.25


class OpenFence:
    """A top-level fence without its closing line so far; `closed` once that line is complete.

    One without markup has no closing line: it ends with the text.
    """

    def __init__(self, markup: str, info: str, indent: int) -> None:
        self._info, self._indent = info, indent
        self._end = FenceEnd(markup, info, indent) if markup else None
        self._lines: list[str] = []
        self._last: list[str] = []
        self._frozen: list[str] = []  # the lines of all parts
        self._parts = 0
        self._look_at = PART
        self.closed = False

    @classmethod
    def opened_by(cls, tokens: Sequence[Token], text: str) -> OpenFence | None:
        """The fence that this text consists of, if its first line is complete and it is not closed."""
        if len(tokens) != 1 or tokens[0].type != "fence" or tokens[0].info.strip().lower() == "math":
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
            following = lines[number + 1] if number + 1 < len(lines) else last
            if number == len(lines) - 1 and not last.strip() and self._end and self._end.waits(line):
                last = f"{line}\n{last}"
                break
            code = self._code_before_end(line, following)
            if code is not None:
                return self._close(line if code else ""), "\n".join([*lines[number + 1 :], last])
            self._lines.append(self._dedented(line))
        self._last = [last]
        return list(self._full_parts()), ""

    def finish(self) -> list[Block]:
        """The rest; the text ends here, perhaps with a closing line that has no newline."""
        last = "".join(self._last)
        line, _, rest = last.partition("\n")
        blank = self._end is not None and not last.strip(" \t")  # without an end, blanks are code like all else
        code = "" if blank else self._code_before_end(line, rest)
        if code is not None:
            return self._close(line if code else "")
        self._lines.append(self._dedented(last))
        return self._close(newline=False)

    def _code_before_end(self, line: str, following: str) -> str | None:
        """What stands before the closing run on the closing line; None on others."""
        if not self._end:
            return None
        return self._end.closes(line.lstrip(" \t"), _columns(line), following)

    def tail(self) -> Block:
        """What is not frozen, not coloured yet."""
        code = "".join(f"{line}\n" for line in self._lines) + self._unfinished("".join(self._last))
        return Block(visible(code_block(code, "", 0.0)), part="last" if self._parts else "")

    def _unfinished(self, line: str) -> str:
        """The line that still grows, without what looks like the end of the fence."""
        end = self._end.copy().closes(line.lstrip(" \t"), _columns(line)) if self._end else None
        if end is None:
            return self._dedented(line)
        return without_run(self._dedented(line)) if end else ""

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
            self._frozen += lines
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

    def _close(self, last: str = "", *, newline: bool = True) -> list[Block]:
        """All that is left, with the code on the `last` line, before the run that closes the fence."""
        self.closed = True
        if last:
            self._lines.append(without_run(self._dedented(last)))
        blocks = self._full_parts() if len(self._lines) > _LONGEST_PART else []
        if not self._parts:
            return [*blocks, self._block(self._lines, "", newline=newline)]
        whole = _code([*self._frozen, *self._lines], newline=newline)
        end = self._block(self._lines, "last", newline=newline)
        return [*blocks, replace(end, whole=(whole, self._info))]

    def _block(self, lines: list[str], part: str, *, newline: bool = True) -> Block:
        return Block(visible(code_block(_code(lines, newline=newline), self._info, _SECONDS)), part=part)


def joined(blocks: Iterable[Block]) -> str:
    """The HTML of all frozen blocks as one render gives it: a fence that was frozen in parts is coloured as a whole."""
    parts, seconds = list[str](), _LONGEST_COLOURING
    for block in blocks:
        if block.part == "last":
            before = thread_time()
            parts.append(visible(code_block(*block.whole, max(seconds, 0.0))))
            seconds -= thread_time() - before
        elif not block.part:
            parts.append(block.html)
    return "".join(parts)


def _code(lines: list[str], *, newline: bool) -> str:
    return "\n".join(lines) + ("\n" if newline and lines else "")


def _columns(line: str) -> int:
    """The indent of a line in columns."""
    expanded = line.expandtabs(4)
    return len(expanded) - len(expanded.lstrip(" "))


def _opens(first: str, token: Token) -> bool:
    return first.lstrip(" ").startswith(token.markup)
