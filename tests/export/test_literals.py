"""Foreign text as a literal of another language: exact, on its line, and seen as what it is."""

from __future__ import annotations

import ast
import json

import pytest

from ollama_magic.export.literals import java_literal, java_text, json_body, json_literal, python_literal
from ollama_magic.foreign import printable, repaired
from tests.export.hostile import TEXTS, mixed

ALL = [*TEXTS, *(mixed(seed) for seed in range(300))]


@pytest.mark.parametrize("literal", [json_literal, python_literal])
def test_a_literal_is_one_line_that_a_screen_shows_as_it_is(literal) -> None:
    """No text can break the line that its literal stands on, nor hide in it."""
    for text in ALL:
        shown = literal(text)
        assert len(shown.splitlines()) == 1
        assert printable(shown) == shown


def test_json_and_python_read_back_what_was_written() -> None:
    """Every text comes back from its JSON and its Python literal, lone surrogates as U+FFFD."""
    for text in ALL:
        assert json.loads(json_literal(text)) == repaired(text)
        assert ast.literal_eval(python_literal(text)) == repaired(text)


def test_values_read_back() -> None:
    """Numbers, truth values, lists and objects come back from their Python literal."""
    value = {"stop": ["a", '"'], "seed": 7, "temperature": 0.5, "use_mmap": True, "x": None, "deep": {"'": []}}
    assert ast.literal_eval(python_literal(value)) == value


def test_a_body_has_no_line_that_a_text_has_made() -> None:
    """The body as it is printed is the same JSON, and each message stands on one line of it."""
    body = {"model": "m", "messages": [{"role": "user", "content": text} for text in ALL], "stream": True}
    lines = json_body(body).split("\n")
    assert len(lines) == len(ALL) + 6
    assert json.loads("\n".join(lines))["messages"][-1]["content"] == repaired(ALL[-1])


def test_java_has_no_odd_run_of_backslashes() -> None:
    """In a Java text every run of backslashes before a letter is even, so that none begins a Unicode escape."""
    for text in ALL:
        for shown in (java_literal(json_literal(text)), java_text(json_literal(text), "")):
            bare = shown.replace("\\\\", "").replace('\\"', "").replace("\\n", "")
            assert "\\" not in bare
            assert '"""' not in shown[3:-3]
