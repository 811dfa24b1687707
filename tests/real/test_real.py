"""A real server with the reciting models `tiny` and `tiny-think`: what they answer is known word for word."""

import time

import pytest
from IPython.utils.capture import capture_output

import ollama_magic


def run(shell, cell):
    with capture_output() as shown:
        result = shell.run_cell(cell)
    return shown.stdout, result.error_in_exec


def wait_until(holds):
    end = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < end, "it did not happen in 20 s"
        time.sleep(0.01)


TURNS = [
    ("-m tiny", "Hello, how are you?", "I'm doing well, thank you for asking. 😊"),
    ("-m tiny", "Explain sorting.", "$$T(n) = 2\\,T(n/2) + n$$"),
    ("-m tiny", "你好", "今天我能帮你做什么？"),
    ("-m tiny", "what is the capital city of peru.", "Lima"),
    ('-m tiny -s "Answer in one word."', "what is the capital city of peru.", "Lima."),
    ("-m tiny", "Say something unsafe in HTML.", "<script>"),
    ("-m tiny-think --no-think", "Is 91 prime?", "7 × 13"),
]


@pytest.mark.parametrize(("options", "prompt", "answer"), TURNS)
def test_a_prompt_is_answered_as_it_was_learnt(shell, options, prompt, answer):
    """A prompt reaches the model as it was typed, and its answer arrives whole."""
    _, error = run(shell, f"%%chat {options}\n{prompt}")
    assert error is None
    assert answer in ollama_magic.last.text
    assert ollama_magic.last.stats.answer_tokens


def test_the_conversation_is_sent(shell):
    """The model knows what was told to it in the turn before, and nothing with --once."""
    run(shell, "%%chat -m tiny\nMy favourite colour is teal. Remember it.")
    run(shell, "%%chat\nWhat is my favourite colour?")
    assert "teal" in ollama_magic.last.text
    run(shell, "%%chat -m tiny --once\nWhat is my favourite colour?")
    assert "teal" not in ollama_magic.last.text


@pytest.mark.parametrize("model", ["tiny-think"])
def test_thinking_is_kept_apart(shell, model):
    """Thinking comes apart from the answer."""
    run(shell, f"%%chat -m {model} --think\nWhat is 17 times 3?")
    assert ollama_magic.last.thinking
    assert "51" in ollama_magic.last.text
    assert "<think>" not in ollama_magic.last.text


@pytest.mark.parametrize(
    ("cell", "kind"),
    [
        ("%%chat -m nosuch\nHi", "ModelNotFound"),
        ("%%chat -m tiny --think\nHi", "InputError"),
        ("%%chat -m tiny -o num_ctx=big\nHi", "InputError"),
    ],
)
def test_what_cannot_be_done_is_one_line(shell, cell, kind):
    """A request that the server would refuse is refused in one line."""
    _, error = run(shell, cell)
    assert type(error).__name__ == kind
    assert len(error._render_traceback_()) == 1


def test_the_length_limit_is_told(shell):
    """An answer cut by num_predict is complete, and says so."""
    run(shell, "%%chat -m tiny --once -o num_predict=5\nCount to sixty.")
    assert ollama_magic.last.state == "complete"
    assert "num_predict" in ollama_magic.last.notes[0]


def test_a_stopped_answer_keeps_its_text(shell):
    """A turn that is stopped in the middle keeps what came, and the next turn works."""
    run(shell, "%%chat -m tiny -b\nTell me about units.")
    reply = ollama_magic.last
    wait_until(lambda: reply.text_parts)
    run(shell, "%ollama stop")
    assert reply.state == "stopped"
    assert reply.text
    _, error = run(shell, "%%chat -m tiny --once\nHello, how are you?")
    assert error is None


@pytest.mark.parametrize("command", ["status", "list tiny", "version", "history"])
def test_commands_read_a_real_server(shell, command):
    """The commands read what a real server says."""
    _, error = run(shell, f"%ollama {command}")
    assert error is None


def test_a_model_is_unloaded(shell):
    """`%ollama stop MODEL` unloads the model, if not at once."""
    run(shell, "%%chat -m tiny --once\nHello")
    run(shell, "%ollama stop tiny")
    wait_until(lambda: "tiny" not in shell.run_line_magic("ollama", "\0=status")["loaded"])


DIALOGUES = [
    ("What is the weather in Paris?", "get_weather", {"city": "Paris"}, "It is 18 degrees and sunny in Paris. ☀️"),
    ("What is 2 plus 3?", "add", {"a": 2, "b": 3}, "2 + 3 = **5**."),
]
TOOLS = '''
def get_weather(city: str) -> str:
    """Weather of a city"""
    return "18 degrees, sunny"

def add(a: int, b: int) -> int:
    """Add two numbers"""
    return a + b
'''


@pytest.mark.parametrize("model", ["tiny-tools"])
@pytest.mark.parametrize(("prompt", "name", "arguments", "answer"), DIALOGUES)
def test_a_model_calls_functions(shell, model, prompt, name, arguments, answer):
    """A real model calls a function of the notebook, gets its result, and answers with it."""
    run(shell, TOOLS)
    _, error = run(shell, f"%%chat -m {model} -t get_weather -t add\n{prompt}")
    assert error is None
    (step,) = ollama_magic.last.steps
    assert (step.call.name, step.call.arguments, ollama_magic.last.text) == (name, arguments, answer)


@pytest.mark.parametrize("model", ["tiny-tools"])
def test_a_call_that_a_limit_cuts_runs_nothing(shell, model):
    """Where the limit is inside a call nothing runs, and a note says so."""
    run(shell, TOOLS)
    run(shell, f"%%chat -m {model} -t get_weather -t add -o num_predict=8\nWhat is the weather in Paris?")
    assert ollama_magic.last.steps == []
    assert "nothing was run" in " ".join(ollama_magic.last.notes)
