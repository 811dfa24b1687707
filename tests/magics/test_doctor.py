"""`%ollama status --check`, the doctor: what it finds, which cure it names, and what it keeps to itself."""

from __future__ import annotations

import re
import socket
from pathlib import Path

import pytest
from IPython.utils.capture import capture_output

from ollama_magic.commands import doctor
from tests.double import ScriptedServer

NAMES = ("server", "address", "proxy", "version", "model", "window", "display", "kernel", "store", "here")


@pytest.fixture
def server():
    with ScriptedServer(pace=0) as running:
        yield running


def check(shell):
    """The report, and its findings by name: mark and words."""
    text = shell.run_line_magic("ollama", "\0=status --check")
    lines = re.split(r"\n(?=\S)", text)[1:]
    found = {line.split()[1]: (line[0], " ".join(line.split()[2:])) for line in lines}
    return text, found


def nobody():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


def test_all_is_well(shell, server):
    """With a server and a model every line of the doctor is there, and each is fine but the store's."""
    text, found = check(shell)
    assert tuple(found) == NAMES
    assert {name for name, (mark, _) in found.items() if mark != "✓"} == {"store"}
    assert server.url in found["server"][1]
    assert "demo:latest" in found["model"][1]
    assert "IPython" in found["kernel"][1]
    assert "python" in found["here"][1].lower()
    assert text.startswith("ollama_magic ")


def test_it_shows_a_table_and_the_same_text(shell):
    """Unassigned it shows a table in a notebook, and in a terminal the very text that it gives when assigned."""
    text, _ = check(shell)
    with capture_output() as shown:
        shell.run_cell("%ollama status --check")
    data = shown.outputs[0].data
    assert data["text/plain"] == text
    assert data["text/html"].count("<tr>") == len(NAMES) + 1
    assert "<details><summary>As text, for a bug report</summary>" in data["text/html"]


def test_nobody_answers(shell, monkeypatch):
    """Where nobody answers, that line says so with its cure, and the rest of the report is there."""
    monkeypatch.setenv("OLLAMA_HOST", nobody())
    monkeypatch.setattr(doctor, "find_ollama", lambda environ: "/opt/ollama")
    _, found = check(shell)
    assert found["server"][0] == "✗"
    assert "`%ollama start` starts /opt/ollama." in found["server"][1]
    assert set(NAMES) - set(found) == {"version", "model", "window"}
    monkeypatch.setattr(doctor, "find_ollama", lambda environ: None)
    assert "https://ollama.com/download" in check(shell)[1]["server"][1]


def test_an_address_that_is_none(shell, monkeypatch):
    """An address that cannot be read is a line, never an error."""
    monkeypatch.setenv("OLLAMA_HOST", "http://a b")
    _, found = check(shell)
    assert found["address"][0] == "✗"
    assert "OLLAMA_HOST" in found["address"][1]
    assert "store" in found


def test_a_key_that_cannot_be_sent(shell, monkeypatch):
    """A key or a header that is wrong is no fault of the address: the line names it, and not OLLAMA_HOST."""
    monkeypatch.setenv("OLLAMA_API_KEY", "one\ntwo")
    _, found = check(shell)
    assert found["server"] == ("✗", "The value of OLLAMA_API_KEY spans several lines and cannot be sent as a header.")
    monkeypatch.delenv("OLLAMA_API_KEY")
    shell.run_cell("%config OllamaMagic.headers = {'X': 'plain'}")
    text, found = check(shell)
    assert "The header X takes its value from the environment" in found["server"][1]
    assert "OLLAMA_HOST" not in text


@pytest.mark.parametrize("source", ["%ollama host", "%config", "OLLAMA_HOST", "the default"])
def test_where_the_address_comes_from(shell, server, monkeypatch, source):
    """The address's line says what named it; a weaker OLLAMA_HOST is pointed at."""
    magics = shell.magics_manager.registry["OllamaMagic"]
    if source == "%ollama host":
        shell.run_line_magic("ollama", f"host {server.url}")
    elif source == "%config":
        magics.host = server.url
    elif source == "the default":
        monkeypatch.delenv("OLLAMA_HOST")
    mark, said = check(shell)[1]["address"]
    assert source in said
    assert (mark == "!") is (source in ("%ollama host", "%config"))


def test_proxies(shell, monkeypatch):
    """A proxy in the environment is named where it matters, by its variable only; on this machine it never does."""
    monkeypatch.setenv("HTTP_PROXY", "http://user:password@proxy.invalid:3128")
    mark, said = check(shell)[1]["proxy"]
    assert mark == "✓"
    assert "HTTP_PROXY is set and does not apply" in said
    shell.magics_manager.registry["OllamaMagic"].limits = {"look": 1, "connect": 1}
    shell.run_line_magic("config", "OllamaMagic.host = 'http://ollama.invalid'")
    text, found = check(shell)
    assert found["proxy"][0] == "!"
    assert "If ollama.invalid is in your own network, add it to NO_PROXY" in found["proxy"][1]
    assert "password" not in text
    monkeypatch.setenv("HTTP_PROXY", "nonsense://x")
    assert check(shell)[1]["proxy"][0] == "✗"


def test_an_old_server(shell):
    """An old server is named with what it lacks and where a newer one is."""
    with ScriptedServer(pace=0, version="0.5.7") as old:
        shell.run_line_magic("ollama", f"host {old.url}")
        mark, said = check(shell)[1]["version"]
        assert mark == "!"
        assert "0.5.7 is old" in said
        assert "https://ollama.com/download" in said
        with capture_output() as shown:
            shell.run_cell("%ollama version")
        assert "! " in shown.outputs[0].data["text/plain"]
        assert shell.run_line_magic("ollama", "\0=version")["lacking"]


def test_a_model_that_is_missing(shell):
    """A told model that the server does not have is the model's line, with the names near it."""
    shell.magics_manager.registry["OllamaMagic"].model = "demi"
    mark, said = check(shell)[1]["model"]
    assert mark == "✗"
    assert "demo:latest" in said


def test_the_window(shell):
    """A loaded model's window is told with what it could be, and a told num_ctx with it."""
    shell.run_cell("%chat Hello there?")
    assert re.search(r"[\d,]+ of [\d,]+ tokens", check(shell)[1]["window"][1])
    shell.run_line_magic("ollama", "set num_ctx 8192")
    assert "num_ctx=8192 is set" in check(shell)[1]["window"][1]


def test_no_secret_and_no_name_of_a_person(shell, server, monkeypatch):
    """Keys stand in it as •••, and a home folder as ~."""
    monkeypatch.setenv("OLLAMA_API_KEY", "very-secret-key")
    monkeypatch.setattr(doctor, "find_ollama", lambda environ: f"{Path.home()}/bin/very-secret-key/ollama")
    monkeypatch.setenv("OLLAMA_HOST", nobody())
    text, found = check(shell)
    assert "very-secret-key" not in text
    assert "starts ~/bin/•••/ollama" in found["server"][1]
    assert str(Path.home()) not in text
    for line in ("/home/" + "ada/x", "C:\\Users\\ada\\x", "/Users/ada/x"):
        assert "ada" not in doctor._homeless(line)


def test_status_alone_is_the_card(shell):
    """Without --check, and with anything else behind it, `status` is as it was."""
    with capture_output() as shown:
        shell.run_cell("%ollama status")
        shell.run_cell("%ollama status --chek")
    assert "conversation" in shown.outputs[0].data["text/plain"]
    assert "did you mean --check?" in shown.stdout + shown.stderr


def test_a_look_that_fails_is_a_line(shell, monkeypatch):
    """A mistake of the doctor's own is one of its lines, and the others are there."""
    monkeypatch.setattr(doctor, "_model", lambda *_: 1 / 0)
    _, found = check(shell)
    assert tuple(found) == NAMES
    assert found["model"][0] == "✗"
    assert "ZeroDivisionError" in found["model"][1]
