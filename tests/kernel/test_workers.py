"""Questions from worker threads and forked processes, in a real kernel in which a magic has run."""

from __future__ import annotations

import pytest

from tests.answers import chats

POOL = """
import multiprocessing
def ask(text):
    from ollama_magic import chat
    return chat(text).text
with multiprocessing.get_context("fork").Pool(2) as pool:
    print(pool.map_async(ask, ["a", "b"]).get(20))
"""
THREADS = """
from concurrent.futures import ThreadPoolExecutor
from ollama_magic import chat
with ThreadPoolExecutor(4) as executor:
    list(executor.map(chat, "abc"))
"""


def test_forked_workers_answer_once_a_magic_has_run(demo_server, kernel):
    """A process pool of a notebook asks after `%chat` as before it."""
    shell = kernel(demo_server(pace=0, answers=lambda _: ["fine"]))
    assert shell.run("%chat hi").status == "ok"
    cell = shell.run(POOL, "b")
    assert (cell.status, cell.printed) == ("ok", "['fine', 'fine']\n")


@pytest.mark.parametrize("first", ["%chat hi", "pass"])
def test_one_stop_ends_a_thread_pool(demo_server, kernel, first):
    """■ ends a cell whose worker threads wait for answers, and the server sees them leave."""
    server = demo_server(
        pace=2, answers=lambda body: ["word "] * 300 if body["messages"][-1]["content"] in "abc" else ["fine"]
    )
    shell = kernel(server)
    assert shell.run(first).status == "ok"
    asked = shell.start(THREADS, "b")
    shell.wait_until(lambda: sum(one.json["messages"][-1]["content"] in "abc" for one in chats(server)) == 3)
    shell.interrupt()
    assert shell.wait(asked).reply["ename"] == "KeyboardInterrupt"
    shell.wait_until(lambda: sum(one.closed_early for one in chats(server)) == 3)
    assert shell.run("%chat hi", "c").status == "ok"


def test_one_stop_ends_a_thread_pool_of_fast_answers(demo_server, kernel):
    """■ ends worker threads also while their answers come so fast that they wait for nothing for long."""
    begun = []

    def answer(body):
        for number in range(500):
            if number == 20:
                begun.append(body)
            yield "word "

    server = demo_server(pace=50, answers=answer)
    shell = kernel(server)
    asked = shell.start(THREADS, "b")
    shell.wait_until(lambda: len(begun) == 3)
    shell.interrupt()
    assert shell.wait(asked).reply["ename"] == "KeyboardInterrupt"
    shell.wait_until(lambda: sum(one.closed_early for one in chats(server)) == 3)
