"""The block rule for code fences. In list items models outdent the code and its end, or indent the fence deeply."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ollama_magic.markdown.fence_end import FenceEnd, without_run
from ollama_magic.markdown.math import REACH
from ollama_magic.markdown.math_blocks import math_in_fence, push_formula

if TYPE_CHECKING:
    from markdown_it.rules_block.state_block import StateBlock

_OPENING = re.compile(r"(?P<run>`{3,})(?P<info>[^`\n]*)|(?P<tildes>~{3,})(?P<words>[^\n]*)")


def fence(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Read a fence up to its end, or to the end of what it stands in."""
    found = _opening(state, start)
    if not found or (state.is_code_block(start) and not opens_deep_fence(state, start)):
        return False
    if silent:
        return True
    markup, info = found["run"] or found["tildes"], found["info"] or found["words"] or ""
    fence_end = FenceEnd(markup, info, state.sCount[start] - state.blkIndent)
    line, rest = _closing_line(state, fence_end, start, end)
    _push(state, start, line, markup, info, rest)
    return True


def opens_deep_fence(state: StateBlock, line: int) -> bool:
    """Whether a line that is indented like code opens a fence: in a list, or right below a line of text."""
    if not _opening(state, line):
        return False
    return state.listIndent >= 0 or (line > 0 and not state.isEmpty(line - 1) and not _below_fence(state, line))


def _below_fence(state: StateBlock, line: int) -> bool:
    """Whether a fence ends right above: that is no text, and what stands below it begins anew."""
    before = state.tokens[-1] if state.tokens else None
    return bool(before and before.type == "fence" and before.map and before.map[1] == line)


def _opening(state: StateBlock, line: int) -> re.Match[str] | None:
    return _OPENING.fullmatch(state.src, state.bMarks[line] + state.tShift[line], state.eMarks[line])


def _text(state: StateBlock, line: int) -> str:
    return state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]]


def _closes(state: StateBlock, fence_end: FenceEnd, line: int, end: int) -> str | None:
    following = _text(state, line + 1) if line + 1 < end else ""
    return fence_end.closes(_text(state, line), state.sCount[line] - state.blkIndent, following)


def _closing_line(state: StateBlock, fence_end: FenceEnd, start: int, end: int) -> tuple[int, str | None]:
    """The closing line and the code on it; None where there is none, and the line behind the last one of the code."""
    outdented = False
    for line in range(start + 1, end):
        if state.sCount[line] < state.blkIndent and not state.isEmpty(line) and not outdented:
            outdented = state.sCount[line] >= 0 and _goes_on(state, fence_end, line, end)  # below 0: not in the quote
            if not outdented:
                return line, None
        rest = _closes(state, fence_end, line, end)
        if rest is not None:
            return line, rest
    return end, None


def _goes_on(state: StateBlock, fence_end: FenceEnd, line: int, end: int) -> bool:
    """Whether code goes on in a line that left the list item: if the fence is closed later, or may still be."""
    ahead, limit = fence_end.copy(), state.bMarks[line] + REACH
    for later in range(line, end):
        if state.bMarks[later] > limit or ahead.is_other(_text(state, later)):
            return False
        if _closes(state, ahead, later, end) is not None:
            return True
    return bool(state.env.get("growing"))


def _push(state: StateBlock, start: int, line: int, markup: str, info: str, rest: str | None) -> None:
    indent = _indent(state, start, line)
    content = state.getLines(start + 1, line, indent, True)
    state.line = line if rest is None else line + 1
    if rest:
        content += without_run(state.getLines(line, line + 1, indent, False)) + "\n"
    formula = math_in_fence(content) if rest is not None and info.strip().lower() == "math" else ""
    if formula:
        push_formula(state, formula, start, state.line)
        return
    token = state.push("fence", "code", 0)
    token.info, token.content, token.markup, token.map = info, content, markup, [start, state.line]
    token.hidden = state.is_code_block(start)  # its meaning hangs on the line above: it begins no piece of its own


def _indent(state: StateBlock, start: int, end: int) -> int:
    """The indent of the code in columns: the fence's, or less where code left the fence's list item."""
    columns = [state.sCount[line] for line in range(start + 1, end) if not state.isEmpty(line)]
    least = min(columns, default=state.blkIndent)
    return least if least < state.blkIndent else state.sCount[start]
