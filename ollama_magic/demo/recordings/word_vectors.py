"""Vectors that are made from the words of a text alone, so that texts with the same words are near; no I/O."""

from __future__ import annotations

import hashlib
import math
import re


def word_vector(text: str, seed: str, size: int) -> list[float]:
    """A vector of length 1: each word turns it its own way, and a little the whole text.

    Args:
        text: Any text.
        seed: Different seeds give unrelated vectors.
        size: The number of dimensions.
    """
    total = [0.0] * size
    for word in [*re.findall(r"[\u4e00-\u9fff]|\w+", text.lower()), text]:
        weight = 0.25 if word is text else 1.0
        for place, one in enumerate(_direction(f"{seed} {word}", size)):
            total[place] += weight * one
    return normalized(total)


def normalized(vector: list[float]) -> list[float]:
    """The vector, stretched to length 1."""
    length = math.sqrt(sum(one * one for one in vector)) or 1.0
    return [one / length for one in vector]


def _direction(word: str, size: int) -> list[float]:
    rounds = range(-(-size // 32))
    data = b"".join(hashlib.sha256(f"{number} {word}".encode("utf-8", "replace")).digest() for number in rounds)
    return [byte / 127.5 - 1 for byte in data[:size]]
