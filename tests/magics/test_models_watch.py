"""How a download is followed: its end, ■, Stop, a server that does as it likes; the tests write its lines."""

from __future__ import annotations

import _thread
import asyncio
import signal
import threading

import pytest

from ollama_magic.commands.watch import Watch
from ollama_magic.conversation.reply import COMPLETE, CUT, FAILED, RUNNING, STOPPED
from ollama_magic.display.transfer import Transfer
from ollama_magic.errors import AnswerCut, OllamaMagicError, ServerError, TurnStopped
from ollama_magic.loop_thread import LoopThread
from ollama_magic.ollama.protocol import Progress

AGAIN = "`%ollama pull x` resumes it"


class View:
    """Counts what it is asked to show."""

    def __init__(self) -> None:
        self.shown = 0
        self.last = ""
        self.stop = lambda: None
        self.finished = threading.Event()

    def begin(self, transfer, stop):
        self.stop = stop
        assert transfer.state == RUNNING

    def show(self, transfer):
        del transfer
        self.shown += 1
        return 0.1

    def finish(self, transfer):
        self.last = transfer.state
        self.finished.set()


@pytest.fixture
def loop_thread():
    thread = LoopThread()
    yield thread
    thread.close()


@pytest.fixture
def watch(loop_thread):
    """A watch with a view, and the view."""
    view = View()
    return Watch(Transfer("x"), view, loop_thread, AGAIN), view


async def told(*lines):
    for line in lines:
        yield line


def layer(completed):
    return Progress("pulling 1", "sha256:1", 100, completed)


def test_success_is_the_only_good_end(watch):
    """With `success` it is done, and the view is settled once."""
    followed, view = watch
    followed.run(told(layer(50), Progress("success"), Progress(error="too late")))
    assert (followed.transfer.state, view.last, followed.transfer.completed) == (COMPLETE, COMPLETE, 100)


ENDS = [
    ((layer(100), Progress("writing manifest")), AnswerCut, "broke off without an error", CUT),
    ((), AnswerCut, "broke off without an error", CUT),
    ((layer(50), Progress(cut="the connection was reset")), AnswerCut, "the connection was reset; `%ollama", CUT),
    ((layer(50), Progress(error="no space left; make room.")), ServerError, "make room; then `%ollama pull x`", FAILED),
    ((Progress(error="file does not exist"),), ServerError, "file does not exist.", FAILED),
    ((Progress("success", error="but no"),), ServerError, "but no", FAILED),
]


@pytest.mark.parametrize(("lines", "kind", "words", "state"), ENDS)
def test_every_other_end_is_told(watch, lines, kind, words, state):
    """A stream that ends otherwise is an error of one line, that says what to do."""
    followed, view = watch
    with pytest.raises(kind, match=words.replace("%", ".").replace("`", ".")):
        followed.run(told(*lines))
    assert (followed.transfer.state, view.last) == (state, state)


async def refused():
    raise ServerError("no")
    yield


async def broken():
    yield layer(1)
    raise ZeroDivisionError


@pytest.mark.parametrize(("lines", "words"), [(refused, "^no$"), (broken, "itself failed .ZeroDivisionError")])
def test_what_is_raised_is_told(watch, lines, words):
    """A refusal is passed on as it is, and a fault of ours says that it is one."""
    followed, view = watch
    with pytest.raises(OllamaMagicError, match=words):
        followed.run(lines())
    assert view.last == FAILED


async def endless(began, closed):
    try:
        while True:
            yield layer(30)
            began()
            await asyncio.sleep(3600)
    finally:
        closed.set()


def test_interrupt(watch):
    """■ hangs up, settles the view, and says what is kept."""
    followed, view = watch
    closed = threading.Event()
    with pytest.raises(TurnStopped, match=r"^Stopped; .* resumes it"):
        followed.run(endless(_thread.interrupt_main, closed))
    assert (view.last, followed.transfer.state, followed.transfer.completed) == (STOPPED, STOPPED, 30)
    assert closed.is_set()


def test_interrupt_while_the_view_begins(watch, monkeypatch):
    """■ while the widgets are made stops it like any other: nothing goes on downloading that nobody watches."""
    followed, view = watch
    monkeypatch.setattr(view, "begin", lambda *_: signal.raise_signal(signal.SIGINT))
    with pytest.raises(TurnStopped, match=r"^Stopped; .* resumes it"):
        followed.run(endless(lambda: None, threading.Event()))
    assert (view.last, followed.transfer.state) == (STOPPED, STOPPED)


def test_stop_button(watch):
    """The button does the same from any thread, as often as it is pressed."""
    followed, view = watch
    closed = threading.Event()
    with pytest.raises(TurnStopped, match="resumes it"):
        followed.run(endless(lambda: [view.stop() for _ in range(3)], closed))
    assert view.last == STOPPED
    assert closed.is_set()


def test_stop_before_the_first_line(watch):
    """A stop that comes before anything began asks the server for nothing."""
    followed, view = watch
    began = threading.Event()
    followed.stop()
    with pytest.raises(TurnStopped):
        followed.run(endless(began.set, threading.Event()))
    assert not began.is_set()
    assert view.last == STOPPED


def test_a_hundred_thousand_lines(watch):
    """A server that tells of every byte is painted a few times, not a hundred thousand."""
    followed, view = watch

    async def chatty():
        for number in range(100_000):
            yield Progress("pulling 1", "sha256:1", 100_000, number)
        yield Progress("success")

    followed.run(chatty())
    assert followed.transfer.state == COMPLETE
    assert view.shown < 1000
