"""`%ollama start`: an installed server, started, waited for, and gone with its kernel. A script stands for Ollama."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ollama_magic.commands import server_process, server_start
from ollama_magic.commands.server_process import find_ollama
from tests.double import ScriptedServer
from tests.shells import loaded_shell, run

ROOT = Path(__file__).parents[2]
SCRIPT = f"""#!{sys.executable}
import os, sys, time
sys.path.insert(0, {str(ROOT)!r})
assert sys.argv[1:] == ["serve"], sys.argv
print("host", os.environ["OLLAMA_HOST"], "key", os.environ.get("OLLAMA_API_KEY", ""), flush=True)
what = os.environ.get("FAKE", "")
if what == "fails":
    sys.exit("Error: listen tcp: bind: address already in use")
if what != "silent":
    from tests.double import ScriptedServer
    ScriptedServer(port=int(os.environ["OLLAMA_HOST"].rpartition(":")[2]), pace=0).start()
while True:
    time.sleep(3600)
"""
IN_A_KERNEL = """
import os, signal
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.run_line_magic("load_ext", "ollama_magic")
shell.run_line_magic("ollama", "start")
print("started", flush=True)
os.kill(os.getpid(), getattr(signal, os.environ["ENDS"]))
"""


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


@pytest.fixture
def port():
    return free_port()


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """An `ollama` on PATH."""
    program = tmp_path / "bin" / "ollama"
    program.parent.mkdir()
    program.write_text(SCRIPT)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    return program


@pytest.fixture
def shell(port, monkeypatch):
    monkeypatch.setenv("OLLAMA_HOST", f"127.0.0.1:{port}")
    with loaded_shell() as shell:
        yield shell


def answers(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def gone(port):
    """Wait until nobody listens there."""
    end = time.monotonic() + 30
    while answers(port) and time.monotonic() < end:
        time.sleep(0.05)
    return not answers(port)


def session(shell):
    return shell.magics_manager.registry["OllamaMagic"].session


def test_start_waits_until_it_answers(shell, installed, port):
    """An installed server is started at the session's own address, and the command ends when it answers."""
    text, error = run(shell, "%ollama start")
    assert error is None
    assert "is started: Ollama" in text
    assert f"http://127.0.0.1:{port}" in text
    assert answers(port)
    text, _ = run(shell, "%chat Hello there?")
    assert "demo" in text


def test_a_second_start_changes_nothing(shell, installed):
    """While a server answers, started here or not, `start` says so and starts none."""
    run(shell, "%ollama start")
    own = session(shell).owned_resources[server_start.RESOURCE]
    text, error = run(shell, "%ollama start")
    assert "answers at" in text
    assert "already" in text
    assert error is None
    assert session(shell).owned_resources[server_start.RESOURCE] is own


def test_start_beside_a_server_that_runs(shell, installed):
    """A server that somebody else started is left as it is."""
    with ScriptedServer(pace=0) as other:
        run(shell, f"%ollama host {other.url}")
        text, _ = run(shell, "%ollama start")
        assert f"already answers at {other.url}" in text
    assert server_start.RESOURCE not in session(shell).owned_resources


def test_the_log_is_at_hand(shell, installed, monkeypatch):
    """`--log` shows what the server wrote, without the keys that we hold; before a start it says that there is none."""
    monkeypatch.setenv("OLLAMA_API_KEY", "very-secret-key")
    assert "has not started a server" in str(run(shell, "%ollama start --log")[1])
    run(shell, "%ollama start")
    text, _ = run(shell, "%ollama start --log")
    assert "host 127.0.0.1:" in text
    assert "very-secret-key" not in text
    assert "•••" in text


def test_end(shell, installed, port):
    """`--end` ends the server that was started here, and forgets its log; another one is not ours to end."""
    run(shell, "%ollama start")
    log = session(shell).owned_resources[server_start.RESOURCE].log
    text, error = run(shell, "%ollama start --end")
    assert "has ended" in text
    assert error is None
    assert gone(port)
    assert not log.exists()
    assert "has not started a server" in str(run(shell, "%ollama start --end")[1])


def test_it_ends_with_the_extension(shell, installed, port):
    """Unloading ends the server."""
    run(shell, "%ollama start")
    shell.run_line_magic("unload_ext", "ollama_magic")
    assert gone(port)


@pytest.mark.parametrize("ends", ["SIGKILL", "SIGTERM", "SIGINT"])
def test_it_ends_with_its_kernel(installed, port, ends):
    """However the kernel ends, killed outright too, its server ends with it."""
    environ = {**os.environ, "OLLAMA_HOST": f"127.0.0.1:{port}", "PYTHONPATH": str(ROOT), "ENDS": ends}
    command = [sys.executable, "-c", IN_A_KERNEL]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=False)
    assert "started" in done.stdout, done.stderr
    assert done.returncode != 0
    assert gone(port)


def test_a_server_that_ends_at_once(shell, installed, monkeypatch):
    """If the server ends instead of answering, its last words are the error, and the next start tries anew."""
    monkeypatch.setenv("FAKE", "fails")
    _, error = run(shell, "%ollama start")
    assert str(error) == (
        "`ollama serve` ended at once: Error: listen tcp: bind: address already in use. "
        "`%ollama start --log` shows its log."
    )
    assert "address already in use" in run(shell, "%ollama start --log")[0]
    monkeypatch.delenv("FAKE")
    assert run(shell, "%ollama start")[1] is None


def test_stop_ends_the_waiting_only(shell, installed, monkeypatch):
    """■ ends the waiting with one line; the server goes on starting and the next `start` waits for the same one."""
    monkeypatch.setenv("FAKE", "silent")
    asked = []

    async def silent(session):
        asked.append(1)
        if len(asked) == 3:
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(server_start, "_answers", silent)
    _, error = run(shell, "%ollama start")
    assert isinstance(error, KeyboardInterrupt)
    assert "is still starting" in str(error)
    own = session(shell).owned_resources[server_start.RESOURCE]
    assert own.status is None
    asked.clear()
    run(shell, "%ollama start")
    assert session(shell).owned_resources[server_start.RESOURCE] is own


def test_a_server_that_never_answers(shell, installed, monkeypatch):
    """A server that does not answer for long is told as such, with the way to its log."""
    monkeypatch.setenv("FAKE", "silent")
    monkeypatch.setattr(server_start, "LONGEST_S", 0.0)
    _, error = run(shell, "%ollama start")
    assert "does not answer yet; `%ollama start --log`" in str(error)


def test_none_is_installed(shell, monkeypatch, tmp_path):
    """Where no Ollama is installed, the error names the three ways on."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(server_process, "PLACES", ())
    _, error = run(shell, "%ollama start")
    assert all(way in str(error) for way in ("No `ollama` is installed", "%ollama demo", "%ollama host", "download"))


def test_ollama_is_found_where_installers_put_it(monkeypatch, tmp_path):
    """A kernel whose PATH does not lead to Ollama finds it in the usual places."""
    program = tmp_path / "ollama"
    program.write_text("")
    program.chmod(0o755)
    monkeypatch.setattr(server_process, "PLACES", ("/nowhere/ollama", str(program)))
    assert find_ollama({"PATH": "/nowhere"}) == str(program)


def test_no_server_is_started_for_another_machine(shell, installed):
    """If the address is another machine's, nothing is started, and the line says what to do."""
    run(shell, f"%ollama host http://127.0.0.1:{free_port()}/below")
    _, error = run(shell, "%ollama start")
    assert "on this machine only" in str(error)
    assert server_start.RESOURCE not in session(shell).owned_resources


def test_what_answers_is_no_ollama(shell, installed):
    """Where something else listens at the address, nothing is started and the error says what answers there."""
    with ScriptedServer(pace=0) as other:
        run(shell, f"%ollama host {other.url}/below")
        _, error = run(shell, "%ollama start")
    assert error is not None
    assert server_start.RESOURCE not in session(shell).owned_resources


def test_demo_with_a_file(shell, tmp_path, monkeypatch):
    """`demo --replay` answers as in a file that `save` wrote; a file that cannot be replayed is refused in one line."""
    monkeypatch.chdir(tmp_path)
    run(shell, "%ollama demo")
    first = session(shell).owned_resources["demo"]
    run(shell, "%chat Hello there?")
    said = session(shell).last.text
    run(shell, "%ollama save talk.json")
    text, error = run(shell, "%ollama demo --replay talk.json")
    assert error is None
    assert "talk.json" in text
    assert session(shell).owned_resources["demo"] is not first
    run(shell, "%chat --once Hello there?")
    assert session(shell).last.text.startswith(said.rstrip()[:40])
    for name in ("missing.json", "nothing.json"):
        (tmp_path / "nothing.json").write_text("{}")
        _, error = run(shell, f"%ollama demo --replay {name}")
        assert type(error).__name__ == "InputError"
        assert name in str(error)
