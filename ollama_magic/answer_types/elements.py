"""The elements of a growing JSON list, each as soon as it is finished. `json`'s decoder reads them, one at a time.

Not a partial parse of all that has come: that reads the beginning again with every piece, and a long list once a piece.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ollama_magic.answer_types.answer_format import AnswerFormat

T = TypeVar("T")
_SPACE = re.compile(r"[ \t\r\n]*")
_BETWEEN = re.compile(r"[ \t\r\n]*,[ \t\r\n]*(?!\])")
_ENDS = (",", "]", " ", "\n", "\r", "\t")  # of a number
_CLOSES = {"{": "}", "[": "]", '"': '"'}


class GrowingList(Generic[T]):
    """Takes the text of a list in pieces and gives its elements, validated in the thread that takes them."""

    def __init__(self, element: AnswerFormat[T], label: str) -> None:
        self._element, self._label = element, label
        self.rest = ""
        self._begun = self._other = False
        self.count = 0
        self.closed = False

    def add(self, piece: str) -> Iterator[T]:
        """Yield the elements that a piece finishes; AnswerInvalid names the first that does not fit."""
        self.rest += piece
        if not self._begun:
            self._begin()
        first = self.rest.lstrip()[:1]
        if self.closed or not self._begun or (first in _CLOSES and _CLOSES[first] not in piece):
            return
        while (text := self._next()) is not None:
            self.count += 1
            yield self._element.validate(text, self._label, f"[{self.count - 1}]")

    def _begin(self) -> None:
        """A list begins with its bracket; what begins otherwise is read as a whole, at its end."""
        text = self.rest.lstrip()
        self._other = self._other or (text != "" and text[0] != "[")
        if text and not self._other:
            self._begun, self.rest = True, text[1:]

    def _next(self) -> str | None:
        """Take the next finished element off the text; None where there is none yet, or where no comma is in place."""
        rest = self.rest
        blank = _SPACE.match(rest)
        if blank and rest[blank.end() : blank.end() + 1] == "]":
            self.closed, self.rest = True, rest[blank.end() + 1 :]
            return None
        before = _BETWEEN.match(rest) if self.count else blank
        if before is None:
            return None
        at = before.end()
        try:
            value, end = _DECODER.raw_decode(rest, at)
        except (ValueError, RecursionError):
            return None
        if type(value) in (int, float) and rest[end : end + 1] not in _ENDS:
            return None  # more digits may come
        self.rest = rest[end:]
        return rest[at:end]


def _no_constant(name: str) -> float:
    raise ValueError(name)


_DECODER = json.JSONDecoder(parse_constant=_no_constant)
