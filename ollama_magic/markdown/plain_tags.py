"""A few tags that models write in Markdown: without attributes, balanced, written as our own. Others are text."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import unescape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it.rules_inline.state_inline import StateInline
    from markdown_it.token import Token

PLAIN_TAG = "plain_tag"
OURS = {  # the model's tag → ours
    **{name: name for name in ("sub", "sup", "u", "s", "code", "kbd", "mark", "ul", "ol", "li")},
    "b": "strong",
    "i": "em",
}
_LISTS = ("ul", "ol", "li")  # in the cells of tables, where Markdown has none
_TAG = re.compile(rf"<(/?)({'|'.join(OURS)})\s*>", re.IGNORECASE)
_BREAK = re.compile(r"</?br\s*/?>[ \t]*\n?[ \t]*", re.IGNORECASE)
_LITERAL = re.compile(r"<(code|kbd)\s*>([^<]*)</\1\s*>", re.IGNORECASE)
_DEEPEST = 20


def plain_tag(state: StateInline, silent: bool) -> bool:
    """Read one of the tags; `balance` decides later whether it stays one."""
    if state.src[state.pos] != "<":
        return False
    for pattern, push in _READERS:
        found = pattern.match(state.src, state.pos, state.posMax)
        if found and (pattern is not _TAG or found[2].lower() not in _LISTS or state.env.get("in_cell")):
            if not silent:
                push(state, found)
            state.pos = found.end()
            return True
    return False


def _push_break(state: StateInline, _found: re.Match[str]) -> None:
    state.pending = state.pending.rstrip(" \t")
    state.push("hardbreak", "br", 0)


def _push_literal(state: StateInline, found: re.Match[str]) -> None:
    token = state.push("code_inline", found[1].lower(), 0)
    token.content = unescape(found[2]).replace("\n", " ")


def _push_tag(state: StateInline, found: re.Match[str]) -> None:
    token = state.push(PLAIN_TAG, found[2].lower(), 0)
    token.content, token.markup = found.group(), found[1]


_READERS = ((_BREAK, _push_break), (_LITERAL, _push_literal), (_TAG, _push_tag))


@dataclass
class _Frame:
    """The tags that are open inside one element of Markdown: a tag never reaches over its end."""

    open: list[Token] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)


def balance(tokens: list[Token]) -> list[Token]:
    """Turn tags into elements where each has its end, and into text where it has none."""
    if not any(token.type == PLAIN_TAG for token in tokens):
        return tokens
    frames, depth = [_Frame()], 0
    for token in tokens:
        if token.type == PLAIN_TAG:
            depth += _place(frames[-1], token, depth)
        elif token.nesting > 0:
            frames.append(_Frame())
        elif token.nesting < 0 and len(frames) > 1:
            depth -= len(frames.pop().open)
    for token in tokens:
        _settle(token)
    return tokens


def _place(frame: _Frame, token: Token, depth: int) -> int:
    """Open or close an element; by how much the depth changes."""
    if token.markup:
        return -_close(frame, token)
    if token.tag == "li" and frame.open and frame.open[-1].tag == "li":
        return 0  # a list item that was left open: HTML allows it, we do not
    if depth >= _DEEPEST:
        return 0
    frame.open.append(token)
    frame.counts[token.tag] = frame.counts.get(token.tag, 0) + 1
    return 1


def _close(frame: _Frame, token: Token) -> int:
    """Close the last open element of that name, and give up those that were opened inside it and have no end."""
    if not frame.counts.get(token.tag):
        return 0
    closed = 0
    while True:
        opening = frame.open.pop()
        frame.counts[opening.tag] -= 1
        closed += 1
        if opening.tag == token.tag:
            in_list = frame.open and frame.open[-1].tag in ("ul", "ol")
            _pair(opening, token, as_text=token.tag == "li" and not in_list)
            return closed


def _pair(opening: Token, closing: Token, *, as_text: bool) -> None:
    """Make an element; a list item without a list is a line with a bullet."""
    if as_text:
        opening.type, opening.content, closing.type = "text", "• ", "hardbreak"
        return
    opening.nesting, closing.nesting = 1, -1
    opening.type = closing.type = "element"


def _settle(token: Token) -> None:
    if token.type == PLAIN_TAG:
        token.type = "text"
    elif token.type == "element":
        token.tag = OURS[token.tag]
        token.content = f"</{token.tag}>" if token.nesting < 0 else f"<{token.tag}>"
