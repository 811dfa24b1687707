"""JSON as it grows, laid out for reading: only white space between its tokens is changed, never a token. Pure."""

from __future__ import annotations

import re

INDENT = "  "
DEEPEST = 40  # levels that are indented further; a hostile text has a hundred thousand
GROWTH, FREE = 6, 4000  # how many times as long a text may become, and what it may grow by at any rate
_TOKEN = re.compile(r'(?P<space>[ \t\r\n]+)|(?P<quote>")|(?P<word>[\w.+-]+)|(?P<mark>[\[\]{},:])')
_INSIDE = re.compile(r'(?:[^"\\\n]|\\[^\n])*')


class GrowingJson:
    """Takes JSON in pieces and gives its layout in pieces; from where it is none, the text stands as it came."""

    def __init__(self) -> None:
        self._depth = 0
        self._space = ""  # white space that may stand for something, where it is between two values
        self._behind = ""  # the token before: "" | mark | "value"
        self._in_string = False
        self._escaped = ""
        self._plain = False
        self._room = FREE

    def feed(self, text: str) -> str:
        """Return the layout of the next piece."""
        text, self._escaped = self._escaped + text, ""
        laid, at = [], 0
        while at < len(text) and not self._plain:
            found = (_INSIDE if self._in_string else _TOKEN).match(text, at)
            if self._in_string and found:
                laid.append(found[0])
                at = self._string_ends(text, found.end(), laid)
            elif found:
                laid.append(self._laid(str(found.lastgroup), found[0]))
                at = found.end() if not self._plain else at
                self._room += (GROWTH + 1) * len(found[0]) - len(laid[-1])
                self._plain = self._plain or self._room < 0
            else:
                self._plain = True
        if self._plain and at < len(text):
            laid += [self._space, text[at:]]
            self._space = ""
        return "".join(laid)

    def finish(self) -> str:
        """Return what was held back: half an escape."""
        return self._escaped

    def _string_ends(self, text: str, at: int, laid: list[str]) -> int:
        """Go on behind the inside of a string; one that a line ends is none."""
        if text[at:] == "\\":
            self._escaped = "\\"
            return len(text)
        if at < len(text):
            self._in_string = False
            self._plain = text[at] != '"'
            laid.append("" if self._plain else '"')
            return at if self._plain else at + 1
        return at

    def _laid(self, kind: str, piece: str) -> str:
        if kind == "space":
            self._space += piece
            return ""
        space, self._space, behind = self._space, "", self._behind
        if kind == "mark" and piece in ",:" and not self._depth:
            self._plain, self._space = True, space
            return ""
        self._in_string = kind == "quote"
        self._behind = "word" if kind == "word" else "value" if kind == "quote" or piece in "]}" else piece
        if kind == "mark" and piece in ",:]}":
            return self._mark(piece, behind)
        before = self._line() if behind in ("[", "{") else space if behind in ("value", "word") else ""
        self._depth += piece in ("[", "{")
        return before + piece

    def _mark(self, piece: str, behind: str) -> str:
        if piece == ":":
            return ": "
        if piece == ",":
            return "," + self._line()
        self._depth = max(0, self._depth - 1)
        return piece if behind in ("[", "{") else self._line() + piece

    def _line(self) -> str:
        return "\n" + INDENT * min(self._depth, DEEPEST)


def laid_out(text: str) -> str:
    """Lay a whole text out."""
    growing = GrowingJson()
    return growing.feed(text) + growing.finish()
