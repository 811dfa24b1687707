"""The official Python library drives the demo server through all its calls, synchronous and asynchronous."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import ollama
import pytest

from tests.double import CODE, DEMO, EMBEDDING, PLAIN, SMALL, VISION, ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PICTURE = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def client() -> Iterator[ollama.Client]:
    with ScriptedServer(pace=0, models=[DEMO, PLAIN, EMBEDDING, SMALL, CODE, VISION]) as server:
        made = ollama.Client(host=server.url)
        yield made
        made._client.close()


def models(client: ollama.Client) -> list[str]:
    return [str(model.model) for model in client.list().models]


def test_chat_with_a_function(client: ollama.Client) -> None:
    """A Python function is offered as a tool, called with an object of arguments, and its result is told."""

    def add(a: int, b: int) -> int:
        """Add two numbers."""
        return a + b

    messages: list = [{"role": "user", "content": "What is 2 plus 3?"}]
    reply = client.chat("demo-small", messages, tools=[add])
    (call,) = reply.message.tool_calls
    assert (call.function.name, add(**call.function.arguments)) == ("add", 5)
    messages += [reply.message, {"role": "tool", "tool_name": "add", "content": "5"}]
    assert "`5`" in client.chat("demo-small", messages, tools=[add]).message.content


def test_chat_with_everything(client: ollama.Client) -> None:
    """Format, options, logprobs, an image and keep_alive in one request."""
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}}
    message = {"role": "user", "content": "Count", "images": [PICTURE]}
    reply = client.chat(
        "demo-vision", [message], format=schema, options={"seed": 1}, logprobs=True, top_logprobs=2, keep_alive=-1
    )
    assert reply.message.content == '{"n": 1}'
    assert "".join(one.token for one in reply.logprobs) == '{"n": 1}'
    assert len(reply.logprobs[0].top_logprobs) == 2
    assert client.ps().models[0].expires_at.year > 2300


def test_generate_with_everything(client: ollama.Client) -> None:
    """Suffix, raw, template, context, system, images, thinking, streamed and whole."""
    assert client.generate("demo-code", "def f(x):\n    return ", suffix="\n").response.startswith("x  #")
    first = client.generate("demo-plain", "My name is Ada", system="Be kind.")
    assert "**Ada**" in client.generate("demo-plain", "What is my name?", context=first.context).response
    assert client.generate("demo-plain", "Hi", raw=True).context is None
    assert client.generate("demo-plain", "Hi", template="{{ .Prompt }}").response
    assert client.generate("demo-vision", "Hi", images=[PICTURE]).response
    parts = list(client.generate("demo", "Is 91 a prime number?", think="high", stream=True))
    assert "".join(part.thinking or "" for part in parts)
    assert (parts[-1].done, parts[-1].done_reason) == (True, "stop")
    assert client.generate("demo-plain").done_reason == "load"
    assert client.generate("demo-plain", keep_alive=0).done_reason == "unload"


def test_embed_and_embeddings(client: ollama.Client) -> None:
    """One text, several, fewer dimensions, and the old call."""
    assert len(client.embed("demo-embed", "a cat").embeddings) == 1
    reply = client.embed("demo-embed", ["a cat", "the moon"], dimensions=16, truncate=True)
    assert [len(vector) for vector in reply.embeddings] == [16, 16]
    assert min(reply.total_duration, reply.load_duration, reply.prompt_eval_count) > 0
    assert len(client.embeddings("demo-embed", "a cat").embedding) == 64


def test_pull_copy_push_delete(client: ollama.Client) -> None:
    """The life of a model: it comes, gets a second name, goes out, and is deleted."""
    assert client.delete("demo-code").status == "success"
    assert "demo-code:latest" not in models(client)
    progress = list(client.pull("demo-code", stream=True))
    assert (progress[0].status, progress[-1].status) == ("pulling manifest", "success")
    assert any(part.completed for part in progress)
    assert client.copy("demo-code", "me/mine").status == "success"
    assert [part.status for part in client.push("me/mine", stream=True)][-1] == "success"
    assert client.push("me/mine").status == "success"
    assert client.pull("demo-code").status == "success"
    client.delete("me/mine")
    assert models(client)[0] == "demo-code:latest"


def test_create_and_blob(client: ollama.Client, tmp_path: Path) -> None:
    """A model from another one, and one from a file that is uploaded first."""
    messages = [{"role": "user", "content": "I am Ada"}]
    made = client.create(
        "mine", from_="demo", system="Be kind.", parameters={"top_k": 2}, messages=messages, license="M"
    )
    assert made.status == "success"
    shown = client.show("mine")
    assert ("top_k" in shown.parameters, shown.license, "SYSTEM Be kind." in shown.modelfile) == (True, "M", True)
    file = tmp_path / "x.gguf"
    file.write_bytes(b"GGUF" + bytes(100))
    digest = client.create_blob(file)
    steps = [part.status for part in client.create("file", files={"x.gguf": digest}, stream=True)]
    assert (steps[0], steps[-1]) == ("parsing GGUF", "success")
    assert models(client)[:2] == ["file:latest", "mine:latest"]


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda client: client.pull("nosuch"), "pull model manifest: file does not exist (status code: 500)"),
        (lambda client: list(client.pull("nosuch", stream=True)), "pull model manifest: file does not exist"),
        (lambda client: client.copy("nosuch", "x"), 'model "nosuch" not found (status code: 404)'),
        (lambda client: client.delete("nosuch"), "model 'nosuch' not found (status code: 404)"),
        (lambda client: client.show("nosuch"), "model 'nosuch:latest' not found (status code: 404)"),
        (lambda client: client.embed("nosuch", "x"), 'model "nosuch" not found, try pulling it first'),
        (lambda client: client.create("x"), "neither 'from' or 'files' was specified (status code: 400)"),
        (lambda client: client.push("me/nosuch"), "no such file or directory (status code: 500)"),
        (lambda client: client.generate("demo-plain", "x", suffix="y"), "does not support insert (status code: 400)"),
    ],
)
def test_errors(client: ollama.Client, call: object, text: str) -> None:
    """Each call raises the server's own words."""
    with pytest.raises(ollama.ResponseError) as caught:
        call(client)
    assert text in str(caught.value)


def test_the_asynchronous_client() -> None:
    """The same server, several calls at once."""

    async def ask(url: str) -> list[object]:
        client = ollama.AsyncClient(host=url)
        try:
            pull = [part.status async for part in await client.pull("demo-small", stream=True)]
            both = await asyncio.gather(client.generate("demo", "Hello"), client.embed("demo-embed", "x"), client.ps())
            return [pull[-1], *both]
        finally:
            await client._client.aclose()

    with ScriptedServer(pace=0, models=[DEMO, EMBEDDING]) as server:
        status, generated, embedded, _ = asyncio.run(ask(server.url))
    assert (status, bool(generated.response), len(embedded.embeddings)) == ("success", True, 1)
