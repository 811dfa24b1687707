"""Embed: one vector for each text, from the language model of the asked model."""

from __future__ import annotations

import math
import struct
import time
from typing import TYPE_CHECKING, Any

from ollama_magic.demo.server_state import NOT_FOUND_PULL
from ollama_magic.demo.transport.request_body import EMBED, Refusal, check_options, read_body

if TYPE_CHECKING:
    from ollama_magic.demo.language_model import LanguageModel
    from ollama_magic.demo.models.model_card import DemoModel
    from ollama_magic.demo.server_state import ServerState
    from ollama_magic.demo.transport.exchange import Exchange
    from ollama_magic.demo.transport.request_body import Body

_UNABLE = "This server does not support embeddings. Start it with `--embeddings`"
_NO_INPUT = "Failed to create new sequence: no input provided"


def embed(state: ServerState, exchange: Exchange) -> None:
    """One normalised vector per input, in their order; one input that fails fails them all."""
    body = read_body(exchange.body, EMBED)
    name = str(body.get("model", ""))
    if not name.strip():
        raise Refusal(404, "model '' not found")
    model, texts = state.find(name, NOT_FOUND_PULL), _texts(body.get("input"))
    with state.ready(model, check_options(body.get("options")), body.get("keep_alive")):
        load_ns = time.monotonic_ns() - exchange.arrived
        if not texts:
            exchange.json({"model": name, "embeddings": []})
            return
        language_model = state.language_model(model)
        fitting = _fitting(language_model, model, texts, body)
        if "embedding" not in model.capabilities:
            raise Refusal(501, _UNABLE)
        if not all(texts):
            raise Refusal(400, _NO_INPUT)
        vectors = [_shortened(vector, body.get("dimensions")) for vector in language_model.embed(fitting)]
        statistics = {
            "total_duration": time.monotonic_ns() - exchange.arrived,
            "load_duration": load_ns,
            "prompt_eval_count": sum(len(language_model.tokenize(text)) for text in fitting),
        }
        exchange.json({"model": name, "embeddings": vectors, **statistics})


def _texts(value: Any) -> list[str]:
    if value is None or value == "":
        return []
    texts = value if isinstance(value, list) else [value]
    if not all(isinstance(text, str) for text in texts):
        raise Refusal(400, "invalid input type")
    return texts


def _fitting(language_model: LanguageModel, model: DemoModel, texts: list[str], body: Body) -> list[str]:
    """The inputs, what is too long cut to the window less two tokens, or refused."""
    room = model.window(check_options(body.get("options"))) - 2
    tokens = [language_model.tokenize(text) for text in texts]
    if any(len(one) > room for one in tokens) and body.get("truncate") is False:
        raise Refusal(400, "the input length exceeds the context length")
    pairs = zip(texts, tokens, strict=True)
    return [text if len(one) <= room else language_model.detokenize(one[:room]) for text, one in pairs]


def _shortened(vector: list[float], dimensions: object) -> list[float]:
    """The first so many dimensions, stretched to length 1 again; a larger number is ignored."""
    if isinstance(dimensions, int) and 0 < dimensions < len(vector):
        length = math.sqrt(sum(one * one for one in vector[:dimensions])) or 1.0
        vector = [one / length for one in vector[:dimensions]]
    return [_float32(one) for one in vector]


def _float32(value: float) -> float:
    """The shortest number that is the same in 32 bits, as Go writes it."""
    exact = struct.unpack("f", struct.pack("f", value))[0]
    for digits in (6, 7, 8, 9):
        short = float(f"{value:.{digits}g}")
        if struct.unpack("f", struct.pack("f", short))[0] == exact:
            return short
    return float(exact)
