"""Embeddings from new and old servers (protocol.md §14)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ollama_magic.errors import InputError, ServerError
from ollama_magic.foreign import one_line
from ollama_magic.ollama.stats import count

if TYPE_CHECKING:
    from array import array
    from collections.abc import Iterable, Mapping, Sequence

    Flat = array[float]


@dataclass(frozen=True)
class Embeddings:
    """One vector of length 1 for each text, in order (protocol.md §14)."""

    model: str
    vectors: list[list[float]]
    prompt_tokens: int | None = None
    total_ns: int | None = None
    load_ns: int | None = None

    @property
    def array(self) -> Any:
        """The vectors as a NumPy array of float32, one row for each text; InputError without NumPy."""
        numpy = _numpy()
        width = len(self.vectors[0]) if self.vectors else 0
        return numpy.asarray(self.vectors, dtype=numpy.float32).reshape(len(self.vectors), width)


class ManyEmbeddings(Embeddings):
    """The vectors of thousands of texts, in float32 one behind the other; as lists only where they are asked for."""

    @classmethod
    def of(cls, model: str, flat: Flat, width: int, prompt_tokens: int | None) -> ManyEmbeddings:
        """Return the embeddings in `flat`, which has `width` numbers for each text."""
        made = cls.__new__(cls)
        values = {"model": model, "prompt_tokens": prompt_tokens, "total_ns": None, "load_ns": None}
        made.__dict__.update(values, _flat=flat, _width=width)
        return made

    def __getattr__(self, name: str) -> Any:
        if name != "vectors":
            raise AttributeError(name)
        width, flat = self.__dict__["_width"], self.__dict__["_flat"]
        count = len(flat) // width if width else 0
        found = [flat[place * width : (place + 1) * width].tolist() for place in range(count)]
        self.__dict__["vectors"] = found
        return found

    def __len__(self) -> int:
        return len(self.__dict__["_flat"]) // int(max(1, self.__dict__["_width"]))

    def __repr__(self) -> str:
        return f"<{len(self):,} vectors of {self.__dict__['_width']:,} numbers by {self.model}>"

    @property
    def array(self) -> Any:
        """The vectors as a NumPy array of float32, one row for each text; InputError without NumPy."""
        numpy = _numpy()
        return numpy.frombuffer(self.__dict__["_flat"], dtype=numpy.float32).reshape(len(self), self.__dict__["_width"])


def _numpy() -> Any:
    try:
        import numpy as np
    except ImportError:
        raise InputError("An array needs NumPy, which is not installed; `pip install numpy` brings it.") from None
    return np


def read_embeddings(body: Mapping[str, Any], expected: int) -> Embeddings:
    """Return the vectors of `/api/embed`; raise ServerError if there is not one for each text."""
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
    """Return the vector of `/api/embeddings`, shortened and normalised like newer servers do."""
    return _unit(_vector(body.get("embedding"))[: dimensions or None])


def joined(parts: Sequence[Embeddings]) -> Embeddings:
    """Join the embeddings of several requests."""
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
        raise ServerError("The server sent an embedding that is not a list of numbers; is the text empty?")
    return found


def _unit(vector: list[float]) -> list[float]:
    length = math.hypot(*vector)
    return [part / length for part in vector] if length else vector
