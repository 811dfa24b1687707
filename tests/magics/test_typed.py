"""`-f TYPE` and `--into`: answers that are values, in a notebook's cells."""

import itertools
import json

import pytest

import ollama_magic
from ollama_magic.line.loaded import loaded_magics
from ollama_magic.line.options import CHAT, read_line
from tests.answer_types.kinds import SCHEMA
from tests.answers import chats
from tests.double import ScriptedServer
from tests.shells import run

CITIES = [{"name": "Lima", "population": 10}, {"name": "Cusco", "population": 1}]
TYPES = """
from dataclasses import dataclass
from typing import Literal
import pydantic

@dataclass
class City:
    name: str
    population: int

class Country(pydantic.BaseModel):
    name: str
    cities: list[City]

Mood = Literal["good", "bad"]
"""


@pytest.fixture
def said():
    """What the server answers next."""
    return [json.dumps(CITIES)]


@pytest.fixture
def server(said):
    with ScriptedServer(pace=0, answers=lambda body: [said[0]]) as running:
        yield running


@pytest.fixture
def notebook(shell, monkeypatch, tmp_path):
    """A shell with a few types, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    run(shell, TYPES)
    return shell


@pytest.mark.parametrize(
    ("line", "value", "prompt"),
    [
        ("-f list[City] Three cities.", "list[City]", "Three cities."),
        ("-f=list[City] Go", "list[City]", "Go"),
        ("-flist[City] Go", "list[City]", "Go"),
        ('--format Literal["a b", "c"] Which?', 'Literal["a b", "c"]', "Which?"),
        ("-f dict[str, list[City]] Go", "dict[str, list[City]]", "Go"),
        ("-f City | None Go", "City | None", "Go"),
        ("-f City|None Go", "City|None", "Go"),
        ("-f 'list[City]' Go", "list[City]", "Go"),
        ("-f City Who? [1] | 2", "City", "Who? [1] | 2"),
        ("-f json [1] is a list.", "json", "[1] is a list."),
        ("-f JSON Go", "json", "Go"),
        ('-f "my schema.json" Go', "my schema.json", "Go"),
        ("-f schemas['a b'] Go", "schemas['a b']", "Go"),
        ("-f Literal[']'] Go", "Literal[']']", "Go"),
        ("-f list[City] --into x Go", "list[City]", "Go"),
    ],
)
def test_a_type_is_read_with_its_brackets(line, value, prompt):
    """Spaces and quotes within brackets, and around `|`, belong to the type; the prompt begins behind it."""
    read = read_line(CHAT, line)
    assert (read.options.format, read.words) == (value, prompt)


def test_a_cell_binds_a_value(notebook, server):
    """`--into` binds the value, `--out` the reply; what is sent is the schema."""
    text, error = run(notebook, "%%chat -f list[City] --into cities --out reply\nTwo cities.")
    assert error is None
    assert [city.name for city in notebook.user_ns["cities"]] == ["Lima", "Cusco"]
    assert type(notebook.user_ns["cities"][0]) is notebook.user_ns["City"]
    assert notebook.user_ns["reply"].value is notebook.user_ns["cities"]
    assert chats(server)[-1].json["format"]["items"] == {"$ref": "#/$defs/City"}
    assert text.strip() == json.dumps(CITIES)


@pytest.mark.parametrize("cell", ["%chat -f list[City] --into x Go", "%%generate -f list[City] --into x\nGo"])
def test_lines_and_single_answers_bind_too(notebook, cell):
    """`%chat` and `%%generate` have the same options."""
    assert run(notebook, cell)[1] is None
    assert len(notebook.user_ns["x"]) == 2


@pytest.mark.parametrize(
    ("line", "answer", "value"),
    [
        ("-f Mood", '"good"', "good"),
        ("-f json", '{"a": 1}', {"a": 1}),
        ("-f SCHEMA", '{"lead": {"age": 1}}', {"lead": {"age": 1}}),
        ("-f team.json", '{"lead": {"age": 1}}', {"lead": {"age": 1}}),
        ('-f Literal["a b", "c"]', '"a b"', "a b"),
    ],
)
def test_schemas_files_and_names_are_formats(notebook, said, tmp_path, line, answer, value):
    """A dict of the notebook, a file and an alias work as a class does."""
    notebook.user_ns["SCHEMA"] = SCHEMA
    (tmp_path / "team.json").write_text(json.dumps(SCHEMA))
    said[0] = answer
    assert run(notebook, f"%%chat {line} --into x\nGo")[1] is None
    assert notebook.user_ns["x"] == value


PERU = {"name": "Peru", "cities": [*CITIES, {"name": "x", "population": "y"}]}
WRONG = [
    ("-f list[City] --into x", '[{"name": "Lima"}]', "[0].population: field required"),
    ("-f Country --into x", json.dumps(PERU), "cities[2].population: "),
    ("-f Country", "I do not do JSON.", "it is not JSON"),
    ("-f json --into x", "I do not do JSON.", "JSON"),
    ("-f Mood --into x", '"fine"', "input should be 'good' or 'bad'"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "answer", "part"), WRONG)
def test_what_is_no_value_fails_the_cell_and_binds_nothing(notebook, server, said, line, answer, part):
    """One line names the first wrong place; the answer stays to be read, is remembered, and is not asked for twice."""
    said[0] = answer
    notebook.user_ns["x"] = "before"
    text, error = run(notebook, f"%%chat {line} --out reply\nGo")
    assert type(error).__name__ == "AnswerInvalid"
    assert part in str(error)
    assert "\n" not in str(error)
    assert answer in text
    assert notebook.user_ns["x"] == "before"
    assert (notebook.user_ns["reply"].text, notebook.user_ns["reply"].state) == (answer, "complete")
    assert len(chats(server)) == 1
    said[0] = "fine"
    run(notebook, "%chat And now?")
    assert [message["content"] for message in chats(server)[-1].json["messages"]] == ["Go", answer, "And now?"]


def test_plain_json_is_not_judged(notebook, said):
    """`-f json` without `--into` is as it always was: a note, no failure."""
    said[0] = "no JSON"
    assert run(notebook, "%%chat -f json\nGo")[1] is None


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ("-f Citty", "did you mean City"),
        ("-f list[Citty]", "nothing is called Citty"),
        ("-f City()", "'City()' is no format"),
        ("-f missing.json", "cannot be read"),
        ("-f xml", "is not an answer format"),
        ("-f list[City", "is not closed"),
        ("-f run", "no type"),
        ("--into x", "add -f TYPE"),
        ("-f City --into x -b", "leave out --background"),
        ("-f City --into 2x", "--into"),
        ("-f City --into x --out x", "both bind x"),
        ("-f {City}", "-f"),
        ("-f", "needs a value"),
    ],
)
def test_what_cannot_be_is_refused_before_sending(notebook, server, line, part):
    """A wrong type, path or binding is one line, and the server sees nothing."""
    notebook.user_ns["run"] = lambda: 1 / 0
    _, error = run(notebook, f"%%chat {line}\nGo")
    assert isinstance(error, ollama_magic.OllamaMagicError)
    assert part in str(error)
    assert "\n" not in str(error)
    assert not chats(server)


def test_a_value_is_filled_as_json(notebook, server):
    """`{{cities}}` puts the JSON of what an answer was into a prompt; other values are described as before."""
    run(notebook, "%%chat -f list[City] --into cities\nTwo cities.")
    run(notebook, "%chat --once Largest of {{cities}}?")
    assert chats(server)[-1].json["messages"][-1]["content"] == f"Largest of {json.dumps(CITIES)}?"
    run(notebook, "%chat --once {{cities[0].name}}")
    assert chats(server)[-1].json["messages"][-1]["content"] == "Lima"
    run(notebook, "other = City('a', 1)\nperu = Country(name='Peru', cities=[other])")
    run(notebook, "%chat --once {{other}} {{peru}}")
    content = chats(server)[-1].json["messages"][-1]["content"]
    assert content == """City(name='a', population=1) {"name": "Peru", "cities": [{"name": "a", "population": 1}]}"""


@pytest.mark.parametrize(
    ("line", "answer", "filled"),
    [
        ("-f set[str]", '["b", "a", "c"]', '["a", "b", "c"]'),
        ("-f Colour", '"red"', '"red"'),
        ("-f set[Colour]", '["red", "blue"]', '["blue", "red"]'),
        ("-f tuple[int, str]", '[1, "a"]', '[1, "a"]'),
        ("-f str", '"words"', "words"),
        ("-f int", "7", "7"),
    ],
)
def test_every_value_is_filled_as_json(notebook, server, said, line, answer, filled):
    """Sets and members of an Enum too, a set in the order of its items; a text and a number stand there as they are."""
    run(notebook, 'import enum\nclass Colour(enum.Enum):\n    RED = "red"\n    BLUE = "blue"')
    said[0] = answer
    assert run(notebook, f"%%chat --once {line} --into value\nGo")[1] is None
    run(notebook, "%chat --once {{value}}")
    assert chats(server)[-1].json["messages"][-1]["content"] == filled


def test_an_unchanged_cell_reuses_its_answer_and_its_value(notebook, server):
    """The schema is part of what an answer depends on: another type asks anew, the same one does not."""
    loaded_magics().rerun = "reuse"
    executions = itertools.count()

    def ask(kind):
        parent = {"header": {"msg_id": str(next(executions))}, "metadata": {"cellId": "A", "deletedCells": []}}
        notebook.get_parent = lambda: parent
        assert run(notebook, f"%%chat -f {kind} --into x\nGo")[1] is None
        return notebook.user_ns.pop("x")

    assert ask("list[City]")[0].name == ask("list[City]")[0].name == "Lima"
    assert len(chats(server)) == 1
    assert ask("list[dict[str, str | int]]") == CITIES
    assert len(chats(server)) == 2


def test_the_schema_is_part_of_the_turn(notebook, server, tmp_path):
    """It is stored, saved, opened and exported; the value of a turn that was opened is that of its schema."""
    run(notebook, "%%chat -f list[City]\nGo")
    schema = chats(server)[-1].json["format"]
    for language in ("curl", "python", "java"):
        exported = notebook.run_line_magic("ollama", f"\0=export {language}")
        assert '"$defs"' in exported.replace("\\", "")
        assert "population" in exported
    for name in ("a.json", "a.ipynb"):
        run(notebook, f"%ollama save {name}")
        run(notebook, f"%ollama switch {name[-4:]}")
        assert run(notebook, f"%ollama open {name}")[1] is None
        (turn,) = loaded_magics().session.conversation().turns
        assert turn.settings.format == schema
        reply = ollama_magic.Reply.of(turn)
        assert reply.value == CITIES
        assert list(reply.frame()["name"]) == ["Lima", "Cusco"]


def test_a_function_has_types_of_its_own(notebook):
    """Behind `-f` a function's own names come first, as in `{{name}}`."""
    code = """
def ask():
    @dataclass
    class Town:
        name: str
    get_ipython().run_line_magic("chat", "-f list[Town] --into towns Go")
    return Town
town = ask()
"""
    assert run(notebook, code)[1] is None
    assert type(notebook.user_ns["towns"][0]) is notebook.user_ns["town"]


def test_help_has_an_example(shell):
    """`%%chat --help` shows how a value is bound."""
    text, _ = run(shell, "%%chat --help\n")
    assert "`%%chat -f list[City] --into cities`" in text
