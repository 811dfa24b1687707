"""Stops at awkward moments: what the turn, its handle and the loop thread make of them."""

import asyncio
import itertools
import os
import signal
import threading
import time
from types import SimpleNamespace

import pytest

from ollama_magic.conversation import session as session_room, turn as turn_room
from ollama_magic.conversation.handle import TurnHandle
from ollama_magic.conversation.main_thread import MainThread
from ollama_magic.conversation.request import Plan
from ollama_magic.conversation.server import Server
from ollama_magic.conversation.session import Session
from ollama_magic.conversation.settings import Settings
from ollama_magic.conversation.turn import run_turn
from ollama_magic.errors import TurnStopped
from ollama_magic.loop_thread import LoopThread, interrupts_held
from tests.double import Fault, ScriptedServer

from .fakes import DONE, HEADERS, FakeServer, FakeView, turn, words

pytestmark = pytest.mark.skipif(os.name == "nt", reason="SIGINT is sent to this process")


def press():
    """■, as the kernel gets it."""
    signal.raise_signal(signal.SIGINT)


@pytest.fixture
def loop_thread():
    running = LoopThread()
    yield running
    running.close()


class LosingServer(FakeServer):
    """Loses the first cancellation of its look-up, as `asyncio.wait_for` may before Python 3.12."""

    async def model_for(self, name, needs):
        try:
            self.reached.set()
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return self.model


def test_a_stop_that_was_lost_is_said_again(loop_thread):
    """A cancellation that a library swallows does not let the turn run on."""

    async def story():
        server = LosingServer(HEADERS, asyncio.Event(), DONE)
        running = turn(server)
        handle = TurnHandle(running, loop_thread)
        handle.start(run_turn(running))
        await asyncio.wait_for(asyncio.wrap_future(loop_thread.start(server.reached.wait())), 5)
        handle.stop()
        await asyncio.to_thread(handle.settle, 5)
        return running.reply

    assert asyncio.run(story()).state == "stopped"


def test_a_stop_keeps_what_may_have_become_a_tag():
    """The first letters of an answer that might have begun a <think> tag are kept by a stop."""

    async def story():
        server = FakeServer(HEADERS, *words("<th"), asyncio.Event(), DONE)
        task = asyncio.create_task(run_turn(turn(server)))
        await server.reached.wait()
        task.cancel()
        return await task

    assert asyncio.run(story()).text == "<th"


def test_only_a_request_that_was_sent_can_leave_a_model_stuck():
    """A turn that is stopped while its model is looked up has left nothing on the server, nor has one that failed."""

    async def story():
        server = LosingServer()
        running = turn(server)
        task = asyncio.create_task(run_turn(running))
        await server.reached.wait()
        task.cancel()
        await task
        failing = FakeServer(ConnectionError("gone"))
        await run_turn(turn(failing))
        return server.left_models, failing.left_models

    assert asyncio.run(story()) == ([], [])


def test_an_answer_that_begins_is_not_called_stuck(monkeypatch):
    """Headers that come while the server is asked for its loaded models end the suspicion."""
    monkeypatch.setattr(turn_room, "STUCK_S", 0.0)

    async def story():
        asked, headers, rest = asyncio.Event(), asyncio.Event(), asyncio.Event()

        class Slow(FakeServer):
            async def stuck(self, model):
                asked.set()
                while running.reply.status.headers_at is None:  # noqa: ASYNC110
                    await asyncio.sleep(0)
                return True

        running = turn(Slow(headers, HEADERS, *words("Hello"), rest, DONE))
        task = asyncio.create_task(run_turn(running))
        await asked.wait()
        headers.set()
        while not running.view.frames or not running.view.frames[-1]:  # noqa: ASYNC110
            await asyncio.sleep(0)
        rest.set()
        await task
        return running.view.waiting

    assert not any(asyncio.run(story()))


def test_a_model_has_many_names():
    """A model that was left under one of its names is watched under all of them, until it answers."""

    class Client:
        address = show = None

        async def ps(self):
            return [type("Running", (), {"name": "demo:latest"})()]

    server = Server(Client())
    server.left("demo")
    assert asyncio.run(server.stuck("Demo:latest"))
    server.answered("demo:latest")
    assert not asyncio.run(server.stuck("demo"))


class Pressing(FakeView):
    """Presses ■ in the main thread when the given step of the turn has come."""

    def __init__(self, step):
        super().__init__()
        self.step = step
        self.waited_for = threading.Event()

    def begin(self, reply, stop):
        super().begin(reply, stop)
        if self.step == "begin":
            press()

    def finish(self, reply):
        if self.step == "finish" and self.waited_for.wait(30):  # elsewhere the test itself would be interrupted
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.05)
        super().finish(reply)


@pytest.fixture
def server():
    with ScriptedServer(pace=0) as running:
        yield running


@pytest.fixture
def session(server):
    session = Session(lambda: Settings(environ={"OLLAMA_HOST": server.url}))
    yield session
    session.close()


def test_an_interrupt_while_the_view_begins(session, server):
    """■ while the widgets are made is held back until the turn runs, which is then stopped like any other."""
    server.faults.append(Fault("silence_first"))
    view = Pressing("begin")
    with pytest.raises(KeyboardInterrupt):
        session.start_turn(Plan("Hello"), view)
    assert session.stop_all() == 1
    assert view.finished == ("stopped", "")


def test_an_interrupt_while_a_whole_answer_settles(session, monkeypatch):
    """■ while a complete answer is being settled keeps it, and still aborts the queued cells."""
    view = Pressing("finish")
    handle = session.start_turn(Plan("Hello"), view)
    wait = MainThread.wait
    monkeypatch.setattr(MainThread, "wait", lambda *args: (view.waited_for.set(), wait(*args)))
    with pytest.raises(TurnStopped, match="complete by then"):
        handle.wait()
    assert view.finished == ("complete", handle.reply.text)
    assert session.conversation().turns[0].state == "complete"


def test_stopping_many_takes_no_longer_than_stopping_one(session, server, monkeypatch):
    """However many turns are slow to settle, a stop of all of them waits once."""
    waits, clock = [], SimpleNamespace(monotonic=itertools.count().__next__)
    monkeypatch.setattr(session_room, "time", clock)
    monkeypatch.setattr(TurnHandle, "settle", lambda handle, seconds: waits.append(seconds))
    session.stop([TurnHandle(turn(FakeServer()), session.loop_thread) for _ in range(4)], 3)
    assert waits == [2, 1, 0, 0]


def test_interrupts_are_held_and_not_lost():
    """■ within the block is heard at its end, once, and the handler of before is back."""
    before, steps = signal.getsignal(signal.SIGINT), []

    def two_presses():
        with interrupts_held():
            press()
            press()
            steps.append("whole")
        steps.append("never")

    with pytest.raises(KeyboardInterrupt):
        two_presses()
    assert steps == ["whole"]
    assert signal.getsignal(signal.SIGINT) is before


def test_interrupts_are_none_of_another_threads_business():
    """In a thread that never hears ■ holding it back does nothing."""
    seen = []

    def work():
        with interrupts_held():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [signal.getsignal(signal.SIGINT)]


def test_an_interrupted_call_leaves_no_noise(loop_thread, capfd):
    """A call that is interrupted is cancelled, and an error that comes of it is nobody's traceback."""
    begun, ended = threading.Event(), threading.Event()

    async def call():
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise ValueError("too late") from None
        finally:
            ended.set()

    timer = threading.Thread(target=lambda: (begun.wait(30), os.kill(os.getpid(), signal.SIGINT)))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        loop_thread.run(call())
    timer.join()
    assert ended.wait(30)
    loop_thread.run(asyncio.sleep(0))
    assert capfd.readouterr().err == ""


def test_the_end_of_a_loop_waits_for_what_cancelled_work_closes():
    """A task that is cancelled with the loop may begin another one to close what it opened; that one ends, too."""
    loop_thread, closed, begun = LoopThread(), [], threading.Event()

    async def close():
        await asyncio.sleep(0.01)
        closed.append(True)

    async def work():
        begun.set()
        try:
            await asyncio.sleep(60)
        finally:
            work.closing = asyncio.ensure_future(close())

    loop_thread.start(work())
    assert begun.wait(30)
    loop_thread.close()
    assert closed == [True]
