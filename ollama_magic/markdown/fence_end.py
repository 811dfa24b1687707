"""Where a code fence ends, line by line, as models close them: outdented, glued to the code, around other fences."""

from __future__ import annotations

import re

_DOCUMENTS = {"markdown", "md", "mdx", "mkd", "rmd", "qmd"}  # whose code holds fences of its own
_FENCE = re.compile(r"[ \t]*(?P<run>`{3,}|~{3,})(?P<info>[^`]*)")


class FenceEnd:
    """Knows the fence that is open; asked for each line in turn. `indent`: of the opening line, in columns."""

    def __init__(self, markup: str, info: str, indent: int = 0) -> None:
        self._char, self._length = markup[:1], len(markup)
        self._document = info.strip().split(" ", 1)[0].strip("{.}").lower() in _DOCUMENTS
        self._deepest = indent + 4 if indent > 3 else 4
        self._inner: list[tuple[int, bool]] = []  # fences inside: their length, and whether they hold a document
        self._blank = False  # whether the line before was blank

    def copy(self) -> FenceEnd:
        """The same state, to look ahead."""
        copied = FenceEnd(self._char * self._length, "", self._deepest - 4)
        copied._document, copied._inner, copied._blank = self._document, [*self._inner], self._blank
        return copied

    def waits(self, line: str) -> bool:
        """Whether the line behind this one decides what this one is."""
        return self._document and self._blank and not self._inner and bool(self._bare(line))

    def closes(self, line: str, indent: int, following: str = "") -> str | None:
        """None if the fence goes on behind this line, else the code that stands on it before the closing run.

        `following` counts only where the fence `waits`.
        """
        opens_inside = self.waits(line) and bool(following.strip())
        self._blank = not line.strip()
        found = _FENCE.fullmatch(line) if self._char in line else None
        if found and found["run"][0] == self._char and len(found["run"]) >= self._length:
            return self._at_fence(found, indent, opens_inside=opens_inside)
        return self._at_glued(line) if self._char == "`" and "```" in line else None

    def is_other(self, line: str) -> bool:
        """Whether the line opens another fence, which cannot stand in this one's code."""
        found = _FENCE.fullmatch(line)
        return bool(found and found["info"].strip() and not self._document and not self._inner)

    def _bare(self, line: str) -> re.Match[str] | None:
        found = _FENCE.fullmatch(line)
        fits = found and found["run"][0] == self._char and len(found["run"]) >= self._length
        return found if fits and found and not found["info"].strip() else None

    def _at_fence(self, found: re.Match[str], indent: int, *, opens_inside: bool) -> str | None:
        length, info = len(found["run"]), found["info"].strip().lower()
        if info or opens_inside:
            if self._document and (not self._inner or self._inner[-1][1]):
                self._inner.append((length, info in _DOCUMENTS))
        elif self._inner:
            if length >= self._inner[-1][0]:
                self._inner.pop()
        elif indent < self._deepest:
            return ""
        return None

    def _at_glued(self, line: str) -> str | None:
        """`}` and the closing run on one line."""
        code = without_run(line)
        if len(line.rstrip(" \t")) - len(code) < self._length or "`" in code or not code.strip():
            return None
        if self._inner:
            self._inner.pop()
        elif not self._document:
            return code
        return None


def without_run(line: str) -> str:
    """The code of a line without the run of backticks at its end."""
    return line.rstrip(" \t").rstrip("`")
