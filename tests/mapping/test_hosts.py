"""Servers that refuse, die, come back, or lack the model: every row is answered all the same, and it is said."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import ollama_magic
from ollama_magic.errors import InputError, ModelNotFound, ServerUnreachable
from ollama_magic.mapping import asking, hosts
from tests.double.faults import Fault, nobody
from tests.mapping.quick_server import QuickServer, Refusal

if TYPE_CHECKING:
    from ollama_magic.mapping.outcome import Outcome
    from ollama_magic.ollama.protocol import ChatChunk


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that is left out is tried after a moment."""
    monkeypatch.setattr(hosts, "RETRY_S", (0.05, 0.1))


@pytest.mark.parametrize("refusal", [Refusal(503), Refusal(429, retry_after="0.3"), Refusal(503, retry_after="0.3")])
def test_a_server_without_room_is_asked_later(quick, refusal) -> None:
    """A refusal for lack of room fails no row: it is asked when the server said, or after a rest."""
    refused: list[float] = []

    async def answer(prompt: str) -> str | Refusal:
        if len(refused) < 3:
            refused.append(time.monotonic())
            return refusal
        return prompt

    server = quick(answer)
    began = time.monotonic()
    assert ollama_magic.map("{{text}}", range(20)).values == [str(number) for number in range(20)]
    assert server.total == 23
    assert time.monotonic() - began >= (0.3 if refusal.headers else 0.2)


def test_a_connection_that_breaks_off_is_asked_anew_and_a_row_that_always_breaks_it_fails(quick) -> None:
    """Three times at most: it may be the row that ends the server."""

    async def answer(prompt: str) -> str | Refusal:
        return Refusal(0) if prompt == "3" or server.asked[prompt] + server.asked["5"] == 2 else prompt

    server = quick(answer)
    results = ollama_magic.map("{{text}}", range(10))
    assert [row.index for row in results.errors] == [3]
    assert "hung up" in results.errors[0].error
    assert server.asked["3"] <= 6  # the client itself repeats a request on a connection that was dead


def test_a_server_that_dies_and_comes_back_loses_no_row(quick) -> None:
    """While it is away nothing fails; every row is answered when it is back."""

    async def answer(prompt: str) -> str:
        await asyncio.sleep(60 if server.total > 15 else 0)  # what it has begun is lost when it dies
        return prompt

    server = quick(answer)
    results = ollama_magic.map("{{text}}", range(60))
    port = int(server.url.rpartition(":")[2])
    while len(results._tally.order) < 10:
        time.sleep(0.01)
    server.stop()
    time.sleep(0.3)
    with QuickServer(port=port) as again:
        assert results.values == [str(number) for number in range(60)]
        assert again.total > 0


def test_a_server_that_stays_away_ends_the_map(quick) -> None:
    """After the time of a row without any answer the rest fails with one line, and is not asked."""
    server = quick(latency=0.1)
    results = ollama_magic.map("{{text}}", range(60), timeout=1.5, concurrency=2)
    while len(results._tally.order) < 10:
        time.sleep(0.01)
    server.stop()
    assert len(results.errors) <= 50
    assert "No Ollama server at" in results.errors[-1].error
    assert "failed 3 times in a row" in " ".join(results.notes)


def test_rows_go_to_whichever_host_has_room(quick) -> None:
    """Two hosts share the rows; one that is not there is left out, and said; so is one that lacks the model."""
    one, two, three = quick(latency=0.01), quick(latency=0.01), quick(model="other:latest")
    away = nobody()
    results = ollama_magic.map(
        "{{text}}", range(60), model="quick", hosts=[one.url, two.url, three.url, away], concurrency=2
    )
    assert results.values == [str(number) for number in range(60)]
    assert one.total > 10
    assert two.total > 10
    assert one.total + two.total == 60
    said = "\n".join(results.notes)
    assert f"{three.url.removeprefix('http://')} is left out: No model" in said
    assert f"No Ollama server at {away}" in said


def test_a_host_with_another_model_of_that_name_is_left_out(quick) -> None:
    """Answers of two models are never mixed under one name."""
    one, two = quick(), quick(digest="d2")
    results = ollama_magic.map("{{text}}", range(10), hosts=[one.url, two.url])
    assert len(results.values) == 10
    assert two.total == 0
    assert "is another one" in " ".join(results.notes)


def test_a_host_that_dies_in_the_middle_is_replaced_by_the_other(quick) -> None:
    """Its rows are asked elsewhere, and what it had failed with is said."""
    one, two = quick(latency=0.02), quick(latency=60)
    results = ollama_magic.map("{{text}}", range(100), hosts=[one.url, two.url], concurrency=4)
    while two.now < 4:
        time.sleep(0.01)
    two.stop()
    assert results.values == [str(number) for number in range(100)]
    assert "failed 3 times in a row" in " ".join(results.notes)


def test_what_cannot_be_asked_at_all_is_one_error(quick) -> None:
    """No server, no such model, hosts that are none: one line, and no row."""
    quick()
    with pytest.raises(ServerUnreachable):
        ollama_magic.map("{{text}}", ["a"], hosts=[nobody()]).frame()
    with pytest.raises(ModelNotFound):
        ollama_magic.map("{{text}}", ["a"], model="nobody").frame()
    for wrong in ([], [""], "", [7], 7, b"gpu1"):
        with pytest.raises(InputError, match="hosts is a list"):
            ollama_magic.map("{{text}}", ["a"], hosts=wrong)
    for wrong in (0, True, "2", float("nan"), np.float64(-1)):
        with pytest.raises(InputError, match="concurrency is a number above 0"):
            ollama_magic.map("{{text}}", ["a"], concurrency=wrong)
    for wrong in (1.5, float("inf")):
        with pytest.raises(InputError, match="concurrency is a whole number"):
            ollama_magic.map("{{text}}", ["a"], concurrency=wrong)
    for wrong in (0, float("nan"), "60"):
        with pytest.raises(InputError, match="timeout is a number above 0"):
            ollama_magic.map("{{text}}", ["a"], timeout=wrong)
    with pytest.raises(InputError, match="cache is a path, True, False or None, not ndarray"):
        ollama_magic.map("{{text}}", ["a"], cache=np.zeros(2))


def test_numbers_of_numpy_are_numbers(quick) -> None:
    """A limit that was computed counts like one that was typed; None is the usual one, and none is too large."""
    quick()
    for timeout in (np.float32(5), np.int64(5), None, 10**400, float("inf")):
        assert ollama_magic.map("{{text}}", ["a"], concurrency=np.int64(2), timeout=timeout).values == ["a"]


def test_a_fault_of_our_own_fails_its_row(quick, monkeypatch) -> None:
    """What nobody has foreseen is that row's one line, and the others are answered."""
    quick()
    read = asking.read_answer

    def broken(chunk: ChatChunk, *arguments: Any) -> Outcome:
        if chunk.content == "b":
            raise RuntimeError("unforeseen")
        return read(chunk, *arguments)

    monkeypatch.setattr(asking, "read_answer", broken)
    results = ollama_magic.map("{{text}}", ["a", "b", "c"])
    assert results.values == ["a", None, "c"]
    assert [row.error.partition(":")[0] for row in results.errors] == ["ollama_magic itself failed (RuntimeError"]


def test_a_server_that_streams_all_the_same(start) -> None:
    """Of an answer that comes in lines, though it was asked for in one piece, no word is lost; a cut one is cut."""
    server = start()
    lines = [b'{"response": "one ", "done": false}\n', b'{"response": "two ", "done": false}\n']
    for end in (b'{"response": "three", "done": true}\n', b""):
        server.faults.append(Fault("error_first", status=200, body=b"".join([*lines, end]), path="/api/generate"))
    results = ollama_magic.map("{{text}}", ["a", "b"], concurrency=1)
    assert results.values == ["one two three", None]
    assert results[1].text == "one two "
    assert "was cut" in results[1].error


def test_a_stop_frees_the_servers(quick) -> None:
    """`stop()` hangs up on every host at once, and what was done stays."""

    async def answer(prompt: str) -> str:
        await asyncio.sleep(60 if prompt != "0" else 0)
        return prompt

    one, two = quick(answer), quick(answer)
    results = ollama_magic.map("{{text}}", range(20), concurrency=4, hosts=[one.url, two.url])
    while one.now < 4 or two.now < 4 or results[0].state != "complete":
        time.sleep(0.01)
    results.stop()
    end = time.monotonic() + 5
    while one.left + two.left < 8 and time.monotonic() < end:
        time.sleep(0.01)
    assert (one.left, two.left) == (4, 4)
    assert results.state == "stopped"
    assert list(results.frame()["state"]) == ["complete"] + ["waiting"] * 19


def test_a_map_in_a_thread_is_stopped_from_another(quick) -> None:
    """Whoever waits is told that it was stopped."""
    quick(latency=60)
    results = ollama_magic.map("{{text}}", range(3))
    timer = threading.Timer(0.2, results.stop)
    timer.start()
    with pytest.raises(ollama_magic.TurnStopped, match="Stopped; 0 of 3 done"):
        results.frame()
    timer.join()


def test_a_host_that_comes_back_without_the_model_fails_no_row(quick) -> None:
    """It is looked up again before it gets a row, and then left out."""
    left_out = threading.Event()

    async def answer(prompt: str) -> str:
        if prompt > "5":
            await asyncio.to_thread(left_out.wait, 30)
        return prompt

    one, away = quick(answer), nobody()
    results = ollama_magic.map("{{text}}", range(80), model="quick", hosts=[one.url, away])
    with QuickServer(model="other:latest", port=int(away.rpartition(":")[2])) as other:
        while "is left out: No model" not in " ".join(results.notes):
            time.sleep(0.01)
        left_out.set()
        assert results.values == [str(number) for number in range(80)]
        assert other.total == 0
    assert f"{away.removeprefix('http://')} is left out: No model" in " ".join(results.notes)
