"""Ollama's options as llama.cpp wants them."""

from __future__ import annotations

import pytest

from ollama_magic.demo.engine.sampling import sampling_fields


def test_ollamas_defaults() -> None:
    """What a request does not set has Ollama's default, not llama.cpp's."""
    fields = sampling_fields({}, None, 4096)
    assert (fields["temperature"], fields["top_k"], fields["top_p"], fields["min_p"]) == (0.8, 40, 0.9, 0.0)
    assert (fields["repeat_penalty"], fields["repeat_last_n"], fields["n_keep"], fields["seed"]) == (1.0, 64, 4, -1)
    assert fields["n_predict"] == 40_960
    assert "json_schema" not in fields


def test_what_is_set() -> None:
    """Options go over by value, also those that llama.cpp has and Ollama has not; unknown ones stay out."""
    options = {"temperature": 0, "seed": 7, "stop": ["\n"], "num_keep": 9, "mirostat": 2, "dry_base": "x", "odd": 1}
    fields = sampling_fields(options, None, 4096)
    assert (fields["temperature"], fields["seed"], fields["stop"], fields["n_keep"]) == (0, 7, ["\n"], 9)
    assert fields["mirostat"] == 2
    assert not {"odd", "dry_base", "num_keep"} & set(fields)


@pytest.mark.parametrize(("wanted", "length"), [(5, 5), (-1, 2560), (-2, 2560), (0, 2560), (10**9, 2560), (None, 2560)])
def test_the_length_of_an_answer(wanted: int | None, length: int) -> None:
    """An answer without an end stops after ten windows, as Ollama's does."""
    assert sampling_fields({"num_predict": wanted}, None, 256)["n_predict"] == length


def test_formats() -> None:
    """`json` asks for an object, a schema for what fits it."""
    assert sampling_fields({}, "json", 256)["json_schema"] == {"type": "object"}
    assert sampling_fields({}, {"type": "integer"}, 256)["json_schema"] == {"type": "integer"}
