"""Old servers send thinking inside the text, between <think> and </think> (dossier §8): this splits it off."""

from __future__ import annotations

OPEN, CLOSE = "<think>", "</think>"


class ThinkTags:
    """Splits growing text into thinking and answer; only an answer that begins with the tag has thinking."""

    def __init__(self) -> None:
        self._held = ""
        self._read = self._before

    @property
    def passed(self) -> bool:
        """Whether no tag can come any more, so that text may pass by unread."""
        return self._read == self._after

    def feed(self, text: str) -> tuple[str, str]:
        """Take more text; return the (thinking, answer) that are certain by now."""
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
        kept = max((n for n in range(1, len(CLOSE)) if self._held.endswith(CLOSE[:n])), default=0)
        cut = len(self._held) - kept
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
