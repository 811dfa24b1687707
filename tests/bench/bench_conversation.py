"""What a turn costs in a long conversation, against a short one, and what a long one costs when it is loaded."""

import json
import subprocess
import sys
import time

import httpx
import pytest

from ollama_magic.conversation.change_json import from_json, kind_of, to_json
from ollama_magic.conversation.changes import Entry
from ollama_magic.conversation.fold import Fold
from ollama_magic.conversation.request import Plan, messages_of
from ollama_magic.conversation.session import Session
from ollama_magic.conversation.settings import Settings
from ollama_magic.ollama.protocol import ChatRequest
from ollama_magic.ollama.request_bodies import chat_bytes
from tests.conversation.fakes import FakeView
from tests.turns import a_turn, changes_of

ROUNDS = 15
PROMPT = "Solve a quadratic equation"


@pytest.fixture
def session():
    """A session that talks to a demo server in a process of its own."""
    command = [sys.executable, "-m", "ollama_magic.cli", "demo", "--server-only", "--pace", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        words = " ".join(server.stdout.readline() for _ in range(1)).split()
        url = next(word.rstrip(".,:") for word in words if word.startswith("http://"))
        session = Session(lambda: Settings(host=url))
        yield session
        session.close()
        server.terminate()


def best(work):
    """The least CPU time of some rounds, in milliseconds."""
    times = []
    for _ in range(ROUNDS):
        began = time.process_time()
        work()
        times.append(time.process_time() - began)
    return min(times) * 1000


def body_of(above):
    return chat_bytes(ChatRequest("demo", messages_of(above, PROMPT, "")))


def post(url, body):
    """The same request by httpx alone."""
    with httpx.Client(trust_env=False) as client:
        assert client.post(f"{url}/api/chat", content=body).status_code == 200


def entries(turns):
    changes = [
        change
        for number in range(1, turns + 1)
        for change in changes_of(a_turn("prompt", "word " * 100, model="demo", number=number))
    ]
    return [Entry(counter, counter, "main", change) for counter, change in enumerate(changes, 1)]


def test_a_turn_costs_the_same_in_a_long_conversation(session, figures):
    """A turn behind 1,000 turns costs at most 1.05 × one behind 10, the request body and its sending aside."""
    costs, sent = {}, {}
    for turns in (10, 1000):
        session.journal.adopt(entries(turns))
        whole = best(lambda: session.start_turn(Plan(PROMPT), FakeView()).wait())
        above = list(session.conversation().turns)
        body = best(lambda above=above: body_of(above))
        sent[turns] = best(lambda above=above: post(session.address().url, body_of(above)))
        sending = sent[turns] - body - sent[10]
        costs[turns] = whole - body - max(sending, 0)
        print(
            f"\n{turns:>5} turns: {whole:.2f} ms CPU a turn, {body:.2f} ms for the body, {sending:.2f} for sending it"
        )
    figures.note("a turn behind 1,000 turns : behind 10, without the body", costs[1000] / costs[10], 1.05, "×")


def test_a_long_conversation_is_loaded_quickly(figures):
    """A journal of 1,000 turns is read and folded in a moment."""
    rows = [(entry, kind_of(entry.change), to_json(entry.change)) for entry in entries(1000)]
    read = best(lambda: Fold(Entry(e.counter, e.step, e.conversation, from_json(kind, body)) for e, kind, body in rows))
    plain = best(lambda: [json.loads(body) for _, _, body in rows])
    print(f"\n{len(rows)} changes: {read / plain:.1f} × their JSON alone")
    figures.note("a journal of 1,000 turns: read and folded, over parsing its JSON", read / plain, 6, "×")
