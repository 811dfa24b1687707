r"""Formulas on lines of their own: `$$`, `\[…\]`, environments, ```` ```math ````, `[ … ]` without its backslashes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ollama_magic.markdown.math import (
    ALNUM,
    CLOSING,
    DISPLAYED,
    REACH,
    STRONG,
    WORD,
    environment_end,
    find_closing,
    formula_end,
    reads_as_prose,
)

if TYPE_CHECKING:
    from markdown_it.rules_block.state_block import StateBlock

_NEVER, _NOT_YET = -2, -1
_ONE_LINE = re.compile(r"\[[ \t]+(?P<tex>\S.*?)[ \t]+\][ \t]*[.,;]?[ \t]*")
_PATH = re.compile(r"(?<![A-Za-z])[A-Za-z]:\\")
_COMMAND = re.compile(r"\\[A-Za-z]{2,}")
_TEX = re.compile(
    r"[A-Za-z0-9)}]\^[A-Za-z0-9{(-]|_\{|(?<![A-Za-z])[A-Za-z]_[A-Za-z0-9](?![A-Za-z0-9]).*[=<>+]", re.DOTALL
)
_FENCE = ("```", "~~~")
_MOST_LINES = 60
_AROUND = ("$$", "\\[")


def math_block(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Read display math that begins a line; until it is closed nothing after its first line is final (design.md §3)."""
    pos = state.bMarks[start] + state.tShift[start]
    if state.src[pos : pos + 1] not in ("$", "\\", "[") or state.is_code_block(start):
        return False
    line = state.src[pos : state.eMarks[start]]
    if line[0] == "[":
        return _bare_brackets(state, start, end, silent)
    closing = CLOSING[line[:2]] if line[:2] in _AROUND else environment_end(line)
    if not closing or not _opens_block(line, closing):
        return False
    last = _closing_line(state, pos, closing, start, end)
    if last == _NEVER:
        return False
    if silent:
        return True
    if last == _NOT_YET:
        _push_unclosed(state, start, end)
    else:
        _push_block(state, start, last, closing)
    return True


def math_in_fence(code: str) -> str:
    """The formula that a `math` fence holds, with the delimiters that it needs; "" if there is none."""
    tex = code.strip()
    if tex.startswith(_AROUND) or DISPLAYED.match(tex):
        return tex
    return f"$$\n{tex}\n$$" if tex else ""


def formula_line(state: StateBlock, line: int, end: int) -> int:
    """The line on which a formula ends that a line of text leaves open: `so: $$`; the line itself if it leaves none."""
    text = state.src[state.bMarks[line] : state.eMarks[line]]
    opening = _left_open(text) if "$$" in text or "\\[" in text else -1
    if opening < 0:
        return line
    closing = CLOSING[text[opening : opening + 2]]
    for later in range(line + 1, min(end, line + _MOST_LINES)):
        found = state.src[state.bMarks[later] + state.tShift[later] : state.eMarks[later]]
        if not found or found.startswith(_FENCE) or state.sCount[later] < state.blkIndent:
            break
        if find_closing(found, closing, 0, len(found)) >= 0:
            whole = state.src[state.bMarks[line] + opening : state.eMarks[later]]
            return later if formula_end(whole, 0, len(whole)) >= 0 else line
    return line


def _left_open(text: str) -> int:
    r"""Where a line opens `$$` or `\[` and does not close it, or -1."""
    at = 0
    while found := re.compile(r"`+[^`]*`+|\\\\|\$\$|\\\[").search(text, at):
        mark, at = found.group(), found.end()
        if mark in _AROUND:
            closed = find_closing(text, CLOSING[mark], at, len(text))
            if closed < 0:
                return found.start()
            at = closed + 2
    return -1


def _opens_block(line: str, closing: str) -> bool:
    """Whether this line alone, once complete, says that display math begins here."""
    rest = line[2:]
    if rest.startswith("$"):
        return False
    end = find_closing(rest, closing, 0, len(rest))
    if end >= 0:
        return bool(ALNUM.search(rest[:end])) and rest[end + len(closing) :].strip(" \t.,;") == ""
    if not rest.strip() or STRONG.search(rest):
        return True
    return line.startswith("$$") and "=" in rest and not reads_as_prose(rest)


def _closing_line(state: StateBlock, pos: int, closing: str, start: int, end: int) -> int:
    """The line that closes the block; `_NOT_YET` where the text ends first, `_NEVER` where nothing can close it now."""
    found = find_closing(state.src, closing, pos + 2, pos + REACH)
    line = start
    while True:
        if 0 <= found < state.eMarks[line]:
            return line
        line += 1
        if line >= end:
            break
        outdented = state.sCount[line] < state.blkIndent and not state.isEmpty(line)
        if outdented or state.bMarks[line] > pos + REACH:
            return _NEVER
    if len(state.src) > pos + REACH:
        return _NEVER
    state.env["open_math"] = min(start, state.env.get("open_math", start))
    return _NOT_YET


def _push_block(state: StateBlock, start: int, last: int, closing: str) -> None:
    """The formula, and what stands behind it on its last line as a paragraph of its own."""
    source = state.getLines(start, last + 1, state.blkIndent, False).lstrip()
    end = find_closing(source, closing, 2, len(source)) + len(closing)
    push_formula(state, source[:end], start, last + 1)
    rest = source[end:].strip()
    if rest:
        state.push("paragraph_open", "p", 1)
        inline = state.push("inline", "", 0)
        inline.content, inline.children = rest, []
        state.push("paragraph_close", "p", -1)
    state.line = last + 1


def push_formula(state: StateBlock, formula: str, start: int, end: int) -> None:
    """A formula with its delimiters."""
    token = state.push("math_block", "pre", 0)
    token.content, token.map = formula, [start, end]


def _push_unclosed(state: StateBlock, start: int, end: int) -> None:
    """What has no closing delimiter is shown as it stands, up to the next blank line."""
    line = start + 1
    while line < end and not state.isEmpty(line) and state.sCount[line] >= state.blkIndent:
        line += 1
    token = state.push("math_unclosed", "pre", 0)
    token.content, token.map = state.getLines(start, line, state.blkIndent, False), [start, line]
    state.line = line


def _bare_brackets(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    r"""Read `[ E = mc^2 ]`, alone on its line or with the brackets on lines of their own: it was `\[ E = mc^2 \]`."""
    line = state.src[state.bMarks[start] + state.tShift[start] : state.eMarks[start]]
    found = _ONE_LINE.fullmatch(line)
    tex, last = (found["tex"], start) if found else _between_lines(state, line, start, end)
    if not _is_tex(tex):
        return False
    if not silent:
        push_formula(state, f"\\[ {tex} \\]" if found else f"\\[\n{tex}\\]", start, last + 1)
        state.line = last + 1
    return True


def _is_tex(text: str) -> bool:
    if _PATH.search(text) or "](" in text:
        return False
    return bool(_COMMAND.search(text) or (_TEX.search(text) and len(WORD.findall(text)) < 3))


def _between_lines(state: StateBlock, line: str, start: int, end: int) -> tuple[str, int]:
    """The text between a line that is `[` and one that is `]`, and the latter; "" if there is none."""
    if line.rstrip() != "[":
        return "", start
    for last in range(start + 1, min(end, start + _MOST_LINES)):
        text = state.src[state.bMarks[last] + state.tShift[last] : state.eMarks[last]].rstrip()
        if not text or text.startswith(_FENCE) or state.sCount[last] < state.blkIndent:
            break
        if text in ("]", "],", "]."):
            return state.getLines(start + 1, last, state.blkIndent, True), last
    return "", start
