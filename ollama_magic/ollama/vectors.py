"""Embeddings as servers send them, new ones and old ones (dossier §14)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ollama_magic.errors import ServerError
from ollama_magic.foreign import one_line
from ollama_magic.ollama.protocol import count
from ollama_magic.ollama.requests import Embeddings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


def read_embeddings(body: Mapping[str, Any], expected: int) -> Embeddings:
    """Return the vectors of `/api/embed`; raises ServerError if there is not one for each text."""
    rows = body.get("embeddings")
    vectors = [_vector(row) for row in rows] if isinstance(rows, list) else []
    if len(vectors) != expected:
        raise ServerError(f"The server sent {len(vectors)} embeddings for {expected} texts; is one of them empty?")
    model = body.get("model")
    return Embeddings(
        model=one_line(model) if isinstance(model, str) else "",
        vectors=vectors,
        prompt_tokens=count(body.get("prompt_eval_count")),
        total_ns=count(body.get("total_duration")),
        load_ns=count(body.get("load_duration")),
    )


def read_embedding(body: Mapping[str, Any], dimensions: int | None = None) -> list[float]:
    """Return the vector of `/api/embeddings`, cut and brought to length 1 as newer servers do it."""
    return _unit(_vector(body.get("embedding"))[: dimensions or None])


def joined(parts: Sequence[Embeddings]) -> Embeddings:
    """Return what several requests for one model brought, as if it had been one."""
    if len(parts) == 1:
        return parts[0]
    return Embeddings(
        parts[0].model,
        [vector for part in parts for vector in part.vectors],
        _sum(part.prompt_tokens for part in parts),
        _sum(part.total_ns for part in parts),
        _sum(part.load_ns for part in parts),
    )


def _sum(counts: Iterable[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def _vector(row: object) -> list[float]:
    try:
        found = list(map(float, row)) if isinstance(row, list) else []
    except (TypeError, ValueError, OverflowError):
        found = []
    if not found or not all(map(math.isfinite, found)):
        raise ServerError("The server sent an embedding that is no list of numbers; is the text empty?")
    return found


def _unit(vector: list[float]) -> list[float]:
    length = math.hypot(*vector)
    return [part / length for part in vector] if length else vector
