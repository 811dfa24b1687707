"""A stream is read in step with the views that show it."""

import asyncio
import time
from math import inf
from types import SimpleNamespace

import pytest

from ollama_magic.conversation.read_pace import ReadPace


def run(steps):
    asyncio.run(steps())


@pytest.mark.parametrize("rest", [inf, 60.0])
def test_chunks_of_one_piece_are_read_at_once(rest):
    """What was received together is read without a pause."""

    async def steps():
        pace = ReadPace(SimpleNamespace(due=time.monotonic() + rest))
        assert not any(pace.waits for _ in range(500))

    run(steps)


def test_what_comes_one_by_one_gathers_while_the_views_rest():
    """A token that was waited for is followed by a pause, which ends before the views are due."""

    async def steps():
        began = time.monotonic()
        views = SimpleNamespace(due=began + 0.03)
        pace = ReadPace(views)
        assert not pace.waits
        await asyncio.sleep(0)
        assert pace.waits
        await pace.wait()
        assert time.monotonic() - began > 0.02
        views.due = inf
        assert not pace.waits

    run(steps)


def test_views_that_are_due_are_painted():
    """However many chunks are there, the loop comes round when a view is due."""

    async def steps():
        pace = ReadPace(SimpleNamespace(due=time.monotonic() - 1))
        came_round = []
        asyncio.get_running_loop().call_soon(came_round.append, 1)
        assert pace.waits
        await pace.wait()
        assert came_round

    run(steps)
