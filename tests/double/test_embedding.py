"""Embed and embeddings: vectors that a test can rely on."""

from __future__ import annotations

import math

import pytest

from tests.demo.lines import error, loaded, post, told
from tests.double import EMBEDDING, PLAIN, ScriptedServer


def length(vector: list[float]) -> float:
    return math.sqrt(sum(one * one for one in vector))


def likeness(one: list[float], other: list[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True)) / length(one) / length(other)


def vectors(server: ScriptedServer, *texts: str, **more: object) -> list[list[float]]:
    return told(server, "embed", model="demo-embed", input=list(texts), **more)["embeddings"]


def test_vectors_are_normalised_and_keep_the_order() -> None:
    """One vector of length 1 per input; the same text has the same vector in any place, and on any server."""
    with ScriptedServer(models=[EMBEDDING]) as server:
        one, other, again = vectors(server, "a cat", "the moon", "a cat")
    with ScriptedServer(models=[EMBEDDING]) as server:
        assert vectors(server, "the moon") == [other]
    assert one == again != other
    assert len(one) == 64
    assert [round(length(vector), 5) for vector in (one, other)] == [1, 1]


def test_alike_texts_have_alike_vectors() -> None:
    """Texts that share words are nearer to each other than texts that share none, in English and in Chinese."""
    with ScriptedServer(models=[EMBEDDING]) as server:
        cat, cats, moon = vectors(server, "the cat sleeps at home", "the cat sleeps outside", "rockets fly far")
        han, near, far = vectors(server, "今天天气很好", "今天天气不好", "火箭")
    assert likeness(cat, cats) > 0.4 > likeness(cat, moon)
    assert likeness(han, near) > 0.4 > likeness(han, far)


def test_dimensions_cut_and_normalise_again() -> None:
    """Fewer are the first ones, stretched to length 1; more than there are is ignored."""
    with ScriptedServer(models=[EMBEDDING]) as server:
        (whole,), (eight,), (many,) = (vectors(server, "a cat", dimensions=n) for n in (0, 8, 9999))
    assert many == whole
    assert len(eight) == 8
    assert round(length(eight), 5) == 1
    assert likeness(eight, whole[:8]) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("nothing", [None, "", []])
def test_empty_input_loads_the_model(nothing: object) -> None:
    """No vectors, no statistics, and the model is in memory."""
    with ScriptedServer(models=[EMBEDDING]) as server:
        assert told(server, "embed", model="demo-embed", input=nothing) == {"model": "demo-embed", "embeddings": []}
        assert [model["name"] for model in loaded(server)] == ["demo-embed:latest"]


def test_one_failing_input_fails_all() -> None:
    """A batch with an empty text is refused as a whole."""
    with ScriptedServer(models=[EMBEDDING]) as server:
        status, text = error(server, "embed", model="demo-embed", input=["a", ""])
    assert (status, text) == (400, "Failed to create new sequence: no input provided")


def test_long_input_is_cut_or_refused() -> None:
    """What does not fit is cut silently, or refused where `truncate` is false."""
    asked = {"model": "demo-embed", "input": "word " * 100, "options": {"num_ctx": 32}}
    with ScriptedServer(models=[EMBEDDING]) as server:
        assert told(server, "embed", **asked)["prompt_eval_count"] == 30
        assert error(server, "embed", **asked, truncate=False) == (400, "the input length exceeds the context length")


def test_models_that_cannot_embed() -> None:
    """Since v0.30 another model is refused; before, any model did it."""
    asked = {"model": "demo-plain", "input": "a"}
    with ScriptedServer(models=[PLAIN]) as server:
        assert error(server, "embed", **asked)[0] == 501
    with ScriptedServer(models=[PLAIN], version="0.12.5") as server:
        assert len(told(server, "embed", **asked)["embeddings"]) == 1


def test_the_old_way() -> None:
    """One vector of one prompt, not normalised; nothing for nothing; the only way before v0.2.6."""
    with ScriptedServer(models=[EMBEDDING], version="0.1.14") as server:
        (vector,) = told(server, "embeddings", model="demo-embed", prompt="a cat").values()
        assert told(server, "embeddings", model="demo-embed", prompt="") == {"embedding": []}
        assert post(server, "embed", model="demo-embed", input="a").status == 404
    assert length(vector) == pytest.approx(20)
