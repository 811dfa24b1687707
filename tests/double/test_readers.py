"""Independent clients read the demo server: ollama-python, curl, and Java's own HTTP client."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import ollama
import pytest

from tests.double import DEMO, EMBEDDING, PLAIN, Fault, ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Iterator

HELLO = [{"role": "user", "content": "Hello, how are you?"}]
HELLO_TEXT = "How’s your day going so far?\n\n*recorded: gemma3:1b, 2025-04-22*"


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer(pace=0, models=[DEMO, PLAIN, EMBEDDING]) as running:
        yield running


@pytest.fixture
def client(server: ScriptedServer) -> Iterator[ollama.Client]:
    made = ollama.Client(host=server.url)
    yield made
    made._client.close()


def test_python_chat(client: ollama.Client) -> None:
    """ollama-python reads a whole reply into its types."""
    reply = client.chat("demo", HELLO)
    assert reply.message.content.endswith(HELLO_TEXT)
    assert (reply.model, reply.done, reply.done_reason) == ("demo", True, "stop")
    assert min(reply.total_duration, reply.load_duration, reply.prompt_eval_count, reply.eval_count) > 0
    assert reply.total_duration >= reply.eval_duration


def test_python_streamed_chat(client: ollama.Client) -> None:
    """ollama-python reads a stream chunk by chunk, thinking before content."""
    chunks = list(client.chat("demo", [{"role": "user", "content": "Is 91 a prime number?"}], stream=True, think=True))
    assert "7 + 0" in "".join(chunk.message.thinking or "" for chunk in chunks)
    assert "not a prime" in "".join(chunk.message.content for chunk in chunks)
    assert [chunk.done for chunk in chunks] == [False] * (len(chunks) - 1) + [True]


def test_python_generate(client: ollama.Client) -> None:
    """ollama-python reads a single-turn generation, whole and streamed."""
    assert client.generate("demo", "Hello, how are you?").response.endswith(HELLO_TEXT)
    assert "".join(part.response for part in client.generate("demo", "Hello", stream=True)).startswith("Hello! 👋")


def test_python_list_and_show(client: ollama.Client) -> None:
    """ollama-python lists the models, newest first, and shows one with its capabilities and context length."""
    models = client.list().models
    assert [model.model for model in models] == ["demo:latest", "demo-plain:latest", "demo-embed:latest"]
    assert models[0].modified_at > models[1].modified_at
    shown = client.show("DEMO:latest")
    assert shown.capabilities == ["completion", "thinking"]
    assert shown.modelinfo["demo.context_length"] == 32_768
    assert shown.details.family == "demo"


def test_python_ps(client: ollama.Client) -> None:
    """A model is loaded by its first use, is listed with its expiry and window, and goes when it is unloaded."""
    assert client.ps().models == []
    client.chat("demo", HELLO, options={"num_ctx": 2048}, keep_alive="10m")
    (running,) = client.ps().models
    assert (running.model, running.context_length) == ("demo:latest", 2048)
    assert running.expires_at is not None
    client.generate("demo", keep_alive=0)
    assert client.ps().models == []


@pytest.mark.parametrize(
    ("model", "more", "text"),
    [
        ("nosuch", {}, "model 'nosuch' not found (status code: 404)"),
        ("demo-plain", {"think": True}, '"demo-plain" does not support thinking (status code: 400)'),
        ("demo-embed", {}, '"demo-embed" does not support chat (status code: 400)'),
        ("demo", {"options": {"num_ctx": "big"}}, 'option "num_ctx" must be of type integer (status code: 500)'),
    ],
)
def test_python_errors(client: ollama.Client, model: str, more: dict, text: str) -> None:
    """ollama-python raises the server's own words with their status."""
    with pytest.raises(ollama.ResponseError) as caught:
        client.chat(model, HELLO, **more)
    assert str(caught.value) == text


def test_python_error_in_mid_stream(server: ScriptedServer, client: ollama.Client) -> None:
    """ollama-python raises an error line that comes after chunks."""
    server.faults.append(Fault("error_line", error="boom"))
    stream = client.chat("demo", HELLO, stream=True)
    assert next(stream).message.content == "Hello"
    with pytest.raises(ollama.ResponseError, match="boom"):
        list(stream)


@pytest.mark.skipif(not shutil.which("curl"), reason="there is no curl")
def test_curl(server: ScriptedServer) -> None:
    """curl, as the guide uses it, gets a stream, and the sentence of the root page."""
    body = json.dumps({"model": "demo", "messages": HELLO})
    assert _run("curl", "-sS", "--noproxy", "*", server.url) == "Ollama is running"
    lines = _run("curl", "-sS", "--noproxy", "*", f"{server.url}/api/chat", "-d", body).splitlines()
    assert "".join(json.loads(line)["message"]["content"] for line in lines).endswith(HELLO_TEXT)


@pytest.mark.skipif(not shutil.which("java"), reason="there is no Java")
def test_java(server: ScriptedServer) -> None:
    """The guide's Java client reads the whole reply and the streamed one."""
    program = str(Path(__file__).parent / "GuideClient.java")
    whole, *lines = _run("java", "-XX:TieredStopAtLevel=1", program, server.url).splitlines()
    assert whole.startswith("whole 200 ")
    texts = [json.loads(line.removeprefix("line "))["message"]["content"] for line in lines]
    assert json.loads(whole.removeprefix("whole 200 "))["message"]["content"] == "".join(texts)
    assert "".join(texts).endswith(HELLO_TEXT)


def _run(*command: str) -> str:
    environment = {
        **os.environ,
        "LC_ALL": "C.UTF-8",
        "JAVA_TOOL_OPTIONS": "-Dfile.encoding=UTF-8 -Dstdout.encoding=UTF-8",
    }
    done = subprocess.run(command, capture_output=True, check=True, timeout=60, env=environment)
    return done.stdout.decode()
