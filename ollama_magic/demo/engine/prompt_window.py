"""A prompt that is longer than the context window: cut or refused, as Ollama does it; no I/O."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ollama_magic.demo.language_model import ModelError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_NO_SHIFT = (
    "the prompt is longer than the context length currently available to the model; shorten the prompt, adjust the "
    "context length in settings, or use a model with a longer context length"
)


def fitted_tokens(tokens: Sequence[int], window: int, keep: int, body: Mapping[str, Any]) -> list[int]:
    """The tokens of a prompt that go to the model.

    Args:
        tokens: The whole prompt.
        window: The context length in tokens; one of them stays free for the answer.
        keep: How many tokens stay at the front when the middle is cut (`num_keep`).
        body: The request; its `truncate` and `shift` may forbid the cut.

    Raises:
        ModelError: The prompt is too long and may not be cut.
    """
    if len(tokens) < window:
        return list(tokens)
    if body.get("truncate") is False:
        raise ModelError(400, _too_long(len(tokens), window))
    if body.get("shift") is False:
        raise ModelError(400, _NO_SHIFT)
    half = window // 2
    front = min(max(keep, 0), half)
    return [*tokens[:front], *tokens[len(tokens) - (half - front) :]]


def _too_long(count: int, window: int) -> str:
    """The error as llama.cpp's server writes it: JSON within Ollama's error text."""
    reason = f"request ({count} tokens) exceeds the available context size ({window} tokens), try increasing it"
    facts = {"type": "exceed_context_size_error", "n_prompt_tokens": count, "n_ctx": window}
    return json.dumps({"error": {"code": 400, "message": reason, **facts}}, separators=(",", ":"))
