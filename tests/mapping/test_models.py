"""Several models for the same rows: a column each."""

from __future__ import annotations

import json
from typing import Any

import pytest

import ollama_magic
from ollama_magic.errors import InputError, ModelNotFound
from tests.double.library.scripted_models import DemoModel
from tests.mapping.replies import Mood


def by_model(body: dict[str, Any]) -> list[str]:
    """An answer that differs by model."""
    mood = "good" if body["model"].startswith("nice") else "bad"
    if body.get("format") and "hard" in body["prompt"] and mood == "bad":
        return ["no idea"]
    return [json.dumps({"mood": mood})] if body.get("format") else [f"{body['model']} says {mood}"]


def test_each_model_has_a_column(start) -> None:
    """Texts are a column named like the model, fields of values one for each, and a failure says whose it is."""
    start(models=[DemoModel("nice:latest"), DemoModel("nasty:latest")], answers=by_model)
    frame = ollama_magic.map("{{text}}", ["easy", "hard"], model=["nice", "nasty"]).frame()
    assert list(frame.columns) == ["text", "nice", "nasty", "state", "error", "tokens", "seconds"]
    assert list(frame["nasty"]) == ["nasty says bad"] * 2
    results = ollama_magic.map("{{text}}", ["easy", "hard"], model=["nice", "nasty"], format=Mood)
    frame = results.frame()
    assert list(frame.columns)[1:3] == ["nice.mood", "nasty.mood"]
    assert list(frame["nice.mood"]) == ["good", "good"]
    assert list(frame["state"]) == ["complete", "failed"]
    assert frame["error"][1].startswith("nasty: The answer is no Mood")
    assert len(results) == 4
    assert [(row.index, row.model, row.value and row.value["mood"]) for row in results if row.index == 0] == [
        (0, "nice", "good"),
        (0, "nasty", "bad"),
    ]


def test_answers_of_another_model_are_not_taken(start, cache) -> None:
    """The model is part of what an answer depends on, and so are system, options and format."""
    server = start(models=[DemoModel("nice:latest"), DemoModel("nasty:latest")], answers=by_model)
    for number, settings in enumerate(
        [{}, {"model": "nasty"}, {"system": "Be brief."}, {"options": {"seed": 1}}, {"format": Mood}, {"think": None}]
    ):
        ollama_magic.map("{{text}}", ["a"], cache=cache, **{"model": "nice", **settings}).wait()
        asked = [one for one in server.requests if one.path == "/api/generate"]
        assert len(asked) == min(number + 1, 5)


def test_a_name_that_is_none_is_refused_before_anything_is_sent(start) -> None:
    """However many rows there are, the first model is not asked if the second one is not there."""
    server = start(models=[DemoModel("nice:latest")], answers=by_model)
    with pytest.raises(ModelNotFound, match="nasty"):
        ollama_magic.map("{{text}}", ["a", "b"], model=["nice", "nasty"]).wait()
    assert not [one for one in server.requests if one.path == "/api/generate"]


@pytest.mark.parametrize("names", [[], (), [""], ["nice", ""]])
def test_a_list_of_no_names_is_refused(start, names) -> None:
    """An empty list is no wish for the default model."""
    server = start(models=[DemoModel("nice:latest")], answers=by_model)
    with pytest.raises(InputError, match=r"model is a name, or a list of names, such as"):
        ollama_magic.map("{{text}}", ["a"], model=names)
    assert not [one for one in server.requests if one.path == "/api/generate"]
