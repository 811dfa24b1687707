"""Values as records and as JSON."""

import json
import sys

import pytest
from pydantic import RootModel

from ollama_magic.answer_types.records import frame_of, is_model, records_of, value_json
from ollama_magic.errors import InputError
from tests.answer_types.kinds import Cat, City, Country, Mood, Pair

Cities, Words = RootModel[list[City]], RootModel[list[str]]
CASES = [
    ([City("a", 1)], [{"name": "a", "population": 1, "twins": []}]),
    (City("a", 1), [{"name": "a", "population": 1, "twins": []}]),
    (
        [Country(name="P", cities=[City("a", 1)])],
        [{"name": "P", "cities": [{"name": "a", "population": 1, "twins": []}], "founded": None}],
    ),
    (Pair(1, "x"), [{"left": 1, "right": "x"}]),
    ([Pair(1)], [{"left": 1, "right": "r"}]),
    ([Mood.GOOD, Mood.BAD], [{"value": "good"}, {"value": "bad"}]),
    ("good", [{"value": "good"}]),
    ({"a": 1}, [{"a": 1}]),
    ((1, 2), [{"value": 1}, {"value": 2}]),
    (Cities([City("a", 1)]), [{"name": "a", "population": 1, "twins": []}]),
    ([Words(["a"]), Words([])], [{"value": ["a"]}, {"value": []}]),
    ([], []),
]


@pytest.mark.parametrize(("value", "records"), CASES, ids=range(len(CASES)))
def test_a_value_has_records(value, records):
    """A list has a record for each element, anything else one; what has no names is called value."""
    assert records_of(value) == records
    assert frame_of(value).to_dict("records") == records


def test_a_value_is_json():
    """Models, dataclasses, Enums and dates are written as JSON."""
    text = value_json([Country(name="P", cities=[City("é", 1)], founded="1821-07-28"), Mood.GOOD])
    assert json.loads(text)[0]["founded"] == "1821-07-28"
    assert "é" in text
    assert json.loads(value_json(Words(["a"]))) == ["a"]
    assert is_model(Cat(kind="cat", lives=9))
    assert not any(map(is_model, [Cat, City("a", 1), [], None, 1]))


def test_without_pandas_one_line_says_what_brings_it(monkeypatch):
    """A frame needs pandas, which nothing else here needs."""
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(InputError, match="`pip install pandas` brings it"):
        frame_of([1])
