"""The engine's process ends with its server, however that ends."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from ollama_magic.demo.engine.engine_process import EngineFailed, EngineProcess, LoadSettings, engine_installed
from ollama_magic.demo.engine.local_model import LocalModel
from tests.engine.local_weights import ONE_THREAD

if TYPE_CHECKING:
    from pathlib import Path

SERVER = """
import sys, threading, time
from pathlib import Path
from ollama_magic.demo.engine import engine_process
from ollama_magic.demo.engine.local_model import LocalModel
from ollama_magic.demo.language_model import GenerationRequest, Message

model = LocalModel(Path(sys.argv[1]), {"OLLAMA_MAGIC_ENGINE_THREADS": "1"})
if sys.argv[2] == "loading":
    started = engine_process.EngineProcess._started
    def noted(self):
        print(self.pid, flush=True)
        return started(self)
    engine_process.EngineProcess._started = noted
    model.load({})
    time.sleep(60)
model.load({})
events = model.generate(GenerationRequest(messages=(Message("user", "A story."),), options={"num_predict": 4000}))
for event in events:
    if event is not None:
        print(model.pid, flush=True)
        time.sleep(60)
"""


def lives(pid: int) -> bool:
    """Whether a process runs; one that only waits to be noticed does not."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:  # noqa: PTH123
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("moment", ["loading", "answering"])
def test_the_server_is_killed(weights: Path, moment: str) -> None:
    """Two seconds after the server was killed with -9, while loading or answering, no engine runs."""
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(weights), moment], stdout=subprocess.PIPE, text=True, env=dict(os.environ)
    )
    assert server.stdout is not None
    engine = int(server.stdout.readline())
    assert lives(engine)
    server.send_signal(signal.SIGKILL)
    server.wait()
    server.stdout.close()
    deadline = time.monotonic() + 2
    while lives(engine) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not lives(engine)


def test_a_child_of_the_server_does_not_hold_the_engine(weights: Path) -> None:
    """A forked child that inherits the server's pipes does not keep the engine alive."""
    script = SERVER.replace(
        "events = ", "import os\nif os.fork() == 0:\n    time.sleep(20)\n    os._exit(0)\nevents = "
    )
    server = subprocess.Popen([sys.executable, "-W", "ignore", "-c", script, str(weights), "x"], stdout=subprocess.PIPE)
    assert server.stdout is not None
    engine = int(server.stdout.readline())
    server.send_signal(signal.SIGKILL)
    server.wait()
    server.stdout.close()
    deadline = time.monotonic() + 2
    while lives(engine) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not lives(engine)


def test_a_model_that_llama_cpp_refuses(tmp_path: Path) -> None:
    """A file that llama.cpp cannot load is an error, and its process ends."""
    path = tmp_path / "empty.gguf"
    path.write_bytes(b"GGUF")
    with pytest.raises(EngineFailed, match="Failed to init server"):
        EngineProcess(LoadSettings(str(path), 256, 1, 32))


def test_nothing_of_the_working_folder_is_imported(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file of the user's with the name of a standard module does not disturb the engine."""
    (tmp_path / "json.py").write_text("raise SystemExit('imported')")
    monkeypatch.chdir(tmp_path)
    model = LocalModel(weights, ONE_THREAD)
    try:
        model.load({})
        assert model.pid is not None
    finally:
        model.unload()


def test_only_who_has_the_key_is_answered(model: LocalModel) -> None:
    """Another process of the machine that finds the engine's port is refused."""
    import http.client

    model.load({})
    engine = model._engine
    assert engine is not None
    connection = http.client.HTTPConnection(engine.host, engine.port)
    with contextlib.closing(connection):
        connection.request("POST", "/completion", b'{"prompt": "Hi", "n_predict": 1}')
        assert connection.getresponse().status == 401


def test_the_engine_is_found_without_being_imported() -> None:
    """Whether the engine is installed is known without loading it."""
    look = "from ollama_magic.demo.engine.engine_process import engine_installed as installed"
    script = f"import sys; {look}; print(installed(), 'xllamacpp' in sys.modules)"
    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert shown.stdout.split() == [str(engine_installed()), "False"]
