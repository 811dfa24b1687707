"""A map as lines for a terminal: so many percent, and how it ended."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from ollama_magic.display.map_status import settled, status_of
from ollama_magic.display.stdout import write

if TYPE_CHECKING:
    from collections.abc import Callable

    from ollama_magic.display.map_progress import MapProgress

REST_S = 0.5
WATCHED, UNWATCHED = 10, 25  # percent between two lines: in a terminal, and in a log


class TextMapView:
    """Lines for a terminal or a script; never one for a row."""

    def __init__(self) -> None:
        self._percent, self._reported = UNWATCHED, 0
        self._said: set[str] = set()

    def begin(self, progress: MapProgress, stop: Callable[[], None]) -> None:  # noqa: ARG002 (■ and Ctrl-C stop it)
        """Print the lines that stand above."""
        self._percent = WATCHED if getattr(sys.stdout, "isatty", bool)() else UNWATCHED
        self._reported = 0
        self._print(progress.before)

    def show(self, progress: MapProgress) -> float:
        """Print what is new."""
        status = status_of(progress)
        reached = int((status.whole.share or 0) * 100) // self._percent * self._percent
        if self._reported < reached < 100:
            self._reported = reached
            write("  " + " · ".join(filter(None, (status.whole.figures, status.activity))) + "\n")
        self._print((*progress.lines, *progress.problems.values()))
        return REST_S

    def finish(self, progress: MapProgress) -> None:
        """Print how it ended."""
        text = "\n".join(line for line in settled(progress).text.split("\n") if line not in self._said)
        if text:
            write(text + "\n")

    def _print(self, lines: tuple[str, ...]) -> None:
        for line in lines:
            if line and line not in self._said:
                self._said.add(line)
                write(line + "\n")
