"""Embed and embeddings: vectors that are made from the text alone, so that alike texts have alike vectors."""

from __future__ import annotations

import struct
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ollama_magic.demo.recordings.text_pieces import pieces as tokens
from ollama_magic.demo.recordings.word_vectors import normalized, word_vector
from tests.double.endpoints.model_lookup import NOT_FOUND_PULL, found
from tests.double.endpoints.old_versions import read
from tests.double.wire.go_bodies import Body, Refusal, check_options
from tests.double.wire.go_fields import EMBED, EMBEDDINGS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.double.faults import Fault
    from tests.double.library.scripted_models import DemoModel
    from tests.double.scripted_state import ScriptedState
    from tests.double.wire.http import Exchange

_UNABLE = "This server does not support embeddings. Start it with `--embeddings`"
_NO_INPUT = "Failed to create new sequence: no input provided"
_RAW = 20.0  # about the length of a vector before it is normalised


def embed(stage: ScriptedState, exchange: Exchange, _fault: Fault | None) -> None:
    """One normalised vector per input, in their order; one input that fails fails them all."""
    body = read(stage, exchange, EMBED)
    name = str(body.get("model", ""))
    if not name.strip():
        raise Refusal(404, "model '' not found")
    model = found(stage, name, NOT_FOUND_PULL, exchange.path)
    inputs = _inputs(body.get("input"))
    with _loaded(stage, exchange, model, body) as load_ns:
        if not inputs:
            exchange.json({"model": name, "embeddings": []})
            return
        kept = _fitting(model, inputs, body)
        _check(stage, model, 501)
        if not all(inputs):
            raise Refusal(400 if stage.age.has("native") else 500, _NO_INPUT)
        size = _dimensions(model, body)
        reply = {
            "model": name,
            "embeddings": [[_float32(one) for one in vector(model, text, size)] for text in kept],
            "total_duration": time.monotonic_ns() - exchange.arrived,
            "load_duration": load_ns,
            "prompt_eval_count": sum(len(tokens(text)) for text in kept),
        }
        exchange.json(reply)


def embeddings(stage: ScriptedState, exchange: Exchange, _fault: Fault | None) -> None:
    """The old way: one vector of one prompt, as the runner gives it."""
    body = read(stage, exchange, EMBEDDINGS)
    name, prompt = str(body.get("model", "")), str(body.get("prompt", ""))
    if not name.strip():
        raise Refusal(400, "model is required")
    model = found(stage, name, NOT_FOUND_PULL, exchange.path)
    with _loaded(stage, exchange, model, body):
        if prompt:
            _check(stage, model, 500)
        raw = [one * _RAW for one in vector(model, prompt, model.embedding_length)] if prompt else []
        exchange.json({"embedding": raw})


def _inputs(given: object) -> list[str]:
    if given is None or given == "":
        return []
    texts = given if isinstance(given, list) else [given]
    if not all(isinstance(text, str) for text in texts):
        raise Refusal(400, "invalid input type")
    return [str(text) for text in texts]


@contextmanager
def _loaded(stage: ScriptedState, exchange: Exchange, model: DemoModel, body: Body) -> Iterator[int]:
    """The model, ready while the block runs; yields how long that took, in ns."""
    keep = body.get("keep_alive")
    fresh = stage.loaded.load(model, check_options(body.get("options")), keep if isinstance(keep, float) else None)
    try:
        if fresh:
            exchange.connection.pause(stage.load_seconds)
        yield time.monotonic_ns() - exchange.arrived
    finally:
        stage.loaded.release(model)
        if keep == 0:
            stage.loaded.unload(model)


def _fitting(model: DemoModel, inputs: Sequence[str], body: Body) -> list[str]:
    """The inputs, what is too long cut to the window less two tokens, or refused."""
    room = model.window(check_options(body.get("options"))) - 2
    long = any(len(tokens(text)) > room for text in inputs)
    if long and body.get("truncate") is False:
        raise Refusal(400, "the input length exceeds the context length")
    return ["".join(tokens(text)[:room]) for text in inputs] if long else list(inputs)


def _check(stage: ScriptedState, model: DemoModel, status: int) -> None:
    """Before v0.30 any model could."""
    if "embedding" not in model.capabilities and stage.age.has("native"):
        raise Refusal(status, _UNABLE)


def _dimensions(model: DemoModel, body: Body) -> int:
    """As many as asked for; what is larger than the vector is ignored."""
    asked = body.get("dimensions")
    return asked if isinstance(asked, int) and 0 < asked < model.embedding_length else model.embedding_length


def vector(model: DemoModel, text: str, size: int) -> list[float]:
    """A vector of length 1 for a text, cut to so many dimensions."""
    return normalized(word_vector(text, model.weights, model.embedding_length)[:size])


def _float32(value: float) -> float:
    """The shortest number that is the same in 32 bits, as Go writes it."""
    exact = struct.unpack("f", struct.pack("f", value))[0]
    for digits in (6, 7, 8, 9):
        short = float(f"{value:.{digits}g}")
        if struct.unpack("f", struct.pack("f", short))[0] == exact:
            return short
    return float(exact)
