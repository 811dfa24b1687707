"""Formats of answers: to a schema, and from the text of an answer to a value or to one line that says what is wrong."""

import json
import os
import sys
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from typing import Annotated, Any

import pytest
from pydantic import AfterValidator, BaseModel, Field, TypeAdapter, field_validator

from ollama_magic.answer_types.answer_format import answer_format, format_named
from ollama_magic.answer_types.records import frame_of
from ollama_magic.demo.engine.schema_check import check_schema
from ollama_magic.errors import AnswerInvalid, InputError
from tests.answer_types.kinds import FITS, NAMES, SCHEMA, City, Country, Row, Strict


def refused(text: str, kind: Any) -> str:
    """The one line with which a text is refused."""
    with pytest.raises(AnswerInvalid) as caught:
        answer_format(kind).validate(text)
    line = str(caught.value)
    assert "\n" not in line
    assert line.endswith("Its text is in `Reply.text`.")
    return line


@pytest.mark.parametrize(("name", "text", "value"), [(name, *case) for name, case in FITS.items()], ids=FITS)
def test_a_type_becomes_a_schema_and_an_answer_its_value(name, text, value):
    """What is sent is JSON of which a server makes a grammar; what comes back is the value, of the same type."""
    found = format_named(name, NAMES)
    assert json.loads(json.dumps(found.schema)) == found.schema
    if found.schema != "json":
        check_schema(found.schema)
        assert "(?" not in json.dumps(found.schema)
    got = found.validate(text)
    assert got == value
    assert type(got) is type(value)
    assert found.validate(f"Here you are:\n```json\n{text}\n```\nAnything else?") == value


WRONG = [
    ('{"name": "Peru", "cities": [{"name": "a", "population": 1}, {"name": "b"}]}', Country, "cities[1].population: "),
    (
        '{"name": "Peru", "cities": [{"name": "a", "population": "many"}]}',
        Country,
        "cities[0].population: input should",
    ),
    ('{"cities": []}', Country, "name: field required"),
    ('[{"name": "a", "age": 1}, {"name": "b", "age": 1.5}]', list[Row], "[1].age: input should be a valid integer"),
    ('{"a b": "x"}', dict[str, int], "['a b']: "),
    ('{"name": "a", "more": 1}', Strict, "more: extra inputs"),
    ('{"lead": {"age": "x"}}', SCHEMA, "lead.age: 'x' is not of type 'integer'"),
    ('{"lead": {"age": 1}, "members": [{"age": 2}, {}]}', SCHEMA, "members[1]: 'age' is a required property"),
    ("[]", City, "no City: input should be"),
    ("null", {"type": "array"}, "None is not of type 'array'"),
    ("[-1]", list[Annotated[int, Field(ge=0, le=150)]], "no list[int]: [0]: input should be greater than"),
    ("[NaN]", "json", "no JSON: NaN is no number"),
    ("[1e400]", "json", "no JSON: 1e400 is too large for a number"),
    ("-1e400", float, "1e400 is too large for a number"),
    ("1e400", {"multipleOf": 0.1}, "1e400 is too large for a number"),
    ("{", "json", "no JSON: expecting property name"),
    ("", City, "it is not JSON"),
    ("Sure! Lima it is.", City, "it is not JSON"),
    ('Sure: {"name": "Lima", "population": 1}', City, "it is not JSON"),
    ('{"name": "Lima", "population": 1', City, "it is not JSON"),
    ('{"name": "Lima", "population": NaN}', City, "NaN is no number in JSON"),
    ("[Infinity]", list[float], "Infinity is no number in JSON"),
    ('{"name": "Lima", "population": ' + "9" * 5000 + "}", City, "5000 digits"),
    ("[" * 100_000, list[int], "nested too deeply"),
    ("[" * 100_000, SCHEMA, "nested too deeply"),
    ('```\n{}\n```\n```\n{"name": "x"}\n```', Strict, "it is not JSON"),
    ('{"name": "\\ud800"}', Strict, "no Strict: "),
    (json.dumps({"x" * 100_000: "y" * 100_000}), dict[str, int], "no dict[str, int]: "),
]


@pytest.mark.parametrize(("text", "kind", "part"), WRONG, ids=range(len(WRONG)))
def test_what_does_not_fit_is_one_line_with_the_first_place(text, kind, part):
    """A cut, wrapped, wrong, endless or hostile answer is refused in a short line that says where."""
    line = refused(text, kind)
    assert part in line
    assert len(line) < 420


@pytest.mark.parametrize("source", ["json", {"type": "object"}])
@pytest.mark.parametrize(
    ("text", "value"),
    [
        (r'{"a": "half \ud83d"}', "half \ufffd"),
        (r'{"a": "\ude00\ud83d\ude00\ud83d"}', "\ufffd😀\ufffd"),
        (r'{"a": "\\ud83d \\\ud83d"}', "\\ud83d \\\ufffd"),
    ],
)
def test_half_a_character_is_replaced(source, text, value):
    """A lone surrogate, which JSON can write and no text may have, is U+FFFD in the value, so that a frame takes it."""
    found = answer_format(source).validate(text)
    assert found == {"a": value}
    assert frame_of(found).to_dict("records") == [found]


def test_a_large_number_is_a_number():
    """An integer of four hundred digits is read to the last one."""
    assert answer_format(int).validate("7" * 400) == int("7" * 400)


class Speechless(Exception):
    """An exception that fails to say what it is."""

    def __str__(self):
        raise RuntimeError


def _raises(error):
    def validator(value):
        raise error

    return validator


@pytest.mark.parametrize(
    "error",
    [
        ZeroDivisionError("division by zero"),
        KeyError("x"),
        SystemExit(3),
        RecursionError("deep"),
        ValueError("\x1b[31mno\n"),
        Speechless(),
    ],
)
def test_a_validator_that_raises_is_one_line(error):
    """Whatever a type's own code raises, the kernel goes on, and the line names it."""
    line = refused("1", Annotated[int, AfterValidator(_raises(error))])
    assert (type(error).__name__ in line) == (not isinstance(error, ValueError))
    assert "\x1b" not in line


def test_a_validator_that_prints_is_bounded(capsys):
    """What a type's own code prints is shown, without terminal escapes and not without end."""

    class Loud(BaseModel):
        name: str

        @field_validator("name")
        @classmethod
        def shout(cls, name: str) -> str:
            print("\x1b[2Jchecked", "x" * 1_000_000)
            return name

    assert answer_format(Loud).validate('{"name": "a"}').name == "a"
    shown = capsys.readouterr().out
    assert "checked x" in shown
    assert "\x1b" not in shown
    assert len(shown) < 3000


def test_the_interrupt_is_nobodys_error():
    """■ in a validator stays an interrupt."""
    with pytest.raises(KeyboardInterrupt):
        answer_format(Annotated[int, AfterValidator(_raises(KeyboardInterrupt()))]).validate("1")


class _Odd:
    """A class of which pydantic can make nothing."""


class _Failing:
    @classmethod
    def __get_pydantic_core_schema__(cls, source, handler):
        raise RuntimeError("no schema\nat all")


@dataclass
class _Unknown:
    other: "NoSuchType"  # noqa: F821


@pytest.mark.parametrize(
    ("source", "part"),
    [
        (5, "not int"),
        (b"json", "not bytes"),
        ("yaml", "not 'yaml'"),
        ([City], "not list"),
        (City("a", 1), "not City"),
        (TypeAdapter(int), "not TypeAdapter"),
        (_Odd, "_Odd cannot be the format of an answer"),
        (list[_Odd], "list[_Odd] cannot be the format of an answer"),
        (Iterable[int], "would never be validated; write list instead"),
        (dict[str, Generator[int, None, None]], "would never be validated; write list instead"),
        (_Failing, "no schema"),
        (_Unknown, "_Unknown cannot be the format"),
        ({"type": object()}, "is no JSON Schema"),
        ({"enum": {1, 2}}, "is no JSON Schema"),
        ("nowhere.json", "cannot be read: No such file"),
        ("city\0.json", "cannot be read: embedded null byte"),
    ],
)
def test_what_is_no_format_is_refused_in_one_line(source, part, tmp_path, monkeypatch):
    """Before anything is sent: what the argument is, or why no schema can be made of it."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError) as caught:
        answer_format(source)
    assert part in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_path_that_leads_to_no_file_is_refused_at_once(tmp_path):
    """A pipe is not waited for; a home that nobody has and a name that cannot be one are one line each."""
    pipe = tmp_path / "pipe.json"
    os.mkfifo(pipe)
    for path, part in (
        (pipe, "cannot be read: it is a pipe"),
        (tmp_path, "cannot be read: Is a directory"),
        ("~nobody-of-that-name/x.json", "cannot be read: No such file"),
        ("a\0b.json", "cannot be read: embedded null"),
    ):
        with pytest.raises(InputError, match=part):
            answer_format(path)


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (b"[]", "which is an object"),
        (b"{", "holds no JSON Schema"),
        (b"\xff\xfe\x00", "holds no JSON Schema"),
        (b" " * 1_000_001, "longer than 1 MB"),
        (b"[" * 100_000, "holds no JSON Schema"),
        (b'{"type": "nonsense"}', "This is no JSON Schema: type: 'nonsense'"),
    ],
)
def test_a_file_that_holds_no_schema_is_one_line(content, part, tmp_path):
    """A wrong file is named with what is wrong about it."""
    path = tmp_path / "a schema.json"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        format_named(str(path), {})
    assert part in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_schema_file_is_a_format(tmp_path):
    """A path stands for the schema in the file, with or without a byte order mark; its errors name the file."""
    path = tmp_path / "team.json"
    path.write_text("\ufeff" + json.dumps(SCHEMA), encoding="utf8")
    for source in (str(path), path):
        found = answer_format(source)
        assert found.schema == SCHEMA
        assert found.validate('{"lead": {"age": 1}}') == {"lead": {"age": 1}}
        with pytest.raises(AnswerInvalid, match=r"The answer is no team\.json: lead: "):
            found.validate('{"lead": 1}')


@pytest.mark.parametrize(
    ("schema", "part"),
    [
        ({"$schema": 5}, "['$schema']: 5 is not of type 'string'"),
        ({"$schema": []}, "['$schema']: [] is not of type 'string'"),
        ({"$schema": "http://["}, "['$schema']: 'http://[' is not a 'uri'"),
        ({"pattern": "a{99999999999}"}, "the repetition number is too large"),
        ({"type": "nothing"}, "type: 'nothing' is not valid"),
        ({"minimum": "x"}, "minimum: 'x' is not of type 'number'"),
    ],
)
def test_a_schema_that_is_none_is_one_line(schema, part):
    """Whatever the library raises for it."""
    with pytest.raises(InputError) as caught:
        answer_format(schema).validate("1")
    assert str(caught.value).startswith("This is no JSON Schema: ")
    assert part in str(caught.value)


def test_no_reference_is_fetched(monkeypatch):
    """A schema that refers to an address is no reason to ask it: the line says so."""
    import urllib.request

    monkeypatch.setattr(urllib.request, "urlopen", _raises(AssertionError("fetched")))
    line = refused("1", {"$ref": "http://127.0.0.1:9/schema.json"})
    assert "nothing is fetched" in line


def test_a_schema_that_leads_in_a_circle_ends():
    """A schema that refers to itself for ever is one line."""
    assert "circle" in refused("1", {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}})


@pytest.mark.parametrize(("missing", "source"), [("pydantic", City), ("jsonschema.validators", SCHEMA)])
def test_without_the_extra_one_line_says_what_brings_it(missing, source, monkeypatch):
    """A bare installation can ask for JSON; a type or a value of a schema needs the extra, and the line names it."""
    for name in [name for name in sys.modules if name == missing]:
        monkeypatch.setitem(sys.modules, name, None)
    assert answer_format("json").validate("[1]") == [1]
    with pytest.raises(InputError, match=r'`pip install "ollama_magic\[data\]"` brings it'):
        answer_format(source).validate("{}")


def test_the_room_is_light():
    """Neither pydantic nor jsonschema nor pandas is loaded before a type is asked for."""
    import subprocess

    code = (
        "import sys, ollama_magic\nfrom ollama_magic.answer_types import answer_format\nollama_magic.chat\n"
        "assert not {'pydantic', 'jsonschema', 'pandas', 'referencing'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
