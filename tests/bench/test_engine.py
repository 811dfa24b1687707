"""What our server costs on top of the engine: tokens per second, and the time to the first token, in the same run."""

from __future__ import annotations

import json
import time
from http.client import HTTPConnection
from statistics import median
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from ollama_magic.demo.demo_server import DemoServer
from ollama_magic.demo.engine.local_model import LocalModel
from ollama_magic.demo.engine.local_models import SMALL_MODEL, local_models
from tests.engine.local_weights import local_weights

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.timeout(600)  # a busy machine evaluates few tokens a second
ROUNDS, TOKENS = 7, 64
QUESTION = "Tell me something about number {} and a long river, please."


@pytest.fixture(scope="module")
def server() -> Iterator[DemoServer]:
    with DemoServer(local=local_models(folder=local_weights().parent)) as server:
        yield server


def measured(url: str, path: str, body: dict[str, Any], key: str = "") -> tuple[float, float]:
    """Seconds to the first token, and tokens per second after it."""
    connection = HTTPConnection(urlsplit(url).netloc)
    began, times = time.perf_counter(), list[float]()
    connection.request("POST", path, json.dumps(body), {"Authorization": f"Bearer {key}"})
    for line in connection.getresponse():
        if line.strip():
            times.append(time.perf_counter())
    connection.close()
    return times[0] - began, (len(times) - 1) / max(times[-1] - times[0], 1e-9)


def test_our_server_against_the_engine(server: DemoServer) -> None:
    """Our server keeps 0.9 of the engine's tokens per second, and its first token comes 20 ms later at most."""
    model = server.state.language_models[SMALL_MODEL]
    assert isinstance(model, LocalModel)
    model.load({})
    engine = model._engine
    assert engine is not None
    direct, ours = list[tuple[float, float]](), list[tuple[float, float]]()
    for number in range(ROUNDS + 1):
        messages = [{"role": "user", "content": QUESTION.format(number)}]
        fields = {"messages": messages, "stream": True}
        options = {"temperature": 0, "num_predict": TOKENS, "num_ctx": 4096}
        turns = [
            (direct, f"http://{engine.host}:{engine.port}", "/v1/chat/completions"),
            (ours, server.url, "/api/chat"),
        ]
        for found, url, path in turns if number % 2 else reversed(turns):
            model.embed(["another text"])  # empties the cache of prompts
            own = (
                {"model": SMALL_MODEL, "options": options}
                if found is ours
                else {"max_tokens": TOKENS, "temperature": 0}
            )
            found.append(measured(url, path, {**fields, **own}, engine.key))
    ratio = median(mine[1] / own[1] for own, mine in zip(direct[1:], ours[1:], strict=True))
    later = median(mine[0] - own[0] for own, mine in zip(direct[1:], ours[1:], strict=True))
    speed, first = median(own[1] for own in direct[1:]), median(own[0] for own in direct[1:])
    print(f"\nthe engine: {speed:.1f} tokens/s, the first after {first * 1000:.0f} ms")
    print(f"our server: {ratio:.2f} of its tokens/s, the first {later * 1000:.1f} ms later")
    assert ratio >= 0.9
    assert later <= 0.020


@pytest.mark.parametrize("prompt", ["Tell me a long story.", "".join(f"{number} " for number in range(900))])
def test_the_next_request_begins(server: DemoServer, prompt: str) -> None:
    """After a client has left, in mid-answer or while its prompt is evaluated, the next one waits 200 ms at most."""
    model = server.state.language_models[SMALL_MODEL]
    short = {"model": SMALL_MODEL, "prompt": "Hi", "raw": True, "options": {"num_predict": 1, "num_ctx": 4096}}
    waited = list[float]()
    for _ in range(ROUNDS):
        model.embed(["another text"])
        alone = measured(server.url, "/api/generate", {**short, "stream": True})[0]
        leaving = HTTPConnection(urlsplit(server.url).netloc)
        messages = [{"role": "user", "content": prompt}]
        options = {"num_predict": 4000, "num_ctx": 4096}
        leaving.request(
            "POST", "/api/chat", json.dumps({"model": SMALL_MODEL, "messages": messages, "options": options})
        )
        time.sleep(1)
        leaving.close()
        waited.append(measured(server.url, "/api/generate", {**short, "stream": True})[0] - alone)
    print(f"\nthe next request begins {median(waited) * 1000:.0f} ms later ({max(waited) * 1000:.0f} ms at most)")
    assert median(waited) <= 0.2
