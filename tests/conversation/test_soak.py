"""Two hundred turns, each stopped at a random moment from another thread: nothing hangs, is lost, or is left behind."""

import asyncio
import contextlib
import random
import sys
import threading
import time
from pathlib import Path

import pytest

from ollama_magic.conversation.request import Plan
from ollama_magic.conversation.session import Session
from ollama_magic.conversation.settings import Settings
from ollama_magic.errors import TurnStopped
from tests.double import Fault, ScriptedServer

from .fakes import FakeView

TURNS = 200
GUARD_S = 20
IDLE = 6  # connections that may be kept for later: each is two sockets, a poll and a thread of the server, all in here
KINDS = ("silence_first", "silence", "endless", "script", "show")


def fault(kind):
    if kind == "show":
        return Fault("silence_first", path="/api/show")
    return Fault(kind, script=["one ", "two ", "three "] * 40)


def open_files():
    return len(list(Path("/proc/self/fd").iterdir())) if sys.platform.startswith("linux") else 0


def comes_true(holds):
    """Whether this holds by now or a moment later: the server ends its side of a connection when it hears of it."""
    end = time.monotonic() + GUARD_S
    while not holds() and time.monotonic() < end:
        time.sleep(0.02)
    return holds()


async def others():
    return len(asyncio.all_tasks()) - 1


def loop_threads():
    """The loops of all sessions: other tests of this process may have left one to the garbage collector."""
    return {thread for thread in threading.enumerate() if thread.name == "ollama_magic"}


class CountingView(FakeView):
    """Counts how often it was settled."""

    def __init__(self):
        super().__init__()
        self.settled = 0

    def finish(self, reply):
        super().finish(reply)
        self.settled += 1


def stopped_turn(session, server, rng):
    """One turn with a stop at a random moment; True if the stop came before the answer was complete."""
    server.faults.clear()
    kind = rng.choice(KINDS)
    server.faults.append(fault(kind))
    if kind == "show":
        session.server().catalog.forget()
    view = CountingView()
    handle = session.start_turn(Plan("Hello", once=rng.random() < 0.2), view)
    stopper = threading.Timer(rng.random() ** 2 * 0.05, handle.stop)
    stopper.start()
    with contextlib.suppress(TurnStopped):
        handle.wait()
    stopper.join(GUARD_S)
    handle.settle(GUARD_S)
    assert handle.reply.state in ("stopped", "complete")
    assert view.finished == (handle.reply.state, handle.reply.text)
    assert view.settled == 1
    return handle.reply


@pytest.mark.parametrize("seed", [11])
def test_stops_at_random_moments(seed):
    """Every one of 200 turns ends stopped or complete, settled once; what came of it is remembered; nothing leaks."""
    rng = random.Random(seed)
    of_others = loop_threads()
    with ScriptedServer(pace=0) as server:
        session = Session(lambda: Settings(environ={"OLLAMA_HOST": server.url}))
        stopped_turn(session, server, rng)
        before = open_files(), threading.active_count()
        for _ in range(TURNS):
            count = len(session.conversation().turns)
            reply = stopped_turn(session, server, rng)
            kept = session.conversation().turns[count:]
            assert [turn.text for turn in kept] in ([reply.text], [])
            assert bool(kept) == (reply.conversation is not None and bool(reply.text_parts))
        assert session.running() == []
        assert session.call(others()) == 0
        for request in server.requests:
            assert request.wait(GUARD_S)
        assert comes_true(lambda: open_files() <= before[0] + IDLE * 3)
        assert comes_true(lambda: threading.active_count() <= before[1] + IDLE)
        session.close()
        assert comes_true(lambda: not loop_threads() - of_others)
