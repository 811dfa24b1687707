"""`%ollama demo` in a notebook that has a conversation already: the next turn works, or the line says what to type."""

from __future__ import annotations

import pytest

import ollama_magic
from ollama_magic.line.loaded import loaded_magics
from tests.answers import chats
from tests.double import DemoModel
from tests.shells import run

GEMMA, DEMO = "gemma3:1b", "demo:latest"


@pytest.fixture
def server(demo_server):
    """A server that has one model, and not the demo's."""
    return demo_server(pace=0, models=(DemoModel(GEMMA),))


@pytest.fixture
def demo(shell):
    """Types `%ollama demo` and returns what it said; the demo server then speaks as fast as it can."""

    def demo(more=""):
        said, error = run(shell, f"%ollama demo {more}")
        assert error is None
        loaded_magics().session.owned_resources["demo"].state.recorded.pace = 0
        return said

    return demo


def test_a_conversation_goes_on_with_the_demo(shell, demo, tmp_path, monkeypatch):
    """A model that nobody set is replaced by the demo's; the command says so, and the first answer, and none after."""
    monkeypatch.chdir(tmp_path)
    run(shell, "%chat My name is Ada.")
    assert f"began with {GEMMA}; {DEMO} continues it" in demo()
    for question, noted in (("What is my name?", True), ("Hello there?", False)):
        assert run(shell, f"%chat {question}")[1] is None
        assert ollama_magic.last.model == DEMO
        assert any(GEMMA in note for note in ollama_magic.last.notes) is noted
    run(shell, "%ollama save talk.json")
    assert f"{DEMO} continues it" in demo("--replay talk.json")
    assert run(shell, "%chat Hello there?")[1] is None


def test_it_comes_back_to_its_own_model(shell, demo, server):
    """Back at its own server the conversation has the model that it began with."""
    run(shell, "%chat My name is Ada.")
    demo()
    run(shell, "%chat Hello there?")
    run(shell, f"%ollama host {server.url}")
    run(shell, "%chat What is my name?")
    assert chats(server)[-1].json["model"] == GEMMA
    assert ollama_magic.last.notes == ()


@pytest.mark.parametrize("setting", [f"%ollama model {GEMMA}", f"%config OllamaMagic.model = '{GEMMA}'"])
def test_a_model_that_is_set_stays(shell, demo, setting):
    """A model that is set is nobody's to change: the command says what to type, and that works."""
    run(shell, setting)
    assert f"It has no {GEMMA}, which is set: `%ollama model {DEMO}` sets one" in demo()
    assert GEMMA in str(run(shell, "%chat Hello there?")[1])
    run(shell, f"%ollama model {DEMO}")
    assert run(shell, "%chat Hello there?")[1] is None


def test_a_new_conversation_hears_of_no_model(shell, demo):
    """Where nothing was said yet, the command says what to try."""
    assert "Hello, how are you?" in demo()


def test_others_know_what_answers(shell, demo):
    """The doctor, `show`, and the functions for scripts take the model that answers, too."""
    run(shell, "%chat My name is Ada.")
    demo()
    assert f"{DEMO} (the default)" in shell.run_line_magic("ollama", "\0=status --check")
    assert run(shell, "%ollama show")[0].startswith(DEMO)
    assert ollama_magic.chat("Hello there?").model == DEMO


def test_the_prompt_that_was_sent_last(shell, server):
    """`%ollama prompt` shows what was sent last, `--once` too, though a turn after it failed before it was sent."""
    assert "Nothing was sent from this kernel yet" in str(run(shell, "%ollama prompt")[1])
    run(shell, "%chat My name is Ada.")
    run(shell, "%chat -m nosuch Hello there?")
    assert "My name is Ada." in run(shell, "%ollama prompt")[0]
    run(shell, "%chat --once A secret.")
    run(shell, "%chat -m nosuch Hello there?")
    assert "A secret." in run(shell, "%ollama prompt")[0]
    run(shell, "%ollama clear --erase")
    assert "Ada" not in str(run(shell, "%ollama prompt"))
