"""What a turn costs in a long conversation, against a short one, and what a long one costs when it is loaded."""

import asyncio
import json
import subprocess
import sys
import time
from statistics import median

import httpx
import pytest

from ollama_magic.conversation.change_json import from_json, kind_of, to_json
from ollama_magic.conversation.changes import Entry
from ollama_magic.conversation.fold import Fold
from ollama_magic.conversation.request import Plan
from ollama_magic.conversation.session import Session
from ollama_magic.conversation.settings import Settings
from ollama_magic.ollama.protocol import ChatRequest
from ollama_magic.ollama.request_bodies import chat_bytes
from ollama_magic.turns.turn_messages import messages_of
from tests.conversation.fakes import FakeView
from tests.turns import a_turn, changes_of

ROUNDS = 40
PROMPT = "Solve a quadratic equation"


@pytest.fixture
def url():
    """The address of a demo server in a process of its own."""
    command = [sys.executable, "-m", "ollama_magic.cli", "demo", "--server-only", "--pace", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        yield next(word.rstrip(".,:") for word in server.stdout.readline().split() if word.startswith("http://"))
        server.terminate()


def cpu_of(work):
    """The CPU time of some work in milliseconds."""
    began = time.process_time()
    work()
    return (time.process_time() - began) * 1000


def best(work):
    """The least CPU time of some rounds, in milliseconds."""
    return min(cpu_of(work) for _ in range(ROUNDS))


def body_of(turns):
    """The body of the request that is sent after these turns."""
    return bytearray(chat_bytes(ChatRequest("demo", messages_of(turns, "", PROMPT))))


class Posts:
    """Requests by httpx alone, over one connection as the extension has it."""

    def __init__(self, url):
        self.loop, self.url = asyncio.new_event_loop(), f"{url}/api/chat"
        self.client = httpx.AsyncClient(trust_env=False)

    def post(self, body):
        """Send a body that is known; it is copied once, as by any client that keeps the conversation."""
        response = self.loop.run_until_complete(self.client.post(self.url, content=bytes(body)))
        assert response.status_code == 200

    def close(self):
        self.loop.run_until_complete(self.client.aclose())
        self.loop.close()


def entries(turns):
    changes = [
        change
        for number in range(1, turns + 1)
        for change in changes_of(a_turn("prompt", "word " * 100, model="demo", number=number))
    ]
    return [Entry(counter, counter, "main", change) for counter, change in enumerate(changes, 1)]


def test_a_turn_costs_the_same_in_a_long_conversation(url, figures):
    """A turn behind 1,000 turns costs at most 1.05 × one behind 10, the sending of its larger request aside."""
    sessions = {turns: Session(lambda: Settings(host=url)) for turns in (10, 1000)}
    bodies, posts = {}, Posts(url)
    for turns, session in sessions.items():
        session.journal.adopt(entries(turns))
        bodies[turns] = body_of(session.conversation().turns)
    whole, sent = ({turns: [] for turns in sessions} for _ in range(2))
    for _ in range(ROUNDS):  # in turn, so that all have the same of a machine whose pace changes
        for turns, session in sessions.items():
            whole[turns].append(cpu_of(lambda: session.start_turn(Plan(PROMPT), FakeView()).wait()))  # noqa: B023
            sent[turns].append(cpu_of(lambda: posts.post(bodies[turns])))  # noqa: B023
    for turns, session in sessions.items():
        print(
            f"\n{turns:>5} turns: {median(whole[turns]):.2f} ms CPU a turn, {median(sent[turns]):.2f} ms by httpx alone"
        )
        session.close()
    posts.close()
    more = [
        long - short - (sent_long - sent_short)
        for long, short, sent_long, sent_short in zip(whole[1000], whole[10], sent[1000], sent[10], strict=True)
    ]
    ratio = 1 + median(more) / median(whole[10])
    figures.note("a turn behind 1,000 turns : behind 10, without the sending", ratio, 1.05, "×")


def test_a_long_conversation_is_loaded_quickly(figures):
    """A journal of 1,000 turns is read and folded in a moment."""
    rows = [(entry, kind_of(entry.change), to_json(entry.change)) for entry in entries(1000)]
    read = best(lambda: Fold(Entry(e.counter, e.step, e.conversation, from_json(kind, body)) for e, kind, body in rows))
    plain = best(lambda: [json.loads(body) for _, _, body in rows])
    print(f"\n{len(rows)} changes: {read / plain:.1f} × their JSON alone")
    figures.note("a journal of 1,000 turns: read and folded, over parsing its JSON", read / plain, 6, "×")
