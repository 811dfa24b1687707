"""Answers with a schema as they settle: tables, and folded JSON; inert whatever stands in them."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from ollama_magic.display.earlier_answer import earlier_answer_view
from ollama_magic.display.json_tables import json_table
from ollama_magic.display.settled import bundle
from ollama_magic.turns.turn_value import RequestSettings
from tests.display.replies import HTML, ended
from tests.turns import a_turn

HOSTILE = [
    json.loads(line)
    for line in (Path(__file__).parent.parent / "hostile" / "markdown.jsonl").read_text(encoding="utf8").splitlines()
]
SCHEMA = {"type": "object"}
PLAIN = "text/plain"


class _Cells(HTMLParser):
    """The texts of the cells of a table, row by row."""

    def __init__(self):
        super().__init__()
        self.rows, self.open = [], 0

    def handle_starttag(self, tag, attrs):
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.open += 1
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        self.open -= tag in ("td", "th")

    def handle_data(self, data):
        if self.open:
            self.rows[-1][-1] += data


def cells(html):
    parser = _Cells()
    parser.feed(html)
    return parser.rows


def settled(text):
    reply = ended(text, form="json")
    reply.settings = RequestSettings(model="m", format=SCHEMA)
    return bundle(reply)


def test_records_are_a_table():
    """A list of records has their names as headings; what a record has not is empty, null is a dash."""
    text = '[{"name":"Lima","n":10.50},{"name":null,"more":true}]'
    assert cells(json_table(text)) == [["name", "n", "more"], ["Lima", "10.50", ""], ["–", "", "true"]]
    found = settled(text)
    assert "<table>" in found[HTML]
    assert found[PLAIN] == text


def test_an_object_has_two_columns():
    """Names stand beside their values."""
    assert cells(settled('{"name": "Ada", "age": 36, "old": false}')[HTML]) == [
        ["name", "Ada"],
        ["age", "36"],
        ["old", "false"],
    ]


def test_what_is_deeper_is_folded():
    """Within a cell, and where there is no table, JSON is folded away under how much it is."""
    html = json_table('{"name": "Peru", "cities": [{"name": "Lima"}, {"name": "Cusco"}], "none": []}')
    assert html.count("<table>") == html.count("<details>") == 1
    assert "<summary>2 elements</summary>" in html
    assert "&quot;Lima&quot;" in html
    assert "<summary>3 elements</summary>" in json_table("[[1], [2], {}]")


@pytest.mark.parametrize(
    "text", ["[1, 2]", '"good"', "12", "null", "[]", "{}", "", "Sure!", '{"a": 1', '{"a": 1, "a": 2}', "[" * 100_000]
)
def test_what_has_no_such_shape_is_code(text):
    """Scalars, what is no JSON, and a name that stands twice stay the block of code that they are while they grow."""
    assert json_table(text) == ""
    if text:
        assert "class=highlight" in settled(text)[HTML]


def test_numbers_stand_as_they_came():
    """No digit of a number is changed, whatever Python would make of it."""
    numbers = ["1.00", "1e400", "9" * 200, "-0", "12345678901234567890.10"]
    fields = ", ".join(f'"{i}": {n}' for i, n in enumerate(numbers))
    assert cells(json_table(f"[{{{fields}}}]"))[1] == numbers


def test_folded_numbers_stand_as_they_came():
    """Within what is folded a number is no text, and keeps its digits; endless nesting is code."""
    html = json_table('[{"deep": {"a": 1.00, "b": [1e400, "2"], "c": null}}]')
    assert "&quot;a&quot;: 1.00," in html
    assert "1e400,\n    &quot;2&quot;" in html
    for depth in (50, 400, 900, 5000):
        assert isinstance(json_table('{"a": ' * depth + "[1]" + "}" * depth), str)


def test_a_long_list_shows_its_first_rows():
    """Of ten thousand records two hundred are shown, and a line says of how many; wide rows and long cells end."""
    html = settled(json.dumps([{"n": i, "text": "x" * 1000} for i in range(10_000)]))[HTML]
    assert html.count("<tr>") == 201
    assert "the first 200 of 10,000 records" in html
    assert len(html) < 200_000
    html = json_table(json.dumps([{f"c{i}": i for i in range(100)}]))
    assert "the first 30 of 100 columns" in html
    assert "the first 200 of 5,000 names" in json_table(json.dumps({f"n{i}": i for i in range(5000)}))
    assert len(json_table(json.dumps({"deep": [list(range(100_000))]}))) < 40_000


@pytest.mark.parametrize("text", [case["text"] for case in HOSTILE if "text" in case])
def test_hostile_texts_are_inert_in_tables(text):
    """As a name, in a cell or folded, no text brings a tag, an attribute or TeX of its own."""
    for value in ([{"text": text, text: 1}], {"text": text, "deep": [{text: text}]}, [[text]]):
        html = settled(json.dumps(value))[HTML]
        tags = set(re.findall(r"<[^>]*>", html))
        allowed = r'</?(div|table|thead|tbody|tr|th|td|p|small|details|summary|pre)>|<div align="left">'
        assert not [t for t in tags if not re.fullmatch(rf'{allowed}|<div class="ollama-magic [^"]*">', t)]
        assert "mathjax_ignore" in html


def test_an_earlier_answer_is_a_table_too():
    """Shown once more under an error, and read back from the store, it looks as it did."""
    turn = a_turn("Show me.", '[{"a": 1}]', model="m", format=SCHEMA)
    assert "<table>" in earlier_answer_view(turn)._repr_mimebundle_()[HTML]


def test_json_without_a_schema_is_code():
    """`-f json` promises no shape: it settles as the code that it was while it grew."""
    assert "<table>" not in bundle(ended('[{"a": 1}]', form="json"))[HTML]
