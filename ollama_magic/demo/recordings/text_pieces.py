"""Texts in pieces about the size of a model's tokens, and the numbers of such pieces; no I/O."""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_PIECES = re.compile(r" ?[^\W\d_\u2e80-\U0003ffff]{1,8}| ?\d{1,3}|[\u4e00-\u9fff]{1,2}|\n+| +|.", re.DOTALL)
_MARKS = re.compile(r"(<\|im_start\|>|<\|im_end\|>)")


def pieces(text: str) -> list[str]:
    """The text in pieces; joined they are the text."""
    return _PIECES.findall(text)


class Vocabulary:
    """Gives every piece a number when it is met first, so that `context` brings a text back; safe from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._numbers: dict[str, int] = {}
        self._pieces: list[str] = [""]

    def encode(self, text: str) -> list[int]:
        """The numbers of a text's pieces; 0 is none of them."""
        found = [one for part in _MARKS.split(text) for one in ([part] if _MARKS.match(part) else pieces(part))]
        with self._lock:
            return [self._number(piece) for piece in found]

    def _number(self, piece: str) -> int:
        if piece not in self._numbers:
            self._numbers[piece] = len(self._pieces)
            self._pieces.append(piece)
        return self._numbers[piece]

    def decode(self, numbers: Iterable[object]) -> str:
        """The text of numbers; those of other servers are left out."""
        known = self._pieces
        return "".join(known[one] for one in numbers if isinstance(one, int) and 0 < one < len(known))
