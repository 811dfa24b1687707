"""Tokens as numbers, so that `context` of generate brings back what was said; no I/O."""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING

from ollama_magic.demo.answers.deltas import tokens

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ollama_magic.demo.answers.prompts import Message

_TURN = re.compile(r"<\|im_start\|>(\w+)\n(.*?)(?:<\|im_end\|>\n?|\Z)", re.DOTALL)
_MARKS = re.compile(r"(<\|im_start\|>|<\|im_end\|>)")


class Vocabulary:
    """Gives every token its number when it is met first; safe from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._numbers: dict[str, int] = {}
        self._tokens: list[str] = [""]

    def encode(self, text: str) -> list[int]:
        """The numbers of a text's tokens; 0 is none of them."""
        pieces = [one for part in _MARKS.split(text) for one in ([part] if _MARKS.match(part) else tokens(part))]
        with self._lock:
            return [self._number(piece) for piece in pieces]

    def _number(self, piece: str) -> int:
        if piece not in self._numbers:
            self._numbers[piece] = len(self._tokens)
            self._tokens.append(piece)
        return self._numbers[piece]

    def decode(self, numbers: Iterable[object]) -> str:
        """The text again; numbers of other servers are passed over."""
        known = self._tokens
        return "".join(known[one] for one in numbers if isinstance(one, int) and 0 < one < len(known))


def messages_in(text: str) -> list[Message]:
    """The messages that a rendered prompt holds; a text without marks is the user's."""
    turns: Sequence[tuple[str, str]] = _TURN.findall(text)
    if not turns:
        return [("user", text)] if text else []
    kept = [(role, content) for role, content in turns]
    return kept[:-1] if kept[-1][0] == "assistant" and not text.endswith("<|im_end|>\n") else kept
