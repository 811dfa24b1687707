"""Which turns of a transcript stand in which of its outputs, so that a new turn has little sent again.

Pure: a turn is its number here, oldest first, and the caller says what it takes. Sealed places hold much and change
seldom. The newest turns have a small place of their own; when it is full they are sealed.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Size = Callable[[int], int]
    Groups = list[list[int]]

SEALED = 6
LIMIT = 250_000  # characters in all places: servers limit outputs to a megabyte per second
FULL = LIMIT // (SEALED - 1)  # in a sealed place: one is spare, because the last turn of each leaves room
NEW = LIMIT // 16  # in the place of the newest turns


@dataclass(frozen=True)
class Places:
    """The turns of each place; the older turns in `left_out` stand in none."""

    sealed: tuple[tuple[int, ...], ...] = ((),) * SEALED
    newest: tuple[int, ...] = ()
    left_out: frozenset[int] = frozenset()

    @property
    def shown(self) -> tuple[int, ...]:
        """All turns that stand somewhere, in order."""
        return tuple(chain(*self.sealed, self.newest))


def placed(turns: Sequence[int], size: Size, before: Places) -> Places:
    """Return the places of these turns. What has a place keeps it, unless the places overflow.

    Args:
        turns: Their numbers, oldest first.
        size: Returns the characters that a turn takes; it is asked only about turns that are shown, and one more.
        before: Where they stood so far; `Places()` at first.

    Example:
        >>> placed([1, 2], lambda turn: 100, Places()).newest
        (1, 2)
    """
    first = 1 + max((at for at, turn in enumerate(turns) if turn in before.left_out), default=-1)
    shown, left_out = turns[first:], frozenset(turns[:first])
    stay = set(before.shown).intersection(shown)
    total = sum(map(size, shown)) if stay else 0
    has_room_again = len(stay) < len(before.shown) and total < LIMIT // 4
    if not stay or (left_out and has_room_again):
        return _anew(turns, size, LIMIT) or _halved(turns, size)
    groups = _sealed(_kept(shown, before), size) if total <= LIMIT else None
    return _halved(turns, size) if groups is None else _places(groups, left_out)


def _halved(turns: Sequence[int], size: Size) -> Places:
    """Place the newest turns that take half of the limit, so that this is seldom needed."""
    found = _anew(turns, size, LIMIT // 2)
    assert found is not None, "two places that follow each other hold more than one is allowed to"
    return found


def _anew(turns: Sequence[int], size: Size, budget: int) -> Places | None:
    """Place the newest turns that take no more than this, at least one; None if there are too few places."""
    first, left = max(len(turns) - 1, 0), budget - size(turns[-1]) if turns else 0
    while first and (left := left - size(turns[first - 1])) >= 0:
        first -= 1
    groups = _sealed([[] for _ in range(SEALED)] + [list(turns[first:])], size)
    return None if groups is None else _places(groups, frozenset(turns[:first]))


def _kept(shown: Sequence[int], before: Places) -> Groups:
    """Leave turns where they stand; a new one follows those before it, or is the newest."""
    place_of = {turn: at for at, group in enumerate((*before.sealed, before.newest)) for turn in group}
    known = [index for index, turn in enumerate(shown) if turn in place_of]
    groups: Groups = [[] for _ in range(SEALED + 1)]
    at = place_of[shown[known[0]]]
    for index, turn in enumerate(shown):
        at = SEALED if index > known[-1] else max(at, place_of.get(turn, at))
        groups[at].append(turn)
    return groups


def _sealed(groups: Groups, size: Size) -> Groups | None:
    """Seal the newest turns but one if they are too many; None if there is no place for them."""
    *sealed, newest = groups
    if sum(map(size, newest)) <= NEW:
        return groups
    at = max((index for index, group in enumerate(sealed) if group), default=0)
    used = sum(map(size, sealed[at]))
    for turn in newest[:-1]:
        used += size(turn)
        if sealed[at] and used > FULL:
            at, used = at + 1, size(turn)
        if at == SEALED:
            return None
        sealed[at].append(turn)
    return [*sealed, newest[-1:]]


def _places(groups: Groups, left_out: frozenset[int]) -> Places:
    *sealed, newest = map(tuple, groups)
    return Places(tuple(sealed), newest, left_out)
