"""The elements of a list as they are finished, however the text is cut."""

import json

import pytest

from ollama_magic.answer_types.answer_format import answer_format
from ollama_magic.answer_types.elements import GrowingList
from ollama_magic.errors import AnswerInvalid
from tests.answer_types.kinds import City, Mood

VALUES = [
    (int, [1, 23, 456]),
    (float, [1.5, -2e3, 0.25]),
    (str, ["a", 'quote " and \\ and ]', "", "漢😀"]),
    (bool, [True, False]),
    (dict[str, int], [{"a": 1}, {}, {"b": 2}]),
    (list[list[int]], [[[1], []], [], [[2, 3]]]),
    (int | None, [None, 1]),
    (City, [{"name": "}]", "population": 1, "twins": ["x]"]}, {"name": "b", "population": 22}]),
]


def grown(kind, pieces):
    """The elements, each with the number of the piece that finished it."""
    growing = GrowingList(answer_format(kind), "list")
    found = [(number, value) for number, piece in enumerate(pieces) for value in growing.add(piece)]
    return growing, found


@pytest.mark.parametrize(("kind", "values"), VALUES)
@pytest.mark.parametrize("indent", [None, 1])
def test_the_cut_does_not_matter(kind, values, indent):
    """Any cut into two, and letters one by one, give the same elements."""
    text = json.dumps(values, indent=indent)
    wanted = answer_format(list[kind]).validate(text)
    for at in range(len(text)):
        growing, found = grown(kind, [text[:at], text[at:]])
        assert [value for _, value in found] == wanted
        assert growing.closed
    assert [value for _, value in grown(kind, list(text))[1]] == wanted


def test_an_element_is_there_as_soon_as_it_is_finished():
    """An object is there with its closing brace; a number may go on until something else stands behind it."""
    assert grown(City, ['[{"name":"a","popu', 'lation":1}', ', {"name":'])[1] == [(1, City("a", 1))]
    assert grown(int, ["[1", "2", ",", " 3", "]"])[1] == [(2, 12), (4, 3)]


def test_the_first_wrong_element_is_named():
    """What was right before it has come; the line has its place in the list."""
    growing = GrowingList(answer_format(City), "list[City]")
    assert list(growing.add('[{"name": "a", "population": 1},')) == [City("a", 1)]
    with pytest.raises(AnswerInvalid, match=r"The answer is no list\[City\]: \[1\]\.population: "):
        list(growing.add('{"name": "b", "population": "x"}'))


@pytest.mark.parametrize("text", ["Sure! [1]", "```json\n[1]\n```", '{"a": [1]}', "", "  "])
def test_what_does_not_begin_as_a_list_is_left_to_the_end(text):
    """Prose, a fence and an object have no elements on their way."""
    growing, found = grown(int, list(text))
    assert found == []
    assert not growing.closed


def test_what_cannot_be_read_is_left_to_the_end():
    """NaN, endless nesting and half a list bring what stands before them, and no more."""
    assert grown(float, ["[1, NaN, 2]"])[1] == [(0, 1.0)]
    assert grown(int, ["[1, ", "[" * 100_000])[1] == [(0, 1)]
    assert grown(Mood, ['["good", "ba'])[1] == [(0, Mood.GOOD)]


@pytest.mark.parametrize(
    ("text", "read"),
    [("[1 2]", [1]), ("[1,]", [1]), ("[,1]", []), ("[1,,2]", [1]), ("[1 , 2 ,\n]", [1, 2]), ("[,]", [])],
)
def test_a_list_without_its_commas_is_no_list(text, read):
    """Its elements are not taken for those of a list: what is left is refused at the end, as the whole answer is."""
    growing, found = grown(int, list(text))
    assert [value for _, value in found] == read
    assert not growing.closed
    with pytest.raises(AnswerInvalid, match="it is not JSON"):
        answer_format(list[int]).validate(text)


def test_a_long_list_is_read_once():
    """Of a list of fifty thousand in small pieces, each piece is looked at with its own element only."""
    text = json.dumps([{"name": f"n{i}", "population": i} for i in range(50_000)])
    growing = GrowingList(answer_format(dict[str, str | int]), "list")
    count = longest = 0
    for at in range(0, len(text), 20):
        count += len(list(growing.add(text[at : at + 20])))
        longest = max(longest, len(growing.rest))
    assert (count, growing.closed) == (50_000, True)
    assert longest < 200
