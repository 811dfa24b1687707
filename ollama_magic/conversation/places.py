"""Where turns stand: by the order of the notebook's cells where that is told, else by their cells' first run. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ollama_magic.conversation.remembered import Turn

Key = tuple[int, bool, int]  # the place, whether it only follows what stands there, the turn's number
KeyOf = Callable[["Turn"], Key]


class Places:
    """The places of cells, and behind which of them the turns stand that were made without a cell."""

    def __init__(self) -> None:
        self.told: tuple[str, ...] = ()  # the order of the cells that chat, as the journal has it
        self._first: dict[str, int] = {}
        self._behind: dict[int, str] = {}
        self._last: dict[str, tuple[Key, str | None]] = {}

    def __contains__(self, cell: str) -> bool:
        """Whether a cell has its place."""
        return cell in self._first

    def put(self, cell: str, number: int) -> None:
        """A cell chats: it stands at this number, unless it has its place."""
        self._first.setdefault(cell, number)

    def began(self, turn: Turn, others: Iterable[Turn]) -> None:
        """A turn began behind these, those set aside too; without a cell it stands behind the last that counts."""
        if turn.cell is not None:
            self.put(turn.cell, turn.number)
        if self.told and turn.cell is None:
            last = max((one for one in others if not one.aside), key=self.keys(self.told), default=None)
            cell = self._cell_of(last) if last is not None else None
        else:
            cell = turn.cell or self._last.get(turn.conversation, (None, None))[1]
        if turn.cell is None and cell is not None:
            self._behind[turn.number] = cell
        here = (self._first.get(turn.cell or "", turn.number), False, turn.number)
        self._last[turn.conversation] = max(self._last.get(turn.conversation, (here, cell)), (here, cell), key=_first)

    def keys(self, order: tuple[str, ...], cell: str | None = None, number: int = 0) -> KeyOf:
        """Return what to sort turns by; a cell that is about to have its first turn can be given with its number.

        The cells whose order is told share out their places by it; the others stay where they first ran.
        """
        first = {cell: number, **self._first} if cell is not None else self._first
        known = [one for one in order if one in first]
        shared = dict(zip(known, sorted(first[one] for one in known), strict=True))

        def key(turn: Turn) -> Key:
            if turn.cell is None:
                behind = self._behind.get(turn.number) if order else None
                place = turn.number if behind is None else shared.get(behind, self._first.get(behind, turn.number))
                return place, behind is not None, turn.number
            return shared.get(turn.cell, first.get(turn.cell, turn.number)), False, turn.number

        return key

    def _cell_of(self, turn: Turn) -> str | None:
        return turn.cell or self._behind.get(turn.number)


def _first(one: tuple[Key, str | None]) -> Key:
    return one[0]
