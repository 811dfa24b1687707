"""Prompts that are longer than the window."""

from __future__ import annotations

import json

import pytest

from ollama_magic.demo.engine.prompt_window import fitted_tokens
from ollama_magic.demo.language_model import ModelError


def test_what_fits_stays() -> None:
    """A prompt that leaves room for one token is not touched."""
    assert fitted_tokens(range(255), 256, 4, {}) == list(range(255))


def test_the_middle_is_cut() -> None:
    """Of a longer prompt the first tokens stay and the end, half a window in all."""
    assert fitted_tokens(range(1000), 256, 4, {}) == [0, 1, 2, 3, *range(876, 1000)]
    assert len(fitted_tokens(range(1000), 256, 10_000, {})) == 128


def test_it_may_be_forbidden() -> None:
    """With `truncate` or `shift` false the prompt is refused, in the server's words."""
    with pytest.raises(ModelError) as refused:
        fitted_tokens(range(300), 256, 4, {"truncate": False})
    error = json.loads(refused.value.text)["error"]
    assert (refused.value.status, error["n_prompt_tokens"], error["n_ctx"]) == (400, 300, 256)
    with pytest.raises(ModelError, match="longer than the context length") as refused:
        fitted_tokens(range(300), 256, 4, {"shift": False})
    assert refused.value.status == 400
