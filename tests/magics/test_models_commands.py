"""What `%ollama` does with models, in a shell of its own, talking to the demo server."""

from __future__ import annotations

import json
import re
from contextlib import ExitStack
from dataclasses import replace

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from tests.double import DEMO, PULLABLE, Fault
from tests.shells import loaded_shell

NAMED = {model.name: model for model in PULLABLE}
CLOUD = replace(DEMO, name="big", remote_host="https://ollama.com:443", remote_model="big")


@pytest.fixture
def start(demo_server, monkeypatch):
    """Starts a demo server and a shell that talks to it; returns what runs a cell, and the server."""
    shells = ExitStack()

    def start(**options):
        server = demo_server(**{"pace": 0, "models": (DEMO, NAMED["demo-small"], NAMED["demo-embed"]), **options})
        monkeypatch.setenv("OLLAMA_HOST", server.url)
        shell = shells.enter_context(loaded_shell())
        return lambda cell: run(shell, cell), server

    with shells:
        yield start


def run(shell, cell):
    """What a cell printed, and the line of the error that ended it."""
    with capture_output() as shown:
        result = shell.run_cell(cell)
    error = result.error_in_exec or result.error_before_exec
    text = shown.stdout if error is None else ""
    text += "".join(out.data["text/plain"] for out in shown.outputs)
    return text + (f"{type(error).__name__}: {error}" if error else "")


def value(cell):
    return InteractiveShell.instance().run_cell(f"_x = {cell}\n_x").result


def paths(server):
    return [(request.method, request.path) for request in server.requests]


def last(server, path):
    return next(request.json for request in reversed(server.requests) if request.path == path)


def test_list(start):
    """The list has the command-line tool's columns, and what each model can do."""
    run, _ = start()
    head, first, *_ = run("%ollama list").splitlines()
    assert head.split() == ["name", "id", "size", "modified", "parameters", "can"]
    assert re.fullmatch(r"demo:latest +[0-9a-f]{12} +1\.0 MB +\w.* ago +0B +completion, thinking", first)


def test_list_by_prefix(start):
    """A word keeps the models whose names begin with it, in any case; none is a line that says so."""
    run, _ = start()
    assert [line.split()[0] for line in run("%ollama list DEMO-E").splitlines()[1:]] == ["demo-embed:latest"]
    assert run("%ollama list zz") == "No model begins with “zz”; `%ollama list` shows all 3."
    assert "`%ollama pull gemma3:1b` fetches one" in start(models=())[0]("%ollama list")


def test_list_as_data(start):
    """Assigned, the list is objects with the model's fields, and nothing is shown."""
    run, _ = start()
    assert run("m = %ollama list") == ""
    models = value("%ollama list")
    assert [model.name for model in models] == ["demo:latest", "demo-small:latest", "demo-embed:latest"]
    assert models[1].size == 420_000_000


def test_cloud_models_are_loud(start):
    """A model that runs elsewhere has no size, and a badge that says that what is said leaves the machine."""
    run, server = start(models=(DEMO, CLOUD))
    line = run("%ollama list big").splitlines()[1]
    assert re.search(r" -  .* cloud: leaves this machine, completion", line)
    assert "cloud: leaves this machine" in run("%ollama show big")
    assert ("POST", "/api/chat") not in paths(server)


def test_badges_of_old_servers(start):
    """Where the list does not say what models can do, show does; it is asked once for each model."""
    run, server = start(version="0.20.0")
    for _ in range(3):
        assert "completion, tools" in run("%ollama list")
    assert paths(server).count(("POST", "/api/show")) == 3


def test_ps_and_load(start):
    """A loaded model is listed with where it is computed, its window and its time."""
    run, server = start()
    assert run("%ollama ps") == "No model is loaded."
    assert "`demo` is loaded: 1.0 MB, 100% CPU, 4,096 tokens of context." in run("%ollama load demo --keep-alive 1h")
    head, line = run("%ollama ps").splitlines()
    assert head.split() == ["name", "id", "size", "processor", "context", "until"]
    assert re.fullmatch(r"demo:latest +\w{12} +1\.0 MB +100% CPU +4096 +(59 minutes|About an hour) from now", line)
    assert last(server, "/api/generate")["keep_alive"] == "1h"
    assert [model.name for model in value("%ollama ps")] == ["demo:latest"]


def test_ps_of_an_old_server(start):
    """A server that cannot tell what is loaded is said to be too old, not idle."""
    run, _ = start(version="0.1.30")
    assert "Ollama 0.1.30 is too old to tell" in run("%ollama ps")


def test_shared_runner(start):
    """Lists and stop say which other models share the runner of one."""
    run, _ = start()
    run("%ollama create pirate --from demo --system Arr\n%ollama cp pirate captain\n%ollama load pirate")
    assert "`pirate:latest` shares its runner with `captain:latest` and `demo:latest`." in run("%ollama ps")
    said = "`captain` is unloaded. `pirate:latest` and `demo:latest` share its runner, and were unloaded too."
    assert run("%ollama stop captain") == said
    assert run("%ollama ps") == "No model is loaded."
    assert run("%ollama stop demo-small") == "`demo-small` is unloaded."


def test_show(start):
    """What a model is comes in sections; its texts are folded, or come alone."""
    run, _ = start()
    text = run("%ollama show demo-small")
    assert re.search(r"^  parameters +0\.5B$", text, re.MULTILINE)
    assert re.search(r"^  context length +32768$", text, re.MULTILINE)
    assert "completion, tools" in text
    assert run("%ollama show demo --license").startswith("Scripted replies")
    assert value("%ollama show demo --parameters").startswith(("stop", "temperature"))
    assert value("%ollama show demo").context_length == 32768


def test_show_more(start):
    """--verbose adds metadata and tensors; without a name it is this conversation's model and what it was told."""
    run, server = start()
    text = run("%ollama show demo -v")
    assert "general.architecture" in text
    assert "token_embd.weight" in text
    assert last(server, "/api/show")["verbose"] is True
    run("%ollama model demo-small\n%ollama set seed 7\n%ollama system Brief")
    text = run("%ollama show")
    assert text.startswith("demo-small\n")
    assert re.search(r"This conversation\n  system +Brief\n  seed +7", text)


def test_pull(start):
    """A pull tells its steps, ends when the server says success, and the model is there."""
    run, server = start()
    assert run("%ollama pull demo-code --insecure").endswith("`demo-code` is here: 90 MB in 3 layers.\n")
    assert last(server, "/api/pull")["insecure"] is True
    assert "demo-code:latest" in run("%ollama list")
    assert run("%ollama pull demo-code").endswith("`demo-code` is here: 90 MB in 3 layers.\n")


FAILURES = [
    (
        {"kind": "error_line", "error": "write blobs/x: no space left on device"},
        "ServerError: .*no space left.* resumes",
    ),
    ({"kind": "error_line", "error": "max retries exceeded: dial tcp"}, "ServerError: .*resumes it"),
    ({"kind": "no_done"}, "AnswerCut: The server broke off without an error; `%ollama pull demo-code` resumes"),
    ({"kind": "drop"}, "AnswerCut: This broke off: .*; `%ollama pull demo-code` resumes it"),
    ({"kind": "error_first", "error": "unexpected"}, "ServerError: .*unexpected"),
    ({"kind": "html"}, "ServerError: .*is not Ollama"),
]


@pytest.mark.parametrize("command", ["pull demo-small", "load demo-small", "create mine --from demo-small"])
def test_assigned_it_shows_nothing(start, command):
    """An assigned command gives its data and shows nothing, however long it takes; an error is raised as ever."""
    run, _ = start()
    assert run(f"name = %ollama {command}") == ""
    assert run("print(name)").strip() == command.split()[1]
    assert run("name = %ollama pull nowhere").startswith("ServerError: The server failed: pull model manifest")


@pytest.mark.parametrize(("fault", "line"), FAILURES)
def test_a_pull_that_fails(start, fault, line):
    """A pull that ends without success never says that the model is here; one line tells why and what to do."""
    run, _ = start(faults=[Fault(**{"after": 6, **fault}, path="/api/pull")])
    said = run("%ollama pull demo-code")
    assert re.search(line, said)
    assert "is here" not in said
    assert "demo-code" not in run("%ollama list")
    assert "is here" in run("%ollama pull demo-code")


def test_create(start):
    """A model is made from another one, with its own text and parameters, and a missing base is pulled."""
    run, server = start()
    said = run('%ollama create pirate --from demo-code --system "You are a pirate." -o temperature=1.2 -o num_ctx=512')
    assert "`pirate` is made" in said
    body = last(server, "/api/create")
    assert (body["from"], body["system"]) == ("demo-code", "You are a pirate.")
    assert body["parameters"] == {"temperature": 1.2, "num_ctx": 512}
    assert run("%ollama show pirate --system") == "You are a pirate."
    run("%ollama create pirate --from demo --system Changed")
    assert run("%ollama show pirate --system") == "Changed"


def test_cp(start):
    """A copy is another name; another model of that name is not lost without a word."""
    run, _ = start()
    assert run("%ollama cp demo mine") == "copied 'demo' to 'mine'"
    assert run("%ollama cp demo mine") == "copied 'demo' to 'mine'"
    assert "`%ollama cp demo demo-small --yes` does it" in run("%ollama cp demo demo-small")
    assert run("%ollama cp demo demo-small --yes") == "copied 'demo' to 'demo-small'"


def test_rm(start):
    """Several models are removed at once, out of memory first, and none of them if one is missing."""
    run, server = start()
    run("%ollama load demo-small")
    assert "nosuch" in run("%ollama rm demo-small nosuch --yes")
    assert run("%ollama rm demo-small demo-embed --yes") == "deleted 'demo-small'; deleted 'demo-embed'"
    assert [model.name for model in value("%ollama list")] == ["demo:latest"]
    assert run("%ollama ps") == "No model is loaded."
    assert len([path for _, path in paths(server) if path == "/api/chat"]) == 1


@pytest.mark.parametrize(("answer", "left"), [("y", 2), ("Yes ", 2), ("", 3), ("n", 3), ("no", 3)])
def test_rm_asks(start, monkeypatch, answer, left):
    """Where somebody sits, rm asks, and only a yes removes."""
    run, _ = start()
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda _: answer)
    run("%ollama rm demo-embed")
    assert len(value("%ollama list")) == left


def test_embed(start):
    """One text gives a vector, several in quotes a list of them; they show their size and first numbers."""
    run, server = start()
    assert re.search(r"The sky is blue +64 +-?0\.\d{4}, ", run("%ollama embed The sky is blue"))
    assert len(value("%ollama embed don't panic")) == 64
    vectors = value('%ollama embed -m demo-embed "The sky" \'is "blue"\'')
    assert [len(vector) for vector in vectors] == [64, 64]
    assert last(server, "/api/embed")["input"] == ["The sky", 'is "blue"']
    assert len(value("%ollama embed --dimensions 8 --no-truncate hello")) == 8
    assert last(server, "/api/embed")["truncate"] is False


def test_embed_without_a_model(start):
    """Where no model makes embeddings, the line names one that does."""
    run, _ = start(models=(DEMO,))
    assert "`%ollama pull nomic-embed-text` fetches one" in run("%ollama embed hello")


BAD_INPUT = [
    ("pull", "InputError", "needs MODEL"),
    ("pull a/b/c/d", "InputError", "not a model name"),
    ("pull demo:", "InputError", "not a model name"),
    ("pull one two", "InputError", "does not take 'two'"),
    ("pull --insecur demo", "InputError", "did you mean --insecure?"),
    ("pull nosuch", "ServerError", "check its spelling"),
    ("show nosuch", "ModelNotFound", "`%ollama pull nosuch` fetches it"),
    ("show dem", "ModelNotFound", "Similar: demo:latest"),
    ("show --template --system", "InputError", "exclude each other"),
    ("show demo --system", "InputError", "has no system of its own"),
    ("show 'demo", "InputError", "never closed"),
    ("create mine", "InputError", "--from"),
    ("create a@b --from demo", "InputError", "not a model name"),
    ("create mine --from nosuch", "ServerError", "check its spelling"),
    ("create mine --from demo -o temprature=1", "InputError", "temperature"),
    ("create mine --from demo -o num_ctx=big", "InputError", "whole number"),
    ("cp demo", "InputError", "needs DESTINATION"),
    ("cp nosuch mine", "ModelNotFound", "nosuch"),
    ("cp demo x/y/z/w", "InputError", "not a model name"),
    ("rm", "InputError", "needs MODEL"),
    ("rm nosuch --yes", "ModelNotFound", "nosuch"),
    ("rm demo", "InputError", "`%ollama rm demo --yes` does it"),
    ("load nosuch", "ModelNotFound", "nosuch"),
    ("load demo --keep-alive 1d", "InputError", "not a duration"),
    ("stop nosuch", "ModelNotFound", "nosuch"),
    ("embed", "InputError", "needs TEXT"),
    ("embed -m nosuch hello", "ModelNotFound", "nosuch"),
    ("embed -m demo hello", "ServerError", "name a model for embeddings"),
    ('embed "one', "InputError", "never closed"),
    ("ps all", "InputError", "takes no arguments"),
    ("list a b", "InputError", "does not take 'b'"),
    ("lst", "InputError", "list"),
]


@pytest.mark.parametrize(("line", "kind", "words"), BAD_INPUT)
def test_bad_input_is_one_line(start, line, kind, words):
    """Bad input raises one readable line, and changes nothing on the server."""
    run, _ = start()
    said = run(f"%ollama {line}")
    assert said.rpartition("\n")[2].startswith(f"{kind}: ")
    assert words in said
    assert len(value("%ollama list")) == 3


def test_help_of_a_command(start):
    """A command's options are told by --help, by help and in its data."""
    run, _ = start()
    text = run("%ollama pull --help")
    assert text == run("%ollama help pull") == value("%ollama help pull")
    assert "--insecure" in text
    assert "%ollama pull gemma3:1b" in text
    assert "--from BASE" in run("%ollama create x -h")


def test_an_unknown_model_in_a_chat_names_the_pull(start):
    """A chat with a model that is not there says how to fetch it."""
    run, _ = start()
    assert "`%ollama pull gemma3:1b` fetches it" in run("%chat -m gemma3:1b Hello")


@pytest.mark.parametrize("line", ["embed hello", "create mine --from demo", "pull demo-code", "rm demo --yes", "ps"])
def test_nobody_there(start, line):
    """Where no server answers, each command says so in one line."""
    run, server = start()
    server.stop()
    assert run(f"%ollama {line}").startswith(("ServerUnreachable: ", "ModelNotFound: "))


OLD = [
    ("embed -m demo-small hello", "64"),
    ("create mine --from demo", "update Ollama"),
    ("show demo", "architecture"),
    ("list", "demo-embed:latest"),
    ("pull demo-code", "is here"),
    ("rm demo-embed --yes", "deleted 'demo-embed'"),
]


@pytest.mark.parametrize(("line", "words"), OLD)
def test_an_old_server(start, line, words):
    """A server of version 0.1.30 does what it can, and for the rest a line says that it is too old."""
    run, _ = start(version="0.1.30")
    assert words in run(f"%ollama {line}")


def test_ten_thousand_models(start, monkeypatch):
    """Of ten thousand models all are data and two hundred are shown, and nobody is asked about each."""
    run, server = start()
    names = [{"name": f"m{number}:latest", "size": number, "capabilities": ["completion"]} for number in range(10_000)]
    body = json.dumps({"models": names}).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    server.faults.extend([Fault("raw", body=head + body, path="/api/tags")] * 2)
    lines = run("%ollama list").splitlines()
    assert (len(lines), lines[-1]) == (202, "… 9,800 more")
    assert len(value("%ollama list")) == 10_000
    assert ("POST", "/api/show") not in paths(server)
