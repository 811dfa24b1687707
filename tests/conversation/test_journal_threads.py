"""The journal from many threads at once: every number once, every read whole, the store told in order."""

import random
import sys
import threading
from contextlib import suppress

from ollama_magic.conversation.conversation import Conversation
from ollama_magic.conversation.fold import Fold
from ollama_magic.conversation.journal import Journal
from ollama_magic.errors import InputError
from ollama_magic.turns.turn_value import MAIN, Outcome, Turn

THREADS, ROUNDS = 6, 25


def work(journal, name, seed, failures, begun):
    """Turns, settings, undo and looks at the history, in an order of chance."""
    chance, conversation = random.Random(seed), Conversation(MAIN if seed % 2 else name, journal)
    try:
        for place in range(ROUNDS):
            turn = journal.begin(Turn(f"{seed} {place}", conversation=conversation.name), journal.new_step())
            begun.append(turn.number)
            journal.grow(turn, "half ", "")
            assert journal.turn(turn.number).prompt == f"{seed} {place}"
            conversation.end(turn, Turn("", "half ", outcome=Outcome("complete")))
            match chance.randrange(6):
                case 0:
                    undo(journal)
                case 1:
                    journal.redo()
                case 2:
                    conversation.set_setting("model", f"m{place}")
                case 3:
                    conversation.set_aside(conversation.turns[:1], "forgotten")
            numbers = [one.number for one in conversation.turns]
            assert len(numbers) == len(set(numbers))
    except Exception as error:  # noqa: BLE001
        failures.append(error)


def undo(journal):
    """Undo, unless the newest step is a turn of another thread that is still running."""
    with suppress(InputError):
        journal.undo()


def test_many_threads_share_one_journal():
    """Numbers and counters are given once, entries reach the store in their order, and the fold is that of all."""
    written, failures, begun = [], [], []
    journal = Journal(written.append)
    threads = [
        threading.Thread(target=work, args=(journal, f"c{seed}", seed, failures, begun)) for seed in range(THREADS)
    ]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert not failures
    assert sorted(begun) == list(range(1, THREADS * ROUNDS + 1))
    assert [entry.counter for entry in written] == list(range(1, len(written) + 1))
    assert written == journal.entries
    for name in [MAIN, *(f"c{seed}" for seed in range(THREADS))]:
        assert Fold(written).standing(name) == journal.turns(name)


def test_a_transaction_is_one_step_for_others():
    """While a thread reads and changes within a transaction, no other comes between."""
    journal, seen = Journal(), []
    inside, done = threading.Event(), threading.Event()

    def other():
        inside.wait()
        journal.set_setting(MAIN, "model", "other")
        done.set()

    thread = threading.Thread(target=other)
    thread.start()
    journal.listeners.append(lambda: seen.append(journal.setting(MAIN, "model")))
    with journal.transaction():
        journal.set_setting(MAIN, "model", "one")
        inside.set()
        assert not done.wait(0.1)
        journal.set_setting(MAIN, "model", "two")
        assert journal.setting(MAIN, "model") == "two"
        assert not seen
    thread.join()
    assert journal.setting(MAIN, "model") == "other"
    assert "one" not in seen
