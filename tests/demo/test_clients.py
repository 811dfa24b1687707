"""Clients that people use talk to the demo server unchanged: ollama-python, curl, the guide's Java client."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import ollama
import pytest

from ollama_magic.demo.demo_server import DemoServer
from ollama_magic.demo.engine.local_models import local_models
from ollama_magic.demo.models.model_card import SMALL
from tests.engine.local_weights import local_weights

if TYPE_CHECKING:
    from collections.abc import Iterator

HELLO = [{"role": "user", "content": "Hello, how are you?"}]
HELLO_TEXT = "How’s your day going so far?\n\n*recorded: gemma3:1b, 2025-04-22*"
FREE = [{"role": "user", "content": "Name a river of Peru, please."}]
REAL_LABEL = "*smollm2:135m: a real answer, and often wrong*"
JAVA = Path(__file__).parents[1] / "double" / "GuideClient.java"


@pytest.fixture
def server() -> Iterator[DemoServer]:
    with DemoServer(pace=0) as running:
        yield running


@pytest.fixture(scope="module")
def real_server() -> Iterator[DemoServer]:
    """A server with the small real model."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OLLAMA_MAGIC_ENGINE_THREADS", "1")
        with DemoServer(pace=0, local=local_models(folder=local_weights().parent)) as running:
            yield running


@pytest.fixture
def real_client(real_server: DemoServer) -> Iterator[ollama.Client]:
    made = ollama.Client(host=real_server.url)
    yield made
    made._client.close()


@pytest.fixture
def client(server: DemoServer) -> Iterator[ollama.Client]:
    made = ollama.Client(host=server.url)
    yield made
    made._client.close()


def test_python_chat_and_generate(client: ollama.Client) -> None:
    """Whole replies and streams are read into their types, with statistics."""
    reply = client.chat("demo", HELLO)
    assert reply.message.content.endswith(HELLO_TEXT)
    assert min(reply.total_duration, reply.load_duration, reply.prompt_eval_count, reply.eval_count) > 0
    chunks = list(client.chat("demo", [{"role": "user", "content": "Give me a puzzle"}], stream=True, think=True))
    assert chunks[0].message.thinking
    assert [chunk.done for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
    assert client.generate("demo", "Hello, how are you?").response.endswith(HELLO_TEXT)
    assert "".join(part.response for part in client.generate("demo", "Hello", stream=True)).startswith("Hello! 👋")


def test_python_asks_freely(real_client: ollama.Client) -> None:
    """A question that nobody wrote an answer to gets one from the real model, whole and as a stream."""
    options = {"temperature": 0, "num_predict": 6}
    whole = real_client.chat("demo", FREE, options=options)
    chunks = list(real_client.chat("demo", FREE, options=options, stream=True))
    assert (whole.message.content or "").endswith(REAL_LABEL)
    assert "".join(chunk.message.content or "" for chunk in chunks) == whole.message.content
    assert (chunks[-1].eval_count, chunks[-1].done_reason) == (6, "length")


def test_python_models(client: ollama.Client) -> None:
    """A model is pulled, listed, shown, copied, made, loaded, unloaded and deleted."""
    progress = [part.status for part in client.pull("demo-small", stream=True)]
    assert (progress[0], progress[-1]) == ("pulling manifest", "success")
    assert client.create("kind", from_="demo", system="Be kind.", parameters={"top_k": 2}).status == "success"
    assert client.copy("kind", "me/kind").status == "success"
    assert [model.model for model in client.list().models][:2] == ["me/kind:latest", "kind:latest"]
    shown = client.show("KIND:latest")
    assert ("top_k" in shown.parameters, "SYSTEM Be kind." in shown.modelfile) == (True, True)
    assert shown.modelinfo["demo.context_length"] == 32_768
    client.chat("demo", HELLO, options={"num_ctx": 2048}, keep_alive="10m")
    (running,) = client.ps().models
    assert (running.model, running.context_length) == ("demo:latest", 2048)
    assert client.generate("demo", keep_alive=0).done_reason == "unload"
    assert client.ps().models == []
    assert client.delete("kind").status == "success"


def test_python_embed(client: ollama.Client) -> None:
    """Vectors come in the order of the texts, cut to fewer dimensions where that is asked for."""
    client.pull("demo-embed")
    reply = client.embed("demo-embed", ["a cat", "the moon"], dimensions=16)
    assert [len(vector) for vector in reply.embeddings] == [16, 16]
    assert min(reply.total_duration, reply.load_duration, reply.prompt_eval_count) > 0


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda client: client.chat("nosuch", HELLO), "model 'nosuch' not found (status code: 404)"),
        (lambda client: client.show("nosuch"), "model 'nosuch:latest' not found (status code: 404)"),
        (lambda client: client.embed("nosuch", "x"), 'model "nosuch" not found, try pulling it first'),
        (lambda client: client.pull("nosuch"), "pull model manifest: file does not exist (status code: 500)"),
        (lambda client: client.generate("demo", "x", suffix="y"), "does not support insert (status code: 400)"),
    ],
)
def test_python_errors(client: ollama.Client, call: object, text: str) -> None:
    """Each call raises the server's own words with their status."""
    with pytest.raises(ollama.ResponseError) as caught:
        call(client)
    assert text in str(caught.value)


def test_python_tools_of_a_model_without_them() -> None:
    """A model that cannot call tools refuses them in Ollama's words."""
    with DemoServer(pace=0, models=[SMALL]) as server:
        client = ollama.Client(host=server.url)
        with pytest.raises(ollama.ResponseError, match="does not support tools"):
            client.chat("demo-small", HELLO, tools=[print])
        client._client.close()


@pytest.mark.skipif(not shutil.which("curl"), reason="there is no curl")
def test_curl(server: DemoServer, real_server: DemoServer) -> None:
    """curl, as the guide uses it, gets a stream, recorded or real, and the sentence of the root page."""
    body = json.dumps({"model": "demo", "messages": HELLO})
    assert _run("curl", "-sS", "--noproxy", "*", server.url) == "Ollama is running"
    free = json.dumps({"model": "demo", "messages": FREE, "options": {"num_predict": 6}})
    for url, asked, end in ((server.url, body, HELLO_TEXT), (real_server.url, free, REAL_LABEL)):
        lines = _run("curl", "-sS", "--noproxy", "*", f"{url}/api/chat", "-d", asked).splitlines()
        assert len(lines) > 5
        assert "".join(json.loads(line)["message"]["content"] for line in lines).endswith(end)


@pytest.mark.skipif(not shutil.which("java"), reason="there is no Java")
def test_java(server: DemoServer, real_server: DemoServer) -> None:
    """The guide's Java client reads the whole reply and the streamed one, of recordings and of the real model."""
    texts = _java(server.url)
    assert texts[0] == texts[1]
    assert texts[0].endswith(HELLO_TEXT)
    for text in _java(real_server.url, FREE[0]["content"]):
        assert text.endswith(REAL_LABEL)
        assert len(text) > len(REAL_LABEL) + 2


def _java(*arguments: str) -> tuple[str, str]:
    """The text of the whole reply, and that of the stream."""
    whole, *lines = _run("java", "-XX:TieredStopAtLevel=1", str(JAVA), *arguments).splitlines()
    assert whole.startswith("whole 200 ")
    texts = [json.loads(line.removeprefix("line "))["message"]["content"] for line in lines]
    return json.loads(whole.removeprefix("whole 200 "))["message"]["content"], "".join(texts)


def _run(*command: str) -> str:
    environment = {
        **os.environ,
        "LC_ALL": "C.UTF-8",
        "JAVA_TOOL_OPTIONS": "-Dfile.encoding=UTF-8 -Dstdout.encoding=UTF-8",
    }
    done = subprocess.run(command, capture_output=True, check=True, timeout=60, env=environment)
    return done.stdout.decode()
