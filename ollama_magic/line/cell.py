"""The running cell: its execution, and the names of its output slots."""

from __future__ import annotations

import itertools
from typing import Any

from ollama_magic.conversation.cell_run import Origin
from ollama_magic.display.host import request_of


class Cell:
    """Identifies the running cell by the shell's current execute request; a terminal has none."""

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self.begun = 0  # cells so far, for executions without a request
        self._running = itertools.count(1)
        self._execution: str | None = None
        self._slots = itertools.count(1)

    def origin(self) -> Origin:
        """Return the cell's id, if the front end sends it, and an id of this execution."""
        request = request_of(self._shell)
        return Origin(request.cell, request.execution or str(self.begun))

    def next_slot(self) -> str:
        """Return the next slot's name: the cell's id and a number, which stay the same when the cell runs again.

        Without a cell id it is a running number (design.md §3).
        """
        request = request_of(self._shell)
        if request.cell is None:
            return str(next(self._running))
        if request.execution != self._execution:
            self._execution, self._slots = request.execution, itertools.count(1)
        return f"{request.cell}/{next(self._slots)}"
