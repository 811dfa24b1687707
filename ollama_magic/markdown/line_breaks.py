"""A line of the model is a line of the page, as in chat programs; prose that was wrapped by hand flows on."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

from markdown_it.rules_inline.newline import newline as _newline

if TYPE_CHECKING:
    from markdown_it.rules_inline.state_inline import StateInline

WRAPPED = "wrapped"  # the markup of a soft break that is no line break
_LONG = 55  # characters; nobody wraps prose at fewer, and few lines of poems or lists have as many
_ENDS = re.compile(r"[.!?:…。！？：][*_~`\"'”’»)\]]*$")
_ABBREVIATION = re.compile(r"(?:\b(?:[a-zA-Z]\.){2,}|\b(?:etc|vs|cf|ca|bzw|approx|Dr|Mr|Mrs|Prof|No|Nr|Fig|St)\.)$")
_MARKUP = "*_~([{\"'“‘«„"
# What begins a line of its own although it begins in lower case: `a)`, `iv.`, `key:`, an address.
_OWN_LINE = re.compile(r"(?:[a-z]|[ivx]{1,4})[.)]\s|o\s|[\w-]+(?:\s[\w-]+)?:\s|https?://|www\.|[\w./-]+\s[–—-]\s")


def line_break(state: StateInline, silent: bool) -> bool:
    """Read a line end; mark the soft break of wrapped prose."""
    at = state.pos
    if not _newline(state, silent):
        return False
    if not silent and state.tokens[-1].type == "softbreak" and at in _wrapped(state):
        state.tokens[-1].markup = WRAPPED
    return True


def _wrapped(state: StateInline) -> set[int]:
    """Where the text has line ends of wrapped prose."""
    found: set[int] | None = getattr(state, "wrapped_at", None)
    if found is None:
        found = set(wrapped_line_ends(state.src))
        setattr(state, "wrapped_at", found)  # noqa: B010 (markdown-it's states have room for more)
    return found


def wrapped_line_ends(text: str) -> list[int]:
    """The offsets of those line ends behind which a sentence plainly goes on."""
    lines = [line.strip() for line in text.split("\n")]
    if max(map(len, lines)) < _LONG:
        return []
    ends, at = [], -1
    for line in text.split("\n")[:-1]:
        at += len(line) + 1
        ends.append(at)
    goes_on = [_goes_on(line, following) for line, following in pairwise(lines)]
    if any(goes_on) and _evenly_filled(lines):
        return ends
    return [end for end, wrapped in zip(ends, goes_on, strict=True) if wrapped]


def _goes_on(line: str, following: str) -> bool:
    """Whether a long line ends in mid-sentence and the next one begins in lower case."""
    if len(line) < _LONG or _OWN_LINE.match(following):
        return False
    ends = _ENDS.search(line) and not _ABBREVIATION.search(line)
    return not ends and following.lstrip(_MARKUP)[:1].islower()


def _evenly_filled(lines: list[str]) -> bool:
    """Whether each line is as full as the width allows: its end is where the next word did not fit."""
    width = max(map(len, lines))
    if width > 2 * _LONG:
        return False
    return all(
        len(line) + 1 + len(following.split(" ", 1)[0]) > width and not _bullet(following)
        for line, following in pairwise(lines)
    )


def _bullet(line: str) -> bool:
    return line[:1] in "•◦▪‣–—-+*" and line[1:2] in (" ", "\t", "")
