"""Whole turns against a server whose window is small: what is told before and under an answer, and by the status."""

import pytest
from traitlets import TraitError

import ollama_magic
from ollama_magic.line.loaded import loaded_magics
from ollama_magic.ollama.protocol import ChatRequest
from tests.double import DemoModel, Fault, ScriptedServer
from tests.shells import run

SMALL = DemoModel("small", context_length=1024, parameters=(("temperature", 0.3), ("stop", "<|end|>")), system="I am.")
LONG = "Tell me of the sea, please, and of all its many islands. "


@pytest.fixture
def server():
    with ScriptedServer(pace=0, models=(SMALL,)) as running:
        yield running


def test_dropped_turns_are_told_under_the_answer(shell):
    """When the server drops the oldest turns without a word, the answer says so, with what helps."""
    run(shell, f"%%chat -o num_ctx=128\n{LONG * 6}")
    text, error = run(shell, f"%%chat -o num_ctx=128\n{LONG * 4}")
    assert error is None
    note = next(note for note in ollama_magic.last.notes if "dropped" in note)
    assert note.startswith("the server dropped the oldest turns: window 128 of 1,024; `-o num_ctx=")
    assert note in text


def test_a_cut_prompt_is_told_under_a_single_answer(shell):
    """A prompt of one piece that does not fit is cut by the server, and the answer says so."""
    run(shell, f"%%generate -o num_ctx=64\n{LONG * 40}")
    assert ollama_magic.last.notes[0].startswith("the prompt did not fit, and the server cut it: window 64 of 1,024")


def test_an_answer_cut_by_its_own_limit_is_told_apart(shell):
    """`num_predict` is named where it cut the answer, not the window."""
    run(shell, "%%chat -o num_predict=3\nTell me a story.")
    assert ollama_magic.last.notes == ("answer cut by num_predict=3; `-o num_predict=-1` removes the limit",)


def test_a_refusal_in_json_reads_as_one_line(shell, server):
    """The runner's own JSON inside the server's error comes out as one sentence with both figures and the option."""
    body = (
        b'{"error":"{\\"error\\":{\\"code\\":400,\\"message\\":\\"request (7931 tokens) exceeds the available context '
        b'size (1000 tokens), try increasing it\\",\\"type\\":\\"exceed_context_size_error\\"}}"}'
    )
    server.faults.append(Fault("error_first", status=400, body=body))
    _, error = run(shell, "%%chat\nHello")
    assert str(error) == (
        "The prompt does not fit: it has 7,931 tokens; window 1,000 of 1,024, and even the largest is too small; "
        "shorten the prompt, or send fewer turns with `--turns 4`."
    )


def test_the_status_tells_where_each_value_comes_from(shell, server):
    """Strongest first: what `%ollama` was told, then %config, then the environment, then the model's own."""
    run(shell, "%config OllamaMagic.options = {'seed': 7, 'top_k': 5}")
    run(shell, "%config OllamaMagic.turns = 4")
    run(shell, "%ollama set seed 8")
    run(shell, "%%chat\nHello")
    told = shell.run_line_magic("ollama", "\0=status")
    assert told["server"].endswith("(OLLAMA_HOST in the environment)")
    assert told["model"] == "small:latest (the conversation began with it)"
    assert told["system"] == "I am. (the model's own)"
    assert "seed=8 (set by `%ollama set`)" in told["options"]
    assert "top_k=5 (from %config)" in told["options"]
    assert "temperature=0.3 (the model's own)" in told["options"]
    assert told["turns sent"] == "at most the last 4 (from %config)"
    assert "of 1,024 tokens" in told["context"]
    run(shell, "%config OllamaMagic.options = {}")
    run(shell, "%config OllamaMagic.turns = None")
    shell.run_line_magic("ollama", f"host {server.url}")
    shell.run_line_magic("ollama", "model small")
    told = shell.run_line_magic("ollama", "\0=status")
    assert told["server"].endswith("(set by `%ollama host`)")
    assert told["model"] == "small (set by `%ollama model`)"
    assert told["turns sent"] == "all"


def test_the_setting_turns_sends_the_last_ones_only(shell, server):
    """`OllamaMagic.turns` sends at most so many turns, says so, and a turn's own option is stronger."""
    run(shell, "%%chat\none")
    run(shell, "%%chat\ntwo")
    run(shell, "%config OllamaMagic.turns = 1")
    text, _ = run(shell, "%%chat\nthree")
    prompts = [m["content"] for m in server.requests[-1].json["messages"] if m["role"] == "user"]
    assert (prompts, "1 earlier turn left out by OllamaMagic.turns" in text) == (["two", "three"], True)
    run(shell, "%%chat --turns 3\nfour")
    chat = next(r for r in reversed(server.requests) if r.path == "/api/chat")
    assert sum(m["role"] == "user" for m in chat.json["messages"]) == 4
    run(shell, "%config OllamaMagic.turns = None")


def test_a_shared_runner_tells_the_window_of_all_its_models(shell):
    """The window is known of a model whose weights are loaded under another model's name."""
    run(shell, "%ollama cp small twin")
    run(shell, "%%chat -m small -o num_ctx=512\nOne.")
    session = loaded_magics().session
    (loaded,) = session.call(session.server().client.ps())
    other = {"small:latest": "twin", "twin:latest": "small"}[loaded.name]
    assert session.call(session.server().window(ChatRequest(other, ()))).size == 512


@pytest.mark.parametrize("value", [-1, "two"])
def test_a_wrong_setting_is_refused(shell, value):
    """`turns` is a whole number from 0 on, or None."""
    with pytest.raises(TraitError, match="turns"):
        loaded_magics().turns = value
