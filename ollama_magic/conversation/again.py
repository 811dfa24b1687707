"""A turn that is asked again, or asked otherwise, where no cell runs: what it sets aside, and that this comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ollama_magic.conversation.cell_run import CellRun

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ollama_magic.conversation.journal import Journal, Origin
    from ollama_magic.conversation.remembered import Turn


class AgainRun(CellRun):
    """One step: these turns are set aside, and a new one is begun; if that comes to nothing, they count again."""

    def __init__(self, journal: Journal, origin: Origin, instead_of: Sequence[Turn]) -> None:
        super().__init__(journal, origin)
        self._instead_of = instead_of

    def _old(self) -> list[Turn]:
        return [turn for turn in self._instead_of if turn.counts]
