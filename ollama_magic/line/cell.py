"""The cell that runs: its execution, and the names of the slots in its output."""

from __future__ import annotations

import itertools
from typing import Any

from ollama_magic.conversation.journal import Origin
from ollama_magic.display.host import request_of


class Cell:
    """Reads the execute request that the shell is busy with; a terminal has none."""

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self.begun = 0  # cells so far, where no request tells them apart
        self._running = itertools.count(1)
        self._execution: str | None = None
        self._slots = itertools.count(1)

    def origin(self) -> Origin:
        """The cell's id, where the front end tells it, and what tells this execution from every other."""
        request = request_of(self._shell)
        return Origin(request.cell, request.execution or str(self.begun))

    def next_slot(self) -> str:
        """Name the next slot by the cell's id and its number within this execution, so that the file stays the same.

        Without an id it is a running number (design §3).
        """
        request = request_of(self._shell)
        if request.cell is None:
            return str(next(self._running))
        if request.execution != self._execution:
            self._execution, self._slots = request.execution, itertools.count(1)
        return f"{request.cell}/{next(self._slots)}"
