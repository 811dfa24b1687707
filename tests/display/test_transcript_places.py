"""Which turns of a panel's transcript stand in which output: what changes with a turn, and what does not."""

from __future__ import annotations

import itertools
import random

import pytest

from ollama_magic.panel.transcript_places import FULL, LIMIT, NEW, SEALED, Places, placed


def groups(places):
    return [*places.sealed, places.newest]


def changed(before, after):
    """Which places have to be written."""
    pairs = zip(groups(before), groups(after), strict=True)
    return [at for at, (old, new) in enumerate(pairs) if old != new]


def grown(count, size, before=None):
    """The places after each of so many turns, which came one by one."""
    found = [before or Places()]
    for last in range(1, count + 1):
        found.append(placed(range(1, last + 1), size, found[-1]))
    return found


def a_thousand(_):
    return 1000


def written(found, size):
    """The characters that are written with each turn."""
    steps = itertools.pairwise(found)
    return [sum(size(turn) for at in changed(old, new) for turn in groups(new)[at]) for old, new in steps]


@pytest.mark.parametrize("each", [1000, 5000, 30_000])
def test_a_turn_costs_the_same_however_many_stand_above(each):
    """A thousand turns, added one by one, write the same with each of them, on average."""
    costs = written(grown(1050, lambda _: each), lambda _: each)
    early = sum(costs[10:60])
    assert all(sum(costs[at : at + 50]) <= 1.5 * early for at in range(60, 1000))


def test_short_turns_cost_no_more_than_a_few_times_the_newest():
    """Turns of a word, of which hundreds stand in one place, write little too, once in a while all of it included."""
    costs = written(grown(1800, lambda _: 300), lambda _: 300)
    assert all(sum(costs[at : at + 500]) <= 500 * NEW for at in range(1300))


def test_few_turns_are_one_place():
    """A short conversation is in one place."""
    places = placed([3, 4], a_thousand, Places())
    assert (places.newest, places.shown) == ((3, 4), (3, 4))
    assert placed([], a_thousand, places) == Places()


def test_a_new_turn():
    """A turn is written with the newest alone; when these are too many, they are written where they are sealed."""
    found = grown(100, a_thousand)
    for old, new in itertools.pairwise(found):
        assert SEALED in changed(old, new)
        assert len(changed(old, new)) <= (1 if len(new.newest) > 1 else 3)
        assert len(new.newest) * 1000 <= NEW
        assert all(len(group) * 1000 <= FULL for group in new.sealed)


def test_a_change_in_the_middle():
    """A turn that is asked again in the middle, or a new one there, writes the place where it stands, and no other."""
    before = grown(100, a_thousand)[-1]
    turns = [*range(1, 101)]
    middle = before.sealed[1][5]
    turns[turns.index(middle)] = 101
    after = placed(turns, a_thousand, before)
    assert changed(before, after) == [1]
    turns.insert(turns.index(101), 102)
    assert changed(after, placed(turns, a_thousand, after)) == [1]
    assert placed(turns, a_thousand, after).shown == tuple(turns)


def test_an_edit_and_its_undo():
    """Turns that are set aside leave their places; those before them stay, and undone they stand behind them."""
    before = grown(100, a_thousand)[-1]
    edited = placed([*range(1, 60), 101], a_thousand, before)
    assert edited.sealed[0] == before.sealed[0]
    assert edited.shown == (*range(1, 60), 101)
    undone = placed(range(1, 101), a_thousand, edited)
    assert undone.sealed[0] == before.sealed[0]
    assert undone.shown == tuple(range(1, 101))


def test_a_long_conversation_at_once():
    """A conversation that was there before stands in the places as far as the limit goes."""
    places = placed(range(1, 1001), a_thousand, Places())
    assert len(places.shown) == LIMIT // 1000
    assert len(placed(range(1, 1002), a_thousand, places).shown) == LIMIT // 2000


def test_another_conversation():
    """The turns of another conversation take the places of those that stood there."""
    before = grown(20, a_thousand)[-1]
    assert placed([30, 31], a_thousand, before) == placed([30, 31], a_thousand, Places())


def test_the_limit():
    """When all places are full the older half goes, and comes back when the newer turns have gone."""
    found = grown(400, a_thousand)
    assert all(len(places.shown) * 1000 <= LIMIT for places in found)
    assert [len(new.shown) for old, new in itertools.pairwise(found) if len(new.shown) < len(old.shown)] == [
        LIMIT // 2000,
        LIMIT // 2000,
    ]
    last = found[-1]
    assert last.left_out == frozenset(range(1, 401 - len(last.shown)))
    assert placed([*range(1, 401)], a_thousand, last) == last
    few = placed(range(1, 230), a_thousand, last)
    assert few.shown == tuple(range(1, 230))


def test_turns_without_end():
    """The newest turn is shown, whatever it takes, and older ones while there is room."""
    found = grown(10, lambda _: LIMIT // 2 - 1)
    assert [len(places.shown) for places in found] == [0, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2]
    assert placed([1, 2], lambda _: 2 * LIMIT, Places()).shown == (2,)


@pytest.mark.parametrize("seed", range(30))
def test_whatever_happens(seed):
    """Additions, edits, undo, insertions and moves, of turns of all sizes: all that is shown is in order, and fits."""
    chance = random.Random(seed)
    sizes = {}

    def size(turn):
        return sizes.setdefault(turn, chance.choice([50, 500, 3000, 3000, 20_000, 90_000]))

    turns, history, places = [], [], Places()
    for number in range(300):
        history.append(list(turns))
        act = chance.random()
        if act < 0.7:
            turns.append(number)
        elif act < 0.8 and turns:
            turns = [*turns[: chance.randrange(len(turns))], number]
        elif act < 0.9:
            turns.insert(chance.randrange(len(turns) + 1), number)
        elif act < 0.95 and turns:
            turns.append(turns.pop(chance.randrange(len(turns))))
        else:
            turns = list(history[chance.randrange(len(history))])
        places = placed(turns, size, places)
        assert list(places.shown) == turns[len(places.left_out) :]
        assert places.left_out == set(turns) - set(places.shown)
        assert sum(map(size, places.shown)) <= LIMIT or len(places.shown) == 1
        assert bool(places.shown) == bool(turns)
