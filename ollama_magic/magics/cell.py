"""The cell that runs: its id, its execution, and the names of the slots in its output."""

from __future__ import annotations

import itertools
from typing import Any

from ollama_magic.conversation.journal import Origin


class Cell:
    """Reads the execute request that the shell is busy with; a terminal has none."""

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._running = itertools.count(1)
        self._execution: object = None
        self._slots = itertools.count(1)

    def origin(self) -> Origin:
        """The cell's id, where the front end tells it, and the number of this execution."""
        return Origin(self._cell_id(), getattr(self._shell, "execution_count", 0))

    def next_slot(self) -> str:
        """Name the next slot by the cell's id and its number within this execution, so that the file stays the same.

        Without an id it is a running number (design §3).
        """
        cell = self._cell_id()
        if cell is None:
            return str(next(self._running))
        execution = self._request().get("header", {}).get("msg_id")
        if execution != self._execution:
            self._execution, self._slots = execution, itertools.count(1)
        return f"{cell}/{next(self._slots)}"

    def _cell_id(self) -> str | None:
        found = self._request().get("metadata", {}).get("cellId")
        return found if isinstance(found, str) else None

    def _request(self) -> dict[str, Any]:
        get_parent = getattr(self._shell, "get_parent", None)
        return (get_parent() if get_parent else None) or {}
