"""A text that is code from its first letter to its last, shown as one block while it grows; nothing in it ends that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from ollama_magic.foreign import repaired, visible, without_controls
from ollama_magic.markdown.fence import OpenFence
from ollama_magic.markdown.html import code_block
from ollama_magic.markdown.incremental import Paint
from ollama_magic.markdown.renderer import Block

if TYPE_CHECKING:
    from collections.abc import Callable

_SECONDS, _SECONDS_PER_CHARACTER, _LONGEST = 0.1, 0.25 / 100_000, 2.5
_EMPTY = Block("")


class Growing(Protocol):
    """A document that grows: `IncrementalMarkdown`, or code."""

    def feed(self, delta: str) -> None:
        """Take a piece of text."""

    def update(self) -> Paint:
        """What changed since the last call."""

    def finish(self) -> Paint:
        """Everything is final."""


class GrowingCode:
    """Code of a language; `lay_out` changes each piece before it is shown, and `rest` gives what that held back."""

    def __init__(
        self, language: str, lay_out: Callable[[str], str] = str, rest: Callable[[], str] = lambda: ""
    ) -> None:
        self._fence = OpenFence("", language, 0)
        self._lay_out, self._rest = lay_out, rest
        self._held = ""
        self._frozen: list[Block] = []
        self._any = False

    def feed(self, delta: str) -> None:
        """Take a piece of text; a last carriage return or half a character waits for the next piece."""
        text = self._held + delta
        self._held = text[-1:] if text[-1:] == "\r" or "\ud800" <= text[-1:] <= "\udbff" else ""
        self._show(self._lay_out(_fit(text[: len(text) - len(self._held)])))

    def update(self) -> Paint:
        """What changed since the last call."""
        return self._paint(self._fence.tail() if self._any else _EMPTY)

    def finish(self) -> Paint:
        """Everything is final: the tail is empty."""
        held, self._held = _fit(self._held), ""
        self._show(self._lay_out(held) + self._rest())
        if self._any:
            self._frozen += self._fence.finish()
        return self._paint(_EMPTY)

    def _show(self, text: str) -> None:
        if text:
            self._any = True
            self._frozen += self._fence.feed(text)[0]

    def _paint(self, tail: Block) -> Paint:
        frozen, self._frozen = tuple(self._frozen), []
        return Paint(frozen, tail, ())


def whole_code(text: str, language: str, lay_out: Callable[[str], str] = str) -> str:
    """Return the whole text as one block of HTML."""
    code = lay_out(_fit(text))
    seconds = max(_SECONDS, min(len(code) * _SECONDS_PER_CHARACTER, _LONGEST))
    return visible(code_block(code, language, seconds)) if code else ""


def _fit(text: str) -> str:
    return without_controls(repaired(text))
