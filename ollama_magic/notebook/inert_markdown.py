"""Markdown of unknown origin made inert where it stands, and back again, letter for letter.

Outside code no tag, picture, odd link or control character keeps its power; inside code nothing is changed, if it is
certainly code for every reader of Markdown. In doubt it counts as text: a mark too many is seen, a tag too many acts.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Change = Callable[[str], str]

_OPEN = re.compile(r"( *)(`{3,}(?=[^`]*\Z)|~{3,})")
_CLOSE = re.compile(r"([ \t]*)(`{3,}|~{3,})[ \t]*\Z")
_MAYBE_FENCE = re.compile(r"[ \t>*+\-\d.):]*(?:```|~~~)")
_ITEM = re.compile(r"(?:([-+*])|(\d{1,9})[.)])( {1,4})(?=\S)(?!(?:[-+*]|\d{1,9}[.)])(?:\s|\Z)|>|`{3}|~{3})")
_RULE = re.compile(r"(?:[-*+_] *){2,}\Z")

_SAFE = r"(?:https?://|mailto:|#)"
_LINK = rf"\({_SAFE}[^\s`<>()\\]*(?:\([^\s`<>()\\]*\)[^\s`<>()\\]*)*\)"
_POWER = re.compile(
    r"<(?=[A-Za-z/!?])"  # a tag, a comment
    r"|&(?=(?:amp;)*lt;)"  # what is said of one
    r"|!(?=\\*\[)"  # a picture
    rf"|\](?:(?=\\+[(:])|(?=\()(?!{_LINK})|(?=:)(?!: *{_SAFE}))"  # a link or its definition
)
_MASK = re.compile(r"&lt;|&amp;(?=(?:amp;)*lt;)|!\\(?=\\*\[)|\]\\(?=\\*[(:])")
# Controls stand as entities, in code too: no reader of a file shall obey them.
_NUMBERS = "|".join(str(number) for number in [*range(9), *range(11, 32), *range(127, 160)])
_CONTROL = re.compile(rf"[\x00-\x08\x0b-\x1f\x7f-\x9f]|&(?=(?:amp;)*#(?:{_NUMBERS});)")
_ENTITY = re.compile(rf"&#({_NUMBERS});|&amp;(?=(?:amp;)*#(?:{_NUMBERS});)")
_URL_BEGAN = re.compile(r"://|www\.", re.IGNORECASE)
_BLANK = re.compile(r"[ \t]")
_TICKS = re.compile(r"\\.|`+")


def inert(text: str) -> str:
    """Return the text so that it acts on nobody who renders it; `as_said` gives it back exactly."""
    shown = _CONTROL.sub(lambda found: "&amp;" if found[0] == "&" else f"&#{ord(found[0])};", text)
    return "\n".join(_lines(shown, lambda part: _POWER.sub(_without_power, part)))


def as_said(shown: str) -> str:
    """Return the text that `inert` was given."""
    text = "\n".join(_lines(shown, lambda part: _MASK.sub(_with_power, part)))
    return _ENTITY.sub(lambda found: chr(int(found[1])) if found[1] else "&", text)


def _without_power(found: re.Match[str]) -> str:
    return {"<": "&lt;", "&": "&amp;"}.get(found[0], found[0] + "\\")


def _with_power(found: re.Match[str]) -> str:
    return {"&lt;": "<", "&amp;": "&"}.get(found[0], found[0][0])


def _lines(text: str, change: Change) -> Iterator[str]:
    """Yield the lines, with what is not certainly code changed."""
    blocks, spans = _Blocks(), _Spans(change)
    for line in text.split("\n"):
        if blocks.is_code(line):
            spans.certain = True
            yield line
        else:
            yield spans.changed(line)


class _Blocks:
    """Tells, line by line, what stands in a code fence for every reader, wherever lists and quotes begin and end."""

    def __init__(self) -> None:
        self._fence = ""  # the open fence; empty outside
        self._indent = self._deepest = 0  # where its lines begin, and how deep its end may stand
        self._item = 0  # where the text of the list item begins that is open; 0 without one
        self._before = ""  # the line before
        self._nested = False  # whether a fence that we cannot follow may be open in a list or quote
        self._lost = False  # whether nothing is certain any more

    def is_code(self, line: str) -> bool:
        """Whether the line is a fence or stands in one; the lines are told in order."""
        if self._lost:
            return False
        code = self._inside(line) if self._fence else self._opens(line)
        if not code and not self._lost:
            self._look(line)
        self._before = line
        return code

    def _inside(self, line: str) -> bool:
        """Go on in an open fence; a line that only some readers find in it ends all certainty."""
        indent = _indent_of(line)
        if line.strip(" ") and indent < self._indent:
            self._lost = True
            return False
        end = _CLOSE.match(line)
        if end and end[2].startswith(self._fence):
            if "\t" in end[1] or not self._indent <= indent <= self._deepest:
                self._lost = True
                return False
            self._fence = ""
        return True

    def _opens(self, line: str) -> bool:
        found = _OPEN.match(line)
        if found is None:
            return False
        indent = len(found[1])
        if "|" in line:  # the head of a table for some readers
            self._lost = True
            return False
        if self._nested and indent:
            self._lost = indent <= 3  # it may end the nested fence, or begin one that no list ends
            return False
        if indent <= 3:
            self._deepest = 3
        elif self._item and self._item <= indent <= self._item + 3:
            self._deepest = self._item + 3
        else:
            return False
        self._nested = False
        self._item = self._item if indent >= self._item else 0
        self._indent, self._fence = indent, found[2]
        return True

    def _look(self, line: str) -> None:
        """Note what a line of text means for the fences after it."""
        if not line.strip():
            return
        if line[0] not in " \t":
            self._nested = False
            self._item = self._item_of(line)
        elif _indent_of(line) < self._item:
            self._item = 0
        if fence := _MAYBE_FENCE.match(line):
            self._nested = True
            self._lost = "\t" in fence[0]

    def _item_of(self, line: str) -> int:
        found = _ITEM.match(line)
        if found is None or _RULE.match(line):
            return 0
        certain = found[1] or found[2] == "1" or self._item or not self._before.strip()
        return found.end() if certain else 0


class _Spans:
    """Changes a line outside its code spans; a span that may have begun on an earlier line ends all certainty."""

    def __init__(self, change: Change) -> None:
        self._change = change
        self.certain = True

    def changed(self, line: str) -> str:
        """Return the line with all changed that is not certainly a code span."""
        if not line.strip():
            self.certain = True
        if not self.certain or "`" not in line or "|" in line:
            self.certain = self.certain and "`" not in line
            return self._change(line)
        parts: list[str] = []
        start = at = 0
        while found := _TICKS.search(line, at):
            at = found.end()
            if found[0][0] == "\\":
                continue
            end = self._end(line, start, found)
            if not end:
                self.certain = False
                break
            parts += [self._change(line[start : found.start()]), line[found.start() : end]]
            start = at = end
        return "".join([*parts, self._change(line[start:])])

    def _end(self, line: str, start: int, ticks: re.Match[str]) -> int:
        """Where the span ends that these ticks begin; 0 where readers may differ."""
        if _URL_BEGAN.search(_BLANK.split(line[start : ticks.start()])[-1]):
            return 0  # some take ticks into an address
        end = re.compile(rf"(?<!`){ticks[0]}(?!`)").search(line, ticks.end())
        return end.end() if end else 0


def _indent_of(line: str) -> int:
    return len(line) - len(line.lstrip(" "))
