"""Functions in worker threads, which one ■ ends, and in forked processes, which ask with a loop of their own."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import threading
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

import ollama_magic
from ollama_magic.conversation.journal import Journal
from ollama_magic.errors import TurnStopped
from ollama_magic.loop_thread import LoopThread
from tests.answers import chats

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.double import ScriptedServer

pytestmark = pytest.mark.skipif(os.name == "nt", reason="needs fork, and a SIGINT to one thread")
PATIENCE_S = 20
CHILD_S = 15


def until(found: Callable[[], bool]) -> bool:
    """Whether something becomes true within our patience."""
    end = time.monotonic() + PATIENCE_S
    while not found() and time.monotonic() < end:
        time.sleep(0.01)
    return found()


def interrupted() -> None:
    """What a ■ raises, by itself."""
    raise KeyboardInterrupt


@pytest.fixture
def press_when(start) -> Iterator[Callable[[ScriptedServer, int], None]]:
    """■, as the kernel gets it, once the server was asked so many times."""
    pressing: list[threading.Thread] = []

    def when(server: ScriptedServer, count: int) -> None:
        def press() -> None:
            if until(lambda: len(chats(server)) >= count):
                signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

        pressing.append(threading.Thread(target=press, daemon=True))
        pressing[-1].start()

    yield when
    for thread in pressing:
        thread.join(PATIENCE_S)


SLOW = {"silent": {"load_seconds": 60, "pace": 2}, "talking": {"pace": 2, "answers": lambda _: ["word "] * 500}}


@pytest.mark.parametrize("options", SLOW.values(), ids=SLOW.keys())
def test_one_stop_ends_a_pool_of_questions(start, press_when, options) -> None:
    """■ while an executor's workers wait ends all of them: the block is left, and the server sees each client leave."""
    server = start(**options)
    press_when(server, 3)
    with pytest.raises(KeyboardInterrupt), ThreadPoolExecutor(4) as executor:
        list(executor.map(ollama_magic.chat, "abc"))
    assert until(lambda: sum(one.closed_early for one in chats(server)) == 3)


def test_what_is_queued_behind_a_stopped_question_is_not_asked(start, press_when) -> None:
    """The questions that wait for a worker end with those that the ■ has stopped; each future says so."""
    server = start(**SLOW["silent"])
    press_when(server, 2)
    with pytest.raises(KeyboardInterrupt), ThreadPoolExecutor(2) as executor:  # noqa: PT012 - the block is the promise
        futures = [executor.submit(ollama_magic.chat, f"question {number}") for number in range(40)]
        futures[0].result()
    assert all(isinstance(future.exception(), KeyboardInterrupt) for future in futures)
    assert isinstance(futures[0].exception(), TurnStopped)
    assert len(chats(server)) == 2


def test_threads_that_a_finally_joins_end(start, press_when) -> None:
    """Not only executors: whoever waits for its threads after a ■ gets them back."""
    server, ended = start(**SLOW["silent"]), []

    def ask() -> None:
        try:
            ollama_magic.chat("Hi")
        except TurnStopped:
            ended.append(True)

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    press_when(server, 2)
    with pytest.raises(KeyboardInterrupt):  # noqa: PT012 - the block is the promise
        try:
            threading.Event().wait(PATIENCE_S)
        finally:
            for thread in threads:
                thread.join(PATIENCE_S)
    assert ended == [True, True]


def test_work_that_the_handler_of_a_stop_begins_is_done(start) -> None:
    """Whoever catches ■ and then asks in threads gets answers: only a later interrupt is a reason to stop."""
    start(pace=20, answers=lambda _: ["one ", "two ", "three ", "four"])
    try:
        interrupted()
    except KeyboardInterrupt:
        with ThreadPoolExecutor(2) as executor:
            found = list(executor.map(lambda text: ollama_magic.chat(text).text, "ab"))
    assert found == ["one two three four"] * 2


def test_threads_go_on_while_the_main_thread_works(start) -> None:
    """A ■ that the main thread handles without waiting for its threads ends none of them."""
    start(pace=20, answers=lambda _: ["one ", "two ", "three ", "four"])
    with ThreadPoolExecutor(1) as executor:
        future = executor.submit(ollama_magic.chat, "Hi")
        try:
            interrupted()
        except KeyboardInterrupt:
            while not future.done():
                sum(range(1000))
    assert future.result().text == "one two three four"


def _ask(text: str) -> str:
    return ollama_magic.chat(text).text


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_forked_processes_ask_by_themselves(start) -> None:
    """After a call in the parent, the children of a fork and of a process pool answer, and the parent goes on."""
    start(answers=lambda _: ["fine"])
    assert _ask("first") == "fine"
    fork = multiprocessing.get_context("fork")
    with fork.Pool(2) as pool:
        assert pool.map_async(_ask, ["a", "b"]).get(CHILD_S) == ["fine", "fine"]
    with ProcessPoolExecutor(2, mp_context=fork) as executor:
        assert [future.result(CHILD_S) for future in [executor.submit(_ask, text) for text in "cd"]] == ["fine"] * 2
    assert _ask("last") == "fine"


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_fork_finds_no_lock_that_another_thread_held(start) -> None:
    """A fork while other threads ask leaves nothing locked in the child, and the parent's answers are whole."""
    start(pace=100, answers=lambda _: ["word "] * 40)
    fork = multiprocessing.get_context("fork")
    with ThreadPoolExecutor(2) as executor:
        asked = [executor.submit(_ask, text) for text in "ab"]
        with fork.Pool(2) as pool:
            assert pool.map_async(_ask, "cd").get(CHILD_S) == ["word " * 40] * 2
        assert [future.result(CHILD_S) for future in asked] == ["word " * 40] * 2


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_every_loop_thread_begins_anew_in_a_child() -> None:
    """A loop that ran before the fork runs anew in the child, whoever owns it; the parent's goes on."""
    loop_thread = LoopThread()

    async def pid() -> int:
        return os.getpid()

    assert loop_thread.run(pid()) == os.getpid()
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        signal.alarm(CHILD_S)
        os.write(write, str(loop_thread.run(pid())).encode())
        os._exit(0)
    os.waitpid(child, 0)
    os.close(write)
    with os.fdopen(read) as found:
        assert found.read() == str(child)
    assert loop_thread.run(pid()) == os.getpid()
    loop_thread.close()


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_fork_waits_for_a_step_of_a_loop() -> None:
    """A child finds no lock that a step of a loop held, such as that of an import; the parent's loop goes on."""
    loop_thread, lock = LoopThread(), threading.Lock()

    async def hold() -> None:
        while True:
            with lock:
                time.sleep(0.02)  # noqa: ASYNC251 (a step that takes long)
            await asyncio.sleep(0)

    async def pid() -> int:
        return os.getpid()

    holding = loop_thread.start(hold())
    for _ in range(5):
        time.sleep(0.005)
        child = os.fork()
        if child == 0:
            os._exit(0 if lock.acquire(timeout=1) else 1)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 0
        assert loop_thread.run(pid()) == os.getpid()
    holding.cancel()
    loop_thread.close()


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_child_reads_a_journal_that_was_locked() -> None:
    """A fork while another thread holds a journal leaves the child one that can be read."""
    journal, held, done = Journal(), threading.Event(), threading.Event()

    def hold() -> None:
        with journal.transaction():
            held.set()
            done.wait(PATIENCE_S)

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait(PATIENCE_S)
    child = os.fork()
    if child == 0:
        signal.alarm(CHILD_S)
        with journal.transaction():
            os._exit(0)
    _, status = os.waitpid(child, 0)
    done.set()
    holder.join()
    assert os.waitstatus_to_exitcode(status) == 0
