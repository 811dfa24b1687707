"""Paragraphs and underlined titles: where a paragraph ends, and what a row of `-` or `=` below it means."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ollama_magic.markdown.fence_rule import opens_deep_fence
from ollama_magic.markdown.math_blocks import formula_line

if TYPE_CHECKING:
    from markdown_it.rules_block.state_block import StateBlock

_UNDERLINE = re.compile(r"=+[ \t]*|-+[ \t]*")
_CLOSERS = "*_~`\"'”’»)] "
_FIGURES = re.compile(r"(?=.*\d)[\d\s.,:+−–*/×÷·=%()€$£¥^-]+")
_LABEL = re.compile(r"(?:\*\*|__)[^*_]+(?::(?:\*\*|__)|(?:\*\*|__):)\s+\S|[•◦▪‣]\s")
_LONGEST_TITLE = 100


def paragraph(state: StateBlock, start: int, end: int, silent: bool) -> bool:  # noqa: ARG001 (markdown-it's signature)
    """Read a paragraph, or a title if it is underlined."""
    before, state.parentType = state.parentType, "paragraph"
    line, underline = _extent(state, start)
    content = state.getLines(start, line, state.blkIndent, False).strip()
    title = underline and not _is_rule(content, underline)
    kind, tag = ("heading", "h1" if underline[0] == "=" else "h2") if title else ("paragraph", "p")
    state.line = line + bool(underline)
    token = state.push(f"{kind}_open", tag, 1)
    token.map = [start, state.line if title else line]
    token = state.push("inline", "", 0)
    token.content, token.map, token.children = content, [start, line], []
    state.push(f"{kind}_close", tag, -1)
    if underline and not title:
        state.push("hr", "hr", 0).map = [line, line + 1]
    state.parentType = before
    return True


def _extent(state: StateBlock, start: int) -> tuple[int, str]:
    """The line behind the paragraph, and that line's text if it is a row of `-` or `=`."""
    rules = state.md.block.ruler.getRules("paragraph")
    line = formula_line(state, start, state.lineMax) + 1
    while line < state.lineMax and not state.isEmpty(line):
        if state.sCount[line] - state.blkIndent > 3:
            if opens_deep_fence(state, line):
                break
        elif state.sCount[line] >= 0:
            underline = _underline(state, line)
            if underline and _settles(state, line, start, underline):
                return line, underline
            if any(rule(state, line, state.lineMax, True) for rule in rules):
                break
        line = formula_line(state, line, state.lineMax) + 1
    return line, ""


def _underline(state: StateBlock, line: int) -> str:
    if state.sCount[line] < state.blkIndent:
        return ""
    text = state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]]
    return text.rstrip() if _UNDERLINE.fullmatch(text) else ""


def _settles(state: StateBlock, line: int, start: int, underline: str) -> bool:
    """Whether the row is a title's, or a rule; one or two signs under a sentence are text, as is a row that grows."""
    if state.env.get("growing") and state.eMarks[line] == len(state.src):
        return False
    content = state.getLines(start, line, state.blkIndent, False).strip()
    return len(underline) > 2 or not _is_rule(content, underline)


def _is_rule(content: str, underline: str) -> bool:
    """Whether what stands above is no title but a whole sentence, figures, or a line with a label."""
    above = content.rpartition("\n")[2].strip()
    if len(above) > _LONGEST_TITLE or _FIGURES.fullmatch(above) or _LABEL.match(above):
        return True
    ending = above.rstrip(_CLOSERS)[-1:]
    if ending in ("!", "?", "！", "？"):
        return underline[0] == "-" and abs(len(underline) - len(above)) > 2
    return ending in tuple(".:;,…。：；，")
