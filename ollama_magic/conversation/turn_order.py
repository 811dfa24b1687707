"""The order of turns: by the order of the notebook's cells if known, else by their cells' first run. Pure."""

from __future__ import annotations

from collections.abc import Callable
from operator import itemgetter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ollama_magic.turns.turn_value import Turn

Key = tuple[int, bool, int]  # the place, whether it only follows the cell at that place, the turn's number
KeyOf = Callable[["Turn"], Key]


class TurnOrder:
    """The places of cells, and the cells that turns without a cell of their own follow."""

    def __init__(self) -> None:
        self.cell_order: tuple[str, ...] = ()  # of the chat cells, as the journal has it
        self._first: dict[str, int] = {}
        self._behind: dict[int, str] = {}
        self._last: dict[str, tuple[Key, str | None]] = {}

    def __contains__(self, cell: str) -> bool:
        """Whether a cell has its place."""
        return cell in self._first

    def put(self, cell: str, number: int) -> None:
        """Place a cell at this number, unless it has a place."""
        self._first.setdefault(cell, number)

    def began(self, turn: Turn, others: Iterable[Turn]) -> None:
        """Place a turn that began after these; without a cell it follows the last turn that counts."""
        if turn.cell is not None:
            self.put(turn.cell, turn.number)
        if self.cell_order and turn.cell is None:
            last = max((one for one in others if not one.aside), key=self.keys(self.cell_order), default=None)
            cell = self._cell_of(last) if last is not None else None
        else:
            cell = turn.cell or self._last.get(turn.conversation, (None, None))[1]
        if turn.cell is None and cell is not None:
            self._behind[turn.number] = cell
        place = (self._first.get(turn.cell or "", turn.number), False, turn.number), cell
        self._last[turn.conversation] = max(self._last.get(turn.conversation, place), place, key=itemgetter(0))

    def keys(self, order: tuple[str, ...], cell: str | None = None, number: int = 0) -> KeyOf:
        """Return the sort key of turns; `cell` and `number` place a cell that is about to have its first turn.

        Cells in `order` divide their places among themselves in that order; the others stay where they first ran.
        """
        first = {cell: number, **self._first} if cell is not None else self._first
        known = [one for one in order if one in first]
        shared = dict(zip(known, sorted(first[one] for one in known), strict=True))

        def key(turn: Turn) -> Key:
            number = turn.group or turn.number
            if turn.cell is None:
                behind = self._behind.get(number) if order else None
                place = number if behind is None else shared.get(behind, self._first.get(behind, number))
                return place, behind is not None, number
            return shared.get(turn.cell, first.get(turn.cell, number)), False, number

        return key

    def _cell_of(self, turn: Turn) -> str | None:
        return turn.cell or self._behind.get(turn.number)
