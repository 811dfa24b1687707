"""Answers that are values, from a real model: the grammar makes them fit, and small tasks are right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import pytest

import ollama_magic
from ollama_magic.answer_types.answer_format import format_named
from ollama_magic.demo.demo_server import DemoServer
from ollama_magic.demo.engine.local_models import SMALL_MODEL, local_models
from ollama_magic.errors import AnswerInvalid
from ollama_magic.functions import sessions
from tests.answer_types.kinds import NAMES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SURE: dict[str, Any] = {"temperature": 0, "num_predict": 200}


@dataclass
class Person:
    name: str
    age: int


Mood = Literal["positive", "negative", "neutral"]


@pytest.fixture(scope="module", autouse=True)
def server(weights: Path) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OLLAMA_MAGIC_ENGINE_THREADS", "1")
        with DemoServer(pace=0, local=local_models(folder=weights.parent)) as server:
            patch.setenv("OLLAMA_HOST", server.url)
            sessions._own_session.cache_clear()
            yield
            sessions._own_session().close()
            sessions._own_session.cache_clear()


def test_a_name_and_an_age_are_extracted() -> None:
    """One sentence becomes an object of the type, and it is right."""
    prompt = "Extract the name and the age: My name is Tom and I am 27."
    reply = ollama_magic.chat(prompt, model=SMALL_MODEL, format=Person, options=SURE)
    assert reply.value == Person("Tom", 27)
    assert reply.frame().to_dict("records") == [{"name": "Tom", "age": 27}]


@pytest.mark.parametrize(
    ("review", "mood"),
    [("I love this phone, it is wonderful!", "positive"), ("Terrible. It broke after one day.", "negative")],
)
def test_a_label_out_of_three_is_right(review: str, mood: str) -> None:
    """A Literal has the model choose one of its texts."""
    prompt = f"Review: {review}\nIs this review positive, negative or neutral?"
    assert ollama_magic.chat(prompt, model=SMALL_MODEL, format=Mood, options=SURE).value == mood


def test_a_list_of_records_is_extracted() -> None:
    """Two people become two records, and stream one by one."""
    prompt = "Extract all people with name and age: Ada is 36 and Tom is 27."
    stream = ollama_magic.stream(prompt, model=SMALL_MODEL, format=list[Person], options=SURE)
    states = [(person, stream.reply.state) for person in stream]
    assert states[0] == (Person("Ada", 36), "running")
    assert [person for person, _ in states] == [Person("Ada", 36), Person("Tom", 27)]


@pytest.mark.parametrize(
    "name", ["Country", "list[Row]", "dict[str, int]", "Pair", "Mood", "Pet", "Price", "Tree", "City | Row", "SCHEMA"]
)
def test_the_grammar_of_each_kind_is_kept(name: str) -> None:
    """Whatever a very small model writes can be read as the type, unless it was cut, which is told."""
    options = {"temperature": 0, "num_predict": 80}
    kind = format_named(name, NAMES)
    reply = ollama_magic.chat("Give an example as JSON.", model=SMALL_MODEL, format=kind, options=options)
    if reply.done_reason == "stop":
        assert reply.value is not None
    else:
        with pytest.raises(AnswerInvalid, match="cut at its length limit"):
            _ = reply.value
