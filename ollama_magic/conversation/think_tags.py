"""Separates thinking that old servers send inside the text, between <think> and </think> (protocol.md §8).

If a template opens the thinking in the prompt, the text has only the closing tag.
"""

from __future__ import annotations

import re

OPEN, CLOSE = "<think>", "</think>"
_LONE = re.compile(r"(?<!`)</think>[ \t\r]*(?:\n\s*|\Z)")


class ThinkTags:
    """Splits growing text into thinking and answer; only an answer that begins with the tag has thinking."""

    def __init__(self) -> None:
        self._held = ""
        self._read = self._before

    @property
    def passed(self) -> bool:
        """Whether no tag can follow, so that text need not be read."""
        return self._read == self._after

    def feed(self, text: str) -> tuple[str, str]:
        """Add text; return the (thinking, answer) that are certain by now."""
        self._held += text
        return self._read()

    def close(self) -> tuple[str, str]:
        """Return what was still held back when the stream ended."""
        held, self._held = self._held, ""
        return (held, "") if self._read == self._inside else ("", held)

    def _before(self) -> tuple[str, str]:
        start = self._held.lstrip()
        if start.startswith(OPEN):
            self._held, self._read = start[len(OPEN) :], self._inside
        elif not OPEN.startswith(start):
            self._read = self._after
        else:
            return "", ""
        return self._read()

    def _inside(self) -> tuple[str, str]:
        thinking, found, rest = self._held.partition(CLOSE)
        if found:
            self._held, self._read = rest, self._gap
            return thinking, self._gap()[1]
        pending = max((n for n in range(1, len(CLOSE)) if self._held.endswith(CLOSE[:n])), default=0)
        cut = len(self._held) - pending
        thinking, self._held = self._held[:cut], self._held[cut:]
        return thinking, ""

    def _gap(self) -> tuple[str, str]:
        self._held = self._held.lstrip()
        if self._held:
            self._read = self._after
        return self._after()

    def _after(self) -> tuple[str, str]:
        rest, self._held = self._held, ""
        return "", rest


def split_at_lone_close(text: str) -> tuple[str, str] | None:
    """Split a text at a closing tag without an opening tag; None if there is none.

    The tag must end its line outside code; an earlier opening tag means that the text only mentions it.
    """
    found = _LONE.search(text)
    if found is None or OPEN in text[: found.start()] or text.count("```", 0, found.start()) % 2:
        return None
    return text[: found.start()].strip(), text[found.end() :]
