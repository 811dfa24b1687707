"""How a row is saved: the key of everything that its answer depends on, and its body. Pure."""

from __future__ import annotations

import json
from hashlib import blake2b
from typing import TYPE_CHECKING

from ollama_magic.mapping.outcome import COMPLETE, Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_KEY_BYTES = 16


class RowKeys:
    """The keys of the rows of one map with one model.

    Args:
        body: The request without its prompt.
        digest: The digest of the model, "" if it is not known.
    """

    def __init__(self, body: Mapping[str, object], digest: str) -> None:
        text = json.dumps([body, digest], sort_keys=True, default=str)
        self._begun = blake2b(text.encode("utf8", "surrogatepass"), digest_size=_KEY_BYTES)

    def of(self, prompt: str, attachments: Sequence[str] = ()) -> bytes:
        """Return the key of a prompt with its attachments, each named by its hash."""
        begun = self._begun.copy()
        for digest in attachments:
            begun.update(f"{digest}\n".encode())
        begun.update(b"\0" + prompt.encode("utf8", "surrogatepass"))
        return begun.digest()


def body_of(outcome: Outcome) -> bytes:
    """Return a complete answer as bytes for the store: tokens and seconds on a line, then the text."""
    head = f"{'-' if outcome.tokens is None else outcome.tokens} {outcome.seconds:.3f}\n"
    return (head + outcome.text).encode("utf8", "surrogatepass")


def outcome_of(body: bytes) -> Outcome | None:
    """Return the answer that was saved; None for what cannot be read."""
    head, line_end, text = body.partition(b"\n")
    try:
        tokens, seconds = head.split()
        known = None if tokens == b"-" else int(tokens)
        found = Outcome(COMPLETE, text.decode("utf8", "surrogatepass"), tokens=known, seconds=float(seconds))
    except ValueError:
        return None
    found.cached = True
    return found if line_end else None
