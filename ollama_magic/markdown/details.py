"""`<details>` with its `<summary>` around blocks of Markdown, as a container of ours; without an end it stays text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from ollama_magic.markdown.fence_end import FenceEnd
from ollama_magic.markdown.math import REACH

if TYPE_CHECKING:
    from markdown_it.rules_block.state_block import StateBlock

_BEGIN = re.compile(
    r"<details[ \t]*>(?:[ \t]*\n?[ \t]*<summary\s*>(?P<summary>(?:(?!</?summary|\n[ \t]*\n).){0,2000})</summary\s*>)?",
    re.IGNORECASE | re.DOTALL,
)
_TAGS = re.compile(r"</?details\s*>", re.IGNORECASE)
_END = re.compile(r"[ \t]*(?:<br\s*/?>[ \t]*)*", re.IGNORECASE)
_FENCE = re.compile(r"[ \t]*(`{3,}|~{3,})([^`\n]*)")


class _Place(NamedTuple):
    """A line and an offset on it."""

    line: int
    at: int


_NEVER, _NOT_YET = _Place(-2, -2), _Place(-1, -1)


def details(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Read the container. While its end may still come, all that follows is shown as its content, without folding."""
    pos = state.bMarks[start] + state.tShift[start]
    if state.src[pos : pos + 1] != "<" or state.is_code_block(start):
        return False
    begin = _BEGIN.match(state.src, pos)
    if not begin or begin.end() > state.eMarks[end - 1]:
        return False
    closing = _closing(state, start, begin.end(), end)
    hidden = closing is _NOT_YET
    last = end == len(state.bMarks) - 1  # what follows a quote that has ended cannot end what began in it
    if hidden and last and state.env.get("growing"):
        closing = _Place(end - 1, state.eMarks[end - 1])
    if closing in (_NEVER, _NOT_YET):
        return False
    if not silent:
        _push(state, start, begin, closing, hidden=hidden)
    return True


def _closing(state: StateBlock, start: int, begin: int, end: int) -> _Place:
    """Where `</details>` stands at the end of a line, outside of fences, for as many as were opened."""
    depth, fence = 1, None
    if state.src.find("</", begin, begin + REACH) < 0:
        return _NOT_YET if len(state.src) - begin <= REACH else _NEVER
    for line in range(start, end):
        if state.bMarks[line] > begin + REACH or (state.sCount[line] < state.blkIndent and not state.isEmpty(line)):
            return _NEVER
        at = max(state.bMarks[line], begin)
        text = state.src[at : state.eMarks[line]]
        if fence:
            fence = None if fence.closes(text.strip(), 0) is not None else fence
            continue
        opened = _FENCE.fullmatch(text)
        if opened:
            fence = FenceEnd(opened[1], opened[2])
            continue
        for tag in _TAGS.finditer(text) if "<" in text else ():
            depth += -1 if tag.group().startswith("</") else 1
            if not depth:
                return _Place(line, at + tag.start()) if _END.fullmatch(text, tag.end()) else _NEVER
    return _NOT_YET


def _push(state: StateBlock, start: int, begin: re.Match[str], closing: _Place, *, hidden: bool) -> None:
    state.push("details_open", "details", 1).map = lines = [start, 0]
    opening = state.tokens[-1]
    summary = " ".join((begin["summary"] or "").split())
    if summary:
        state.push("summary_open", "summary", 1).hidden = hidden
        token = state.push("inline", "", 0)
        token.content, token.children = summary, []
        state.push("summary_close", "summary", -1).hidden = hidden
    first = start + state.src.count("\n", state.bMarks[start], begin.end())
    _inside(state, _Place(first, begin.end()), closing)
    end = state.push("details_close", "details", -1)
    opening.hidden = end.hidden = hidden
    state.line = lines[1] = min(closing.line + 1, state.lineMax)


def _inside(state: StateBlock, first: _Place, closing: _Place) -> None:
    """Read the blocks between the two places: the lines on which the tags stand are cut for a while."""
    saved = state.lineMax, state.bMarks[first.line], state.tShift[first.line], state.sCount[first.line]
    end_mark, parent = state.eMarks[closing.line], state.parentType
    text = state.src[first.at : state.eMarks[first.line]]
    state.bMarks[first.line], state.tShift[first.line] = first.at, len(text) - len(text.lstrip(" \t"))
    state.sCount[first.line] = state.blkIndent
    state.eMarks[closing.line] = max(closing.at, state.bMarks[closing.line])
    state.lineMax, state.parentType = min(closing.line + 1, state.lineMax), "root"
    state.md.block.tokenize(state, first.line, state.lineMax)
    state.lineMax, state.bMarks[first.line], state.tShift[first.line], state.sCount[first.line] = saved
    state.eMarks[closing.line], state.parentType = end_mark, parent
