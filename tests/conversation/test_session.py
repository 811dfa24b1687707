"""The session with a real socket below it: hosts, stops, and what ends when it ends."""

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from ollama_magic.conversation.conversation import Conversation
from ollama_magic.conversation.request import Plan
from ollama_magic.conversation.session import Session
from ollama_magic.conversation.settings import Settings
from ollama_magic.errors import AnswerCut, ServerError, ServerUnreachable, TurnStopped
from tests.double import Fault, ScriptedServer

from .fakes import FakeView


@pytest.fixture
def server():
    with ScriptedServer(pace=0) as running:
        yield running


@pytest.fixture
def session(server):
    session = Session(lambda: Settings(environ={"OLLAMA_HOST": server.url}))
    yield session
    session.close()


def ask(session, prompt="Hello", view=None, **plan):
    return session.start_turn(Plan(prompt, **plan), view or FakeView())


def wait_until(holds):
    end = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < end, "it did not happen in 10 s"
        time.sleep(0.005)


def test_a_turn_is_waited_for(session):
    """Waiting gives the complete reply, which is the newest one, and the conversation has it."""
    reply = ask(session).wait()
    assert (reply.state, session.last) == ("complete", reply)
    assert session.conversation().turns[0].text == reply.text
    assert session.running() == []


def test_a_background_turn_goes_on_by_itself(session, server):
    """A turn that nobody waits for ends and is remembered all the same."""
    handle = ask(session)
    wait_until(lambda: handle.reply.state == "complete")
    wait_until(lambda: session.running() == [])
    assert len(session.conversation().turns) == 1


PHASES = [
    ("silence_first", lambda reply: True),
    ("silence", lambda reply: bool(reply.text_parts)),
    ("endless", lambda reply: reply.status.chunks > 50),
]


@pytest.mark.parametrize(("phase", "reached"), PHASES)
def test_a_stop_is_heard_in_every_phase(session, server, phase, reached):
    """A stop ends a turn that waits for headers, one that fell silent and one that streams; the server sees it go."""
    server.faults.append(Fault(phase, seconds=30))
    handle = ask(session)
    wait_until(lambda: server.requests and server.requests[-1].path == "/api/chat" and reached(handle.reply))
    handle.stop()
    with pytest.raises(TurnStopped):
        handle.wait()
    wait_until(lambda: server.requests[-1].closed_early)
    assert handle.reply.state == "stopped"
    assert bool(session.conversation().turns) == bool(handle.reply.text_parts)
    assert ask(session).wait().state == "complete"


def test_stopping_before_the_start_is_a_stop_too(session, server):
    """A stop that comes before the turn's first step ends it, and it settles."""
    server.faults.append(Fault("silence_first", seconds=30))
    view = FakeView()
    gate = threading.Event()
    session.loop_thread.start(_block(gate))
    handle = ask(session, view=view)
    handle.stop()
    gate.set()
    with pytest.raises(TurnStopped):
        handle.wait()
    assert view.finished == ("stopped", "")


async def _block(gate):
    gate.wait(10)


def test_stop_all_stops_every_turn(session, server):
    """`%ollama stop` ends all running turns, waiting ones too, and says how many."""
    server.faults.append(Fault("endless"))
    handles = [ask(session), ask(session)]
    wait_until(lambda: handles[0].reply.status.chunks)
    assert session.stop_all() == 2
    assert [handle.reply.state for handle in handles] == ["stopped", "stopped"]


@pytest.mark.parametrize(
    ("fault", "state", "error"),
    [
        ("error_first", "failed", ServerError),
        ("error_line", "failed", ServerError),
        ("no_done", "cut", AnswerCut),
        ("drop", "cut", AnswerCut),
        ("half_line", "cut", AnswerCut),
    ],
)
def test_faults_are_one_line(session, server, fault, state, error):
    """Every fault of a server ends in the right state with one readable line."""
    server.faults.append(Fault(fault))
    handle = ask(session)
    with pytest.raises(error) as caught:
        handle.wait()
    assert handle.reply.state == state
    assert "\n" not in str(caught.value)
    assert bool(session.conversation().turns) == bool(handle.reply.text_parts)


def test_nobody_there_is_one_line():
    """A session without a server says so, and ends cleanly."""
    session = Session(lambda: Settings(host="http://127.0.0.1:9"))
    with pytest.raises(ServerUnreachable, match="No Ollama server"):
        ask(session).wait()
    session.close()


def test_hosts_from_strongest_to_weakest(server):
    """What `%ollama host` told beats the setting, which beats OLLAMA_HOST; a changed variable counts at once."""
    environ = {"OLLAMA_HOST": "env:1"}
    settings = Settings(environ=environ)
    session = Session(lambda: settings)
    assert session.address().host == "env"
    environ["OLLAMA_HOST"] = "changed:1"
    assert session.address().host == "changed"
    settings = Settings(host="trait:1", environ=environ)
    assert session.address().host == "trait"
    session.host = "told:1"
    assert session.address().host == "told"
    session.close()


def test_closing_stops_what_runs(session, server):
    """At the end of the session running turns are stopped and settled."""
    server.faults.append(Fault("endless"))
    view = FakeView()
    handle = ask(session, view=view)
    wait_until(lambda: handle.reply.status.chunks)
    session.close()
    assert view.finished[0] == "stopped"


def test_threads_that_begin_a_conversation_at_once_share_it(session, monkeypatch):
    """Threads that are the first to name a conversation get one, so that their turns wait for each other."""
    both = threading.Barrier(2, timeout=10)

    def slowly(name, journal):
        both.wait()
        return Conversation(name, journal)

    monkeypatch.setattr("ollama_magic.conversation.session.Conversation", slowly)
    with ThreadPoolExecutor(2) as threads:
        first, second = threads.map(session.conversation, ["drafts", "drafts"])
    assert first is second


def test_a_query_that_waits_ends_with_the_session(session):
    """A thread that waits for the server when the session is closed, as by `%reload_ext`, gets one line of ours."""
    begun = threading.Event()

    async def query():
        begun.set()
        await asyncio.sleep(60)

    with ThreadPoolExecutor(1) as threads:
        asked = threads.submit(lambda: session.call(query()))
        assert begun.wait(10)
        session.close()
        assert "was unloaded meanwhile" in str(asked.exception(10))
