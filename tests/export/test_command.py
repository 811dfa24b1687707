"""`%ollama export` in a shell: which turn it takes, what it shows, what is refused."""

from __future__ import annotations

import ast
import json

import pytest
from IPython.utils.capture import capture_output

from ollama_magic.conversation.sent_requests import SentRequests
from ollama_magic.export.turns import REBUILT
from ollama_magic.line.loaded import loaded_magics
from tests.answers import chats
from tests.shells import loaded_shell


@pytest.fixture
def server(demo_server):
    return demo_server(
        pace=0, answers=lambda body: [body.get("messages", [{"content": "gap"}])[-1]["content"].strip().upper()]
    )


@pytest.fixture
def shell(server, monkeypatch):
    monkeypatch.setenv("OLLAMA_HOST", server.url)
    with loaded_shell() as shell:
        yield shell


def run(shell, cell):
    with capture_output() as shown:
        result = shell.run_cell(cell)
    return [out.data for out in shown.outputs], result.error_in_exec


def exported(shell, what):
    """The text that an assignment gets."""
    shown, error = run(shell, f"text = %ollama export {what}")
    assert (shown, error) == ([], None)
    return shell.user_ns["text"]


def body(text):
    """The body within a curl command."""
    return json.loads(text.partition("<<'EOF'\n")[2].rpartition("\nEOF")[0])


def in_another_kernel():
    """Have the session know no more of its turns than the journal does."""
    loaded_magics().session.sent = SentRequests()


def test_the_newest_turn(shell, server) -> None:
    """Assigned, it is the text; the request is the one that was sent, options and all, that of --once too."""
    run(shell, "%chat one")
    run(shell, "%chat -s brief -o temperature=0.5 -f json two")
    assert body(exported(shell, "curl")) == chats(server)[-1].json
    run(shell, "%chat --once three")
    assert body(exported(shell, "curl")) == chats(server)[-1].json


@pytest.mark.parametrize(("language", "sign"), [("curl", "curl "), ("python", "Client("), ("java", "class Chat")])
def test_it_is_shown_as_coloured_code(shell, language, sign) -> None:
    """Unassigned, a block in colour is shown, and in a terminal the very text; nothing of a prompt is markup in it."""
    run(shell, "%chat <img src=x onerror=alert(1)> $$x$$")
    (data,), error = run(shell, f"%ollama export {language}")
    assert error is None
    assert data["text/plain"] == exported(shell, language)
    assert sign in data["text/plain"]
    assert 'class="highlight"' in data["text/html"]
    assert "<span class=" in data["text/html"]
    assert "<img" not in data["text/html"]


def test_an_earlier_turn_by_its_number(shell, server) -> None:
    """--turn N takes a turn as the history numbers it; the request is the very one that was sent."""
    run(shell, "%ollama set temperature 0.2")
    run(shell, "%chat one")
    run(shell, "%chat -f json --think two")
    run(shell, "%chat three")
    in_another_kernel()
    for number in (1, 2, 3):
        text = exported(shell, f"curl --turn {number}")
        assert REBUILT not in text
        assert body(text) == chats(server)[number - 1].json
    assert exported(shell, "curl --turn=1") == exported(shell, "--turn 1 curl")


def test_a_turn_whose_history_has_changed_says_so(shell) -> None:
    """A turn above which others stand by now is made from what is stored, and a comment says that."""
    run(shell, "%chat -o temperature=0.7 one")
    run(shell, "%chat -o temperature=0.7 two")
    run(shell, "%ollama forget 1")
    in_another_kernel()
    for language, mark in (("curl", "# "), ("python", "# "), ("java", "// ")):
        assert exported(shell, f"{language} --turn 1").startswith(f"{mark}{REBUILT}\n")
    assert ast.parse(exported(shell, "python --turn 1"))
    assert body(exported(shell, "curl --turn 1"))["options"] == {"temperature": 0.7}


def test_an_earlier_turn_of_this_kernel_is_exact(shell, server, demo_server) -> None:
    """Options, the number of turns and the server of an earlier turn are those that it was sent with."""
    other = demo_server(pace=0)
    run(shell, "%chat one")
    run(shell, "%chat -o temperature=0.7 --turns 0 --keep-alive 5m two")
    run(shell, f"%chat --host {other.url} -o seed=1 three")
    run(shell, "%ollama set temperature 0.1")
    run(shell, "%chat four")
    for number, sent in enumerate([*chats(server)[:2], *chats(other), chats(server)[2]], 1):
        text = exported(shell, f"curl --turn {number}")
        assert REBUILT not in text
        assert body(text) == sent.json
        assert (other.url in text) == (number == 3)


def test_the_keys_of_one_server_go_to_no_other(shell, demo_server, monkeypatch) -> None:
    """A turn that went to another server is exported without the keys of the session's own."""
    monkeypatch.setenv("OLLAMA_API_KEY", "sk-secret-key")
    other = demo_server(pace=0)
    run(shell, f"%chat --host {other.url} one")
    for language in ("curl", "python", "java"):
        text = exported(shell, language)
        assert other.url.partition("//")[2] in text
        assert "OLLAMA_API_KEY" not in text


def test_what_is_erased_is_in_no_request(shell) -> None:
    """After `forget --erase` neither the erased turn's request is known nor one that was sent behind it."""
    session = loaded_magics().session
    for word in ("one", "two", "three"):
        run(shell, f"%chat {word}")
    first, second, third = (turn.number for turn in session.conversation().turns)
    run(shell, "%ollama forget 2 --erase")
    assert session.sent.of(first) is not None
    assert (session.sent.of(second), session.sent.of(third)) == (None, None)
    assert "two" not in exported(shell, "curl --turn 2").lower()
    assert "two" not in exported(shell, "curl").lower()
    run(shell, "%ollama clear --erase")
    for command in ("export curl", "code", "prompt"):
        _, error = run(shell, f"%ollama {command}")
        assert "run a cell that begins with `%%chat`" in str(error)


def test_generate_is_no_turn(shell, server) -> None:
    """After %generate the newest turn is still that of the conversation."""
    run(shell, "%chat one")
    run(shell, "%generate two")
    assert body(exported(shell, "curl")) == chats(server)[-1].json


def test_keys_are_never_written(shell, server, monkeypatch) -> None:
    """A key stands in no program, also where a prompt repeats it: it is read from the environment."""
    monkeypatch.setenv("OLLAMA_API_KEY", "sk-secret-key")
    monkeypatch.setenv("FIRM_KEY", "firm-secret-key")
    run(shell, "%config OllamaMagic.headers = {'X-Key': 'env:FIRM_KEY'}")
    run(shell, "%chat my key is sk-secret-key")
    for language in ("curl", "python", "java"):
        text = exported(shell, language)
        assert "secret" not in text
        assert "OLLAMA_API_KEY" in text
        assert "FIRM_KEY" in text


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("", "curl, python or java"),
        ("pyton", "did you mean `%ollama export python`"),
        ("curl java", "curl, python or java"),
        ("curl --turn", "number of a turn"),
        ("curl --turn x", "number of a turn"),
        ("curl --turn 0", "from 1 to 1"),
        ("curl --turn 2", "from 1 to 1"),
        ("curl 'open", "curl, python or java"),
    ],
)
def test_what_cannot_be_exported(shell, line, said) -> None:
    """A language or a turn that is not there is refused in one line that says what there is."""
    run(shell, "%chat one")
    _, error = run(shell, f"%ollama export {line}")
    assert type(error).__name__ == "InputError"
    assert said in str(error)


def test_nothing_was_sent_yet(shell) -> None:
    """Before the first turn there is nothing to export, and one line says so."""
    for line in ("curl", "java --turn 1"):
        _, error = run(shell, f"%ollama export {line}")
        assert type(error).__name__ == "InputError"
