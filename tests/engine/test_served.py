"""A real model behind the demo server: what a client of Ollama sees of it."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from contextlib import ExitStack
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import ollama
import pytest

from ollama_magic.demo.demo_server import DemoServer
from ollama_magic.demo.engine import local_models as module
from ollama_magic.demo.engine.local_models import SMALL_MODEL, local_models
from ollama_magic.demo.engine.weights import WeightsError
from ollama_magic.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ollama_magic.demo.engine.local_model import LocalModel

SHORT = {"temperature": 0, "num_predict": 8}
UNRECORDED = "Name three rivers of Peru, will you?"


@pytest.fixture(scope="module")
def server(weights: Path) -> Iterator[DemoServer]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OLLAMA_MAGIC_ENGINE_THREADS", "1")
        with DemoServer(pace=0, local=local_models(folder=weights.parent)) as server:
            yield server


@pytest.fixture(scope="module")
def client_of() -> Iterator[Callable[[DemoServer], ollama.Client]]:
    """Makes clients, and closes them in the end."""
    with ExitStack() as stack:

        def made(server: DemoServer) -> ollama.Client:
            client = ollama.Client(server.url)
            stack.callback(client._client.close)
            return client

        yield made


@pytest.fixture(scope="module")
def client(server: DemoServer, client_of: Callable[[DemoServer], ollama.Client]) -> ollama.Client:
    return client_of(server)


def engine(server: DemoServer) -> LocalModel:
    return server.state.language_models[SMALL_MODEL]  # type: ignore[return-value]


def said(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


def lines(server: DemoServer, path: str, body: object) -> list[dict[str, Any]]:
    """The lines of a reply."""
    connection = HTTPConnection(urlsplit(server.url).netloc)
    try:
        connection.request("POST", path, json.dumps(body))
        return [json.loads(line) for line in connection.getresponse().read().splitlines()]
    finally:
        connection.close()


def test_it_is_listed_beside_the_demo(client: ollama.Client, server: DemoServer) -> None:
    """The list has `demo` and the small model with the facts of its file; the server says who answers."""
    demo, small = client.list().models
    assert (demo.model, small.model) == ("demo:latest", SMALL_MODEL)
    assert small.details is not None
    assert (small.details.family, small.details.parameter_size, small.details.quantization_level) == (
        "llama",
        "134.52M",
        "Q4_1",
    )
    assert small.size == 98_362_432
    assert server.described == "smollm2:135m, a very small real model, and recorded answers"


def test_it_is_shown(client: ollama.Client) -> None:
    """`show` has the licence, the chat template and what the file says about itself."""
    shown = client.show(SMALL_MODEL)
    assert "Apache License" in (shown.license or "")
    assert "im_start" in (shown.template or "")
    assert set(shown.capabilities or ()) == {"completion", "embedding"}
    assert shown.modelinfo is not None
    assert shown.modelinfo["llama.context_length"] == 8192


def test_it_answers(client: ollama.Client) -> None:
    """A turn is streamed in pieces, with statistics at its end."""
    chunks = list(client.chat(SMALL_MODEL, said("Count to five."), stream=True, options=SHORT))
    assert len(chunks) > 3
    last = chunks[-1]
    assert (last.done, last.done_reason, last.eval_count) == (True, "length", 8)
    assert last.prompt_eval_count
    assert last.eval_duration
    whole = client.chat(SMALL_MODEL, said("Count to five."), options=SHORT)
    assert whole.message.content == "".join(chunk.message.content or "" for chunk in chunks)


def test_the_demo_says_which_of_three_it_was(client: ollama.Client) -> None:
    """`demo` hands what was neither recorded nor written beforehand to the real model; the last line says so."""
    written = client.chat("demo", said("Tell me a joke")).message.content or ""
    assert written.splitlines()[-1] == "*demo: scripted reply, no language model*"
    real = client.chat("demo", said(UNRECORDED), options=SHORT).message.content or ""
    assert real.splitlines()[-1] == "*smollm2:135m: a real answer, and often wrong*"
    assert len(real.splitlines()) > 1
    person = client.chat(
        "demo", said("A person as JSON."), format="json", options={"num_predict": 120, "temperature": 0}
    )
    assert (person.message.content or "").lstrip().startswith("{")


@pytest.mark.parametrize(
    ("path", "more", "error"),
    [
        ("chat", {"tools": [{"type": "function"}]}, "does not support tools"),
        ("chat", {"think": True}, "does not support thinking"),
        ("generate", {"prompt": "a", "suffix": "b"}, "does not support insert"),
        ("generate", {"prompt": "a", "images": ["aGk="]}, "does not support multimodal"),
        ("generate", {"prompt": "a", "context": ["a"]}, "type must be number"),
        ("generate", {"prompt": "a", "context": [10**9]}, "range_check"),
    ],
)
def test_what_it_cannot(server: DemoServer, path: str, more: dict[str, Any], error: str) -> None:
    """Tools, thinking, a suffix, images and foreign tokens are refused with the reason, as Ollama refuses them."""
    body = {"model": SMALL_MODEL, "messages": said("Hi"), "stream": False, **more}
    assert error in lines(server, f"/api/{path}", body)[0]["error"]


def test_a_file_that_cannot_be_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that does not load says why, whatever it is asked."""
    monkeypatch.setenv("OLLAMA_MAGIC_ENGINE_THREADS", "1")
    path = tmp_path / "empty.gguf"
    path.write_bytes(b"GGUF\x03\x00\x00\x00" + bytes(64))
    with DemoServer(pace=0, local=local_models([str(path)], tmp_path)) as server:
        for asked, body in (("chat", {"messages": said("Hi")}), ("generate", {"prompt": "Hi"})):
            reply = lines(server, f"/api/{asked}", {"model": "empty", "stream": False, **body})
            assert reply[0]["error"].startswith("unable to load model")


def test_a_model_made_of_it(client: ollama.Client) -> None:
    """A model made of it has its system text and parameters, and shares its process."""
    client.create("pirate", from_=SMALL_MODEL, system="You are a pirate.", parameters={"num_predict": 5})
    rendered = client.chat("pirate", said("Hello."))
    assert rendered.eval_count == 5
    plain = client.chat(SMALL_MODEL, said("Hello."), options={"num_predict": 5})
    assert rendered.prompt_eval_count != plain.prompt_eval_count
    client.delete("pirate")


def test_its_vectors(client: ollama.Client) -> None:
    """Near texts have near vectors."""
    texts = ["A cat sleeps on the sofa.", "A kitten naps on the couch.", "The stock market fell by 3 % today."]
    cat, kitten, market = client.embed(SMALL_MODEL, texts).embeddings
    assert len(cat) == 576

    def near(first: Any, second: Any) -> float:
        return sum(one * other for one, other in zip(first, second, strict=True))

    assert near(cat, kitten) > near(cat, market)


def test_loaded_and_unloaded(client: ollama.Client, server: DemoServer) -> None:
    """`ps` shows the memory of the process; `keep_alive` 0 ends it."""
    client.generate(SMALL_MODEL, "", keep_alive="10m")
    (running,) = [model for model in client.ps().models if model.model == SMALL_MODEL]
    pid = engine(server).pid
    assert pid is not None
    assert (running.size or 0) > 100_000_000
    assert running.context_length == 4096
    client.generate(SMALL_MODEL, "", keep_alive=0)
    deadline = time.monotonic() + 5
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert engine(server).pid is None
    assert SMALL_MODEL not in [model.model for model in client.ps().models]


def test_a_prompt_that_does_not_fit(server: DemoServer) -> None:
    """Old messages are dropped until the rest fits; with `truncate` false the request is refused."""
    messages = [{"role": "user", "content": f"{number} " + "word " * 60} for number in range(8)]
    options = {"num_ctx": 256, "num_predict": 1}
    body = {"model": SMALL_MODEL, "messages": messages, "options": options, "stream": False}
    (answer,) = lines(server, "/api/chat", body)
    assert answer["prompt_eval_count"] < 256
    (refused,) = lines(server, "/api/chat", {**body, "truncate": False})
    assert "exceeds the available context size" in refused["error"]


@pytest.mark.parametrize("prompt", ["Tell me a long story.", "".join(f"{number} " for number in range(600))])
def test_the_client_leaves(server: DemoServer, client: ollama.Client, prompt: str) -> None:
    """When a client leaves in mid-answer or while its prompt is evaluated, the next one is answered."""
    connection = HTTPConnection(urlsplit(server.url).netloc)
    body = {"model": SMALL_MODEL, "messages": said(prompt), "options": {"num_predict": 4000}}
    connection.request("POST", "/api/chat", json.dumps(body))
    if "story" in prompt:
        connection.getresponse().readline()
    else:
        time.sleep(0.3)
    connection.close()
    assert client.chat(SMALL_MODEL, said("Hi."), options={"num_predict": 1}).eval_count == 1


def test_the_engine_is_killed(server: DemoServer, client: ollama.Client) -> None:
    """When the engine is killed in mid-answer the answer ends with an error line; the next turn works."""
    chunks = client.chat(SMALL_MODEL, said("A long story."), stream=True, options={"num_predict": 4000})
    next(chunks)
    killed = engine(server).pid
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    with pytest.raises(ollama.ResponseError, match="unexpected EOF"):
        list(chunks)
    assert client.chat(SMALL_MODEL, said("Hi."), options={"num_predict": 1}).eval_count == 1


def test_twenty_at_once(client: ollama.Client) -> None:
    """Twenty requests at once are all answered."""
    counts: list[int | None] = []

    def ask() -> None:
        counts.append(client.chat(SMALL_MODEL, said("Hi."), options={"num_predict": 2, "temperature": 0}).eval_count)

    threads = [threading.Thread(target=ask) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts == [2] * 20


@pytest.fixture
def unfetched(weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DemoServer]:
    """A server whose weights are not there yet; a download brings them in two steps."""
    folder = tmp_path / "cache"

    def fetched(target: Path) -> Iterator[int]:
        target.mkdir()
        yield 0
        yield 40_000_000
        os.link(weights, target / weights.name)
        yield 92_871_040

    monkeypatch.setattr(module, "fetch_weights", fetched)
    monkeypatch.setenv("OLLAMA_MAGIC_ENGINE_THREADS", "1")
    with DemoServer(pace=0, local=local_models(folder=folder)) as server:
        yield server


def test_pulled(unfetched: DemoServer, client_of: Callable[[DemoServer], ollama.Client]) -> None:
    """A pull reports the bytes that come; then the model is listed, answers, and answers for `demo`."""
    client = client_of(unfetched)
    assert [model.model for model in client.list().models] == ["demo:latest"]
    assert unfetched.described.startswith("recorded answers only: smollm2:135m is not here yet")
    progress = list(client.pull(SMALL_MODEL, stream=True))
    assert [line.completed for line in progress if line.digest] == [None, 40_000_000, 92_871_040, 92_871_040]
    assert {line.total for line in progress if line.digest} == {92_871_040}
    assert [line.status for line in progress if not line.digest] == [
        "pulling manifest",
        "verifying sha256 digest",
        "writing manifest",
        "success",
    ]
    assert SMALL_MODEL in [model.model for model in client.list().models]
    assert "smollm2:135m: a real answer" in (client.chat("demo", said(UNRECORDED), options=SHORT).message.content or "")
    again = list(client.pull(SMALL_MODEL, stream=True))
    assert [line.completed for line in again if line.digest] == [92_871_040]


def test_deleted(unfetched: DemoServer, tmp_path: Path, client_of: Callable[[DemoServer], ollama.Client]) -> None:
    """The fetched file is deleted with the last model that needs it."""
    client = client_of(unfetched)
    client.pull(SMALL_MODEL)
    client.copy(SMALL_MODEL, "mine")
    client.delete(SMALL_MODEL)
    assert list((tmp_path / "cache").iterdir())
    client.delete("mine")
    assert not list((tmp_path / "cache").iterdir())


def test_a_pull_that_fails(
    unfetched: DemoServer, monkeypatch: pytest.MonkeyPatch, client_of: Callable[[DemoServer], ollama.Client]
) -> None:
    """A download that fails is one error line, and the rest of the server works."""

    def fails(_folder: Path) -> Iterator[int]:
        yield 0
        raise WeightsError("pip could not fetch it.")

    monkeypatch.setattr(module, "fetch_weights", fails)
    client = client_of(unfetched)
    with pytest.raises(ollama.ResponseError, match="pip could not fetch it"):
        list(client.pull(SMALL_MODEL, stream=True))
    assert client.chat("demo", said("Tell me a joke")).message.content


def test_a_file_of_the_users_own(
    weights: Path, tmp_path: Path, client_of: Callable[[DemoServer], ollama.Client]
) -> None:
    """`FILE=NAME` serves a GGUF under that name, a blob of an Ollama under what is written in it."""
    blob = tmp_path / f"sha256-{'ab' * 32}"
    os.link(weights, blob)
    found = local_models([f"{weights}=mine:1b", str(blob)], tmp_path / "none")
    assert [card.name for card in found.cards] == ["mine:1b", "smollm2"]
    assert found.cards[1].weights == f"sha256:{'ab' * 32}"
    with DemoServer(pace=0, local=found) as server:
        client = client_of(server)
        assert [model.model for model in client.list().models] == ["demo:latest", "mine:1b", "smollm2:latest"]
        assert client.generate("mine:1b", "Hi", options={"num_predict": 1}).eval_count == 1
        client.delete("mine:1b")
    assert weights.is_file()


@pytest.mark.parametrize(
    ("argument", "line"),
    [
        ("{tmp}/none.gguf", r"^[^\n]*none\.gguf cannot be read \(No such file or directory\)\.$"),
        ("{tmp}/notes.txt", r"^notes\.txt is no GGUF file[^\n]*$"),
        ("{tmp}/empty.gguf", r"^empty\.gguf is no GGUF file[^\n]*$"),
        ("{tmp}/notes.txt=no name", r"^no name is no model name[^\n]*$"),
        ("{tmp}", r"cannot be read \(Is a directory\)\.$"),
        ("{tmp}/notes.txt=", r"^An empty name is no model name; [^\n]*$"),
        ("{tmp}/pipe.gguf", r"pipe\.gguf is a pipe; save what it brings as a file\.$"),
        ("~nobody-of-that-name/x.gguf", r"cannot be read \(there is no such home folder\)\.$"),
    ],
)
def test_a_file_that_cannot_be_served(tmp_path: Path, argument: str, line: str) -> None:
    """A file that is missing, empty or no GGUF, and a name that is none, are one line."""
    (tmp_path / "notes.txt").write_text("Dear diary")
    (tmp_path / "empty.gguf").write_text("")
    os.mkfifo(tmp_path / "pipe.gguf")
    with pytest.raises(InputError, match=line):
        local_models([argument.format(tmp=tmp_path)])


def test_no_engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where the engine has no wheel the server has recorded answers only, and says why."""
    monkeypatch.setattr(module, "engine_installed", lambda: False)
    found = local_models(folder=tmp_path)
    assert (found.cards, found.sources) == ([], ())
    assert DemoServer(local=found).described.startswith("recorded answers only: no engine is installed")
    with pytest.raises(InputError, match="needs the engine"):
        local_models(["mine.gguf"])
