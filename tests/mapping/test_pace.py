"""How many requests at once: learned from a server that takes so many, with a clock that is simulated."""

from __future__ import annotations

import heapq
import random
from collections import Counter
from itertools import count
from typing import TYPE_CHECKING

import pytest

from ollama_magic.mapping.pace import BEGIN, MOST, Pace

if TYPE_CHECKING:
    from collections.abc import Callable


def simulated(
    places: int,
    latency: float | Callable[[], float],
    rows: int,
    pace: Pace,
    after_each: Callable[[], None] = lambda: None,
) -> list[float]:
    """The times at which rows end on a server with so many places, each of which takes `latency` seconds."""
    now, ended, flying, free, number = 0.0, [], [], [0.0] * places, count()
    heapq.heapify(free)
    sent = 0
    while len(ended) < rows:
        while sent < rows and len(flying) < pace.limit:
            begin = max(now, heapq.heappop(free))
            end = begin + (latency() if callable(latency) else latency)
            heapq.heappush(free, end)
            heapq.heappush(flying, (end, next(number), pace.sent(now, len(flying) + 1)))
            sent += 1
        now, _, asked = heapq.heappop(flying)
        ended.append(now)
        pace.answered(now, asked)
        after_each()
    return ended


@pytest.mark.parametrize("places", [1, 2, 3, 4, 6, 8, 16])
@pytest.mark.parametrize("latency", [0.005, 0.2, 5.0])
def test_after_thirty_rows_the_pace_is_within_a_tenth_of_the_best(places, latency) -> None:
    """Whatever a server takes at once, the rows behind the first thirty come as fast as it can make them."""
    pace = Pace()
    ended = simulated(places, latency, 430, pace)
    rate = 380 / (ended[409] - ended[29])
    assert rate >= 0.9 * places / latency
    assert pace.limit <= 4 * places + 2


@pytest.mark.parametrize("places", [1, 4, 8, 16])
def test_it_stays_near_the_number_that_serves(places) -> None:
    """Between two looks at a larger number it is never below the server's places, and little above them."""
    pace, found = Pace(), Counter[int]()
    simulated(places, 0.2, 3000, pace, lambda: found.update([pace.limit]))
    settled, _ = found.most_common(1)[0]
    assert places <= settled <= 1.25 * places + 2
    assert min(found) == BEGIN
    assert sum(number for limit, number in found.items() if limit > settled) < 3000 / 4


def test_requests_that_are_sent_in_turn_count_alike() -> None:
    """Answers that come together free their places one by one: each new request counts as one of all of them."""
    pace, now, rounds = Pace(), 0.0, 0
    while pace.limit < 16:
        number = pace.limit
        asked = [pace.sent(now + place / 1000, place + 1) for place in range(number)]
        now, rounds = now + 5.0, rounds + 1
        for one in asked:
            pace.answered(now, one)
    assert rounds <= 6


def test_answers_of_different_lengths_are_measured_too() -> None:
    """With half of the answers five times as long as the others a server of eight places is as busy as it can be."""
    lengths = random.Random(7)
    ended = simulated(8, lambda: lengths.choice([0.4, 2.0]), 1000, Pace())
    assert 900 / (ended[979] - ended[79]) >= 0.9 * 8 / 1.2


def test_it_begins_with_two_and_never_exceeds_its_bounds() -> None:
    """A server without any limit gets ever more, but not without end."""
    pace = Pace()
    assert pace.limit == BEGIN
    simulated(1000, 1.0, 2000, pace)
    assert pace.limit == MOST


def test_a_number_of_the_user_stays() -> None:
    """`concurrency=N` is neither raised nor halved; a wait that the server asks for is kept to."""
    pace = Pace(fixed=5)
    simulated(100, 1.0, 500, pace)
    pace.trouble(500.0, pace.sent(499.0, 5), retry_after=7.0)
    assert pace.limit == 5
    assert pace.rests_until == 507.0


def test_trouble_halves_once_for_all_that_were_on_their_way() -> None:
    """Sixteen refusals of one moment are one lesson; the rest grows with each one that follows, up to its bound."""
    pace = Pace()
    simulated(16, 1.0, 100, pace)
    before, sent = pace.limit, pace.sent(99.0, 16)
    for _ in range(before):
        pace.trouble(100.0, sent)
    assert pace.limit == before // 2
    assert 100.0 < pace.rests_until < 101.0
    for _ in range(20):
        pace.trouble(200.0, pace.sent(199.0, 1))
    assert pace.limit == 1
    assert pace.rests_until == 230.0
