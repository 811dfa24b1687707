"""`%%generate` through a shell: what is sent, what is refused before sending, and what stays."""

from pathlib import Path

import pytest

import ollama_magic
from ollama_magic.conversation.request import Plan, Single
from ollama_magic.line.cell_source import read_cell
from ollama_magic.line.planning import labels_of
from ollama_magic.line.turn_options import GENERATE, GENERATE_OPTIONS
from ollama_magic.notebook.notebook_file import notebook_from
from tests.double import DemoModel, Fault, ScriptedServer
from tests.shells import run

CHATTY = DemoModel("chatty")
FILLER = DemoModel("filler", capabilities=("completion", "insert"))
THINKER = DemoModel("thinker", capabilities=("completion", "thinking"))


@pytest.fixture
def server():
    with ScriptedServer(pace=0, models=(CHATTY, FILLER, THINKER)) as running:
        yield running


def sent(server):
    return [request.json for request in server.requests if request.path in ("/api/generate", "/api/chat")]


def test_a_single_answer_streams_and_is_not_remembered(shell, server):
    """`%%generate` asks /api/generate alone; neither the turns above go along nor does it go along with the next."""
    run(shell, "%%chat -m chatty\nMy name is Ada.")
    text, error = run(shell, "%%generate -m chatty\nHello there?")
    assert error is None
    assert text.strip() == ollama_magic.last.text.strip()
    assert sent(server)[-1] == {"model": "chatty", "prompt": "Hello there?", "stream": True}
    assert (ollama_magic.last.kind, ollama_magic.last.conversation) == ("generate", None)
    run(shell, "%%chat -m chatty\nWhat is my name?")
    assert [m["content"] for m in sent(server)[-1]["messages"]][::2] == ["My name is Ada.", "What is my name?"]


def test_the_line_form_and_out_give_the_reply(shell):
    """`r = %generate …` is the Reply, `--out` binds it, and both are the newest one."""
    run(shell, "r = %generate -m chatty Hello there?")
    assert shell.user_ns["r"].state == "complete"
    run(shell, "%%generate -m chatty --out answer\nHello there?")
    assert shell.user_ns["answer"] is ollama_magic.last
    assert shell.user_ns["answer"].messages[0] == {"role": "user", "content": "Hello there?"}


def test_the_options_are_in_the_request(shell, server):
    """System text, template, model options, thinking, format and keep-alive of the line are sent."""
    line = '-m thinker -s "Be brief." --template "{{ .Prompt }}" -o seed=7 --think -f json --keep-alive 5m'
    run(shell, f"%%generate {line}\nHello")
    assert sent(server)[-1] == {
        "model": "thinker",
        "prompt": "Hello",
        "system": "Be brief.",
        "template": "{{ .Prompt }}",
        "options": {"seed": 7},
        "think": True,
        "format": "json",
        "keep_alive": "5m",
        "stream": True,
    }


def test_a_gap_is_filled_between_prompt_and_suffix(shell, server):
    """`--suffix` sends both sides of the gap, letter for letter, without the system text."""
    run(shell, "%ollama system Be brief.")
    run(shell, '%%generate -m filler --suffix "    return total"\ndef add(a, b):\n')
    body = sent(server)[-1]
    assert (body["prompt"], body["suffix"]) == ("def add(a, b):", "    return total")
    assert "system" not in body
    assert ollama_magic.last.form == "text"


def test_a_raw_prompt_goes_alone(shell, server):
    """`--raw` sends the prompt as it stands; what the conversation was told as system text stays out."""
    run(shell, "%ollama system Be brief.")
    run(shell, "%%generate -m chatty --raw\n<s>[INST] Hi [/INST]")
    assert sent(server)[-1] == {"model": "chatty", "prompt": "<s>[INST] Hi [/INST]", "raw": True, "stream": True}


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("%%generate\n\n", ["no prompt", "`%%generate`"]),
        ("%generate", ["no prompt", "`%generate`"]),
        ("%%generate -m chatty --suffix end\nbegin", ["chatty cannot fill in", "--suffix", "filler"]),
        ("%%generate -m filler --raw --suffix end\nbegin", ["--raw", "leave out --suffix"]),
        ("%%generate -m filler --raw -s Brief.\nbegin", ["--raw", "leave out --system"]),
        ("%%generate -m filler --raw --template x\nbegin", ["--raw", "leave out --template"]),
        ("%%generate -m filler --suffix end -s Brief.\nbegin", ["--suffix", "leave out --system"]),
        ("%%generate -o temperature=hot\nbegin", ["temperature is a number", "'hot'"]),
        ("%%generate -o temprature=1\nbegin", ["temprature", "temperature?"]),
        ("%%generate -f xml\nbegin", ["'xml'", "json"]),
        ("%%generate --turns 2\nbegin", ["%%generate has no option --turns"]),
        ("%%generate -c other\nbegin", ["%%generate has no option -c"]),
        ("%%generate -m nobody\nbegin", ['No model "nobody"']),
    ],
)
def test_what_cannot_be_is_refused_before_sending(shell, server, cell, words):
    """A wrong line is one readable sentence with what to do, and the server sees no prompt."""
    _, error = run(shell, cell)
    assert isinstance(error, ollama_magic.errors.OllamaMagicError)
    assert all(word in str(error) for word in words), str(error)
    assert "\n" not in str(error)
    assert not sent(server)


def test_a_cut_or_failed_answer_fails_the_cell_and_keeps_its_text(shell, server):
    """As in chat: the cell fails with one line, `last` has the state and the text that came."""
    server.faults.append(Fault("no_done", after=3, path="/api/generate"))
    _, error = run(shell, "%%generate -m chatty\nTell me a story.")
    assert (type(error).__name__, ollama_magic.last.state) == ("AnswerCut", "cut")
    assert ollama_magic.last.text


def test_a_cell_that_generates_now_no_longer_counts_as_a_turn():
    """Read back from a file, a generate cell holds no prompt of the conversation."""
    assert read_cell("%%generate -m chatty\nHello") is None


def test_the_help_has_no_word_of_the_conversation(shell):
    """`%%generate -h` tells each of its options and none that belongs to a conversation; nothing is sent."""
    text, error = run(shell, "%%generate -h\n")
    assert error is None
    assert text == GENERATE.help() + "\n"
    assert all(option.usage in text for option in GENERATE_OPTIONS)
    assert not any(name in text for name in ("--turns", "--once", "--conversation"))


def test_an_old_server_without_the_route_is_told(shell, server):
    """A server that has no /api/generate gives one line with what to do, and the cell fails."""
    server.faults.append(Fault("error_first", status=404, body=b"404 page not found", path="/api/generate"))
    _, error = run(shell, "%%generate -m chatty\nHello")
    assert isinstance(error, ollama_magic.errors.ServerError)
    assert "cannot" in str(error) or "has no" in str(error)
    assert ollama_magic.last.state == "failed"


def test_once_more_the_cell_has_no_turn(shell):
    """`%ollama prompt` shows what a single answer was asked, and the history knows nothing of it."""
    run(shell, "%%generate -m chatty --raw\n<s>Hello")
    assert shell.run_line_magic("ollama", "\0=prompt").endswith("<s>Hello")
    assert shell.run_line_magic("ollama", "\0=history") == []


def test_json_is_asked_for_in_a_chat_too(shell, server):
    """`-f json` in `%%chat` sends the format; the reply reads it, and the output keeps it as it came."""
    text, error = run(shell, "%%chat -m chatty -f json\nGive me a JSON object.")
    assert error is None
    assert sent(server)[-1]["format"] == "json"
    assert ollama_magic.last.form == "json"
    assert ollama_magic.last.json() is not None
    assert text.strip() == ollama_magic.last.text.strip()


def test_a_background_answer_is_single_too(shell):
    """`-b` lets the answer go on in its place; it ends complete and is not remembered."""
    run(shell, "%%generate -m chatty -b --out later\nHello")
    reply = shell.user_ns["later"]
    for handle in ollama_magic.line.loaded.loaded_magics().session.running():
        handle.wait()
    assert reply.state == "complete"
    assert shell.run_line_magic("ollama", "\0=history") == []


def test_the_output_says_that_it_is_no_turn():
    """The metadata name the kind, and have no conversation; read back from the file the cell makes no turn."""
    plan = Plan("Hello", once=True, single=Single(), system="Be brief.")
    labels = labels_of(plan, "Hello", "c/1", "main", whole_cell=True)
    assert labels == {"slot": "c/1", "conversation": None, "kind": "generate", "system": "Be brief."}
    output = {
        "output_type": "display_data",
        "data": {"text/plain": "Hi"},
        "metadata": {"ollama_magic": {**labels, "state": "complete"}},
    }
    cell = {"id": "c", "cell_type": "code", "source": "%%generate\nHello", "outputs": [output]}
    read = notebook_from({"nbformat": 4, "nbformat_minor": 5, "cells": [cell]}, Path("n.ipynb"), read_cell)
    assert (read.turns, read.prompts, read.promptless, read.unfinished) == ((), (), 0, 0)
