"""A real server's models through the commands, and what is asked of it without a conversation."""

import json
import subprocess
import sys

import pytest

import ollama_magic
from tests.real.test_real import run


def value(shell, command):
    """What a command gives when it is assigned."""
    shell.run_cell(f"found = %ollama {command}").raise_error()
    return shell.user_ns["found"]


@pytest.fixture
def copies(shell):
    """Names for models of the test's own, which are removed at its end."""
    names = ["ollama-magic-test-copy", "ollama-magic-test-made"]
    yield names
    for name in names:
        shell.run_cell(f"%ollama rm {name} --yes")


def test_models_come_and_go(shell, copies):
    """A model is copied, one is made from it with a system text, both are listed, shown and removed."""
    copy, made = copies
    run(shell, f"%ollama cp tiny {copy}")
    run(shell, f"%ollama create {made} --from {copy} --system 'Be brief.' -o temperature=0.5")
    assert {model.name for model in value(shell, "list ollama-magic-test")} == {f"{copy}:latest", f"{made}:latest"}
    facts = value(shell, f"show {made}")
    assert facts.system == "Be brief."
    assert "temperature" in facts.parameters
    run(shell, f"%ollama rm {copy} {made} --yes")
    assert value(shell, "list ollama-magic-test") == []


def test_a_model_is_loaded_and_unloaded(shell):
    """`%ollama ps` shows a model that was loaded, with its window, and no longer when it was stopped."""
    run(shell, "%ollama load tiny")
    (loaded,) = [model for model in value(shell, "ps") if model.name == "tiny:latest"]
    assert loaded.context_length
    run(shell, "%ollama stop tiny")
    assert not [model for model in value(shell, "ps") if model.name == "tiny:latest"]


def test_a_missing_model_cannot_be_pulled(shell):
    """A pull that cannot be is one line, and never done."""
    shown, error = run(shell, "%ollama pull ollama-magic-no-such-model")
    assert type(error).__name__ in {"ModelNotFound", "ServerError"}
    assert "success" not in shown
    assert "\n" not in str(error)


def test_a_single_turn(shell):
    """%%generate answers, and the next turn of the conversation knows nothing of it."""
    run(shell, "%%generate -m tiny\nMy favourite colour is teal. Remember it.")
    assert ollama_magic.last.state == "complete"
    run(shell, "%%chat -m tiny\nWhat is my favourite colour?")
    assert "teal" not in ollama_magic.last.text


def test_an_exported_turn_answers_the_same(shell):
    """The exported Python gets the answer that the notebook got."""
    run(shell, "%%chat -m tiny\nwhat is the capital city of peru.")
    program = value(shell, "export python")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == ollama_magic.last.text.strip()


def test_json_is_json(shell):
    """What a real grammar lets through under -f json can be read, unless the answer was cut."""
    run(shell, "%%chat -m tiny -f json -o num_predict=200\nGive JSON.")
    if ollama_magic.last.done_reason == "stop":
        assert ollama_magic.last.json() == json.loads(ollama_magic.last.text)
    else:
        assert "num_predict" in " ".join(ollama_magic.last.notes)
