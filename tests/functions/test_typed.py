"""Answers that are values, from Python: one reply, a stream of elements, a conversation."""

from __future__ import annotations

import asyncio
import itertools
import json
import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING

import pytest

import ollama_magic
from ollama_magic import AnswerInvalid, Conversation
from ollama_magic.errors import AnswerCut, InputError
from tests.answer_types.kinds import SCHEMA, City, Mood
from tests.answers import chats, sent, words
from tests.double import Fault
from tests.shells import loaded_shell

if TYPE_CHECKING:
    from pathlib import Path

CITIES = [{"name": "Lima", "population": 10}, {"name": "Cusco", "population": 1}]
TEXT = json.dumps(CITIES)


def test_a_reply_has_a_value(start) -> None:
    """The schema is sent, the value is of the type, and it is the same object each time."""
    server = start(answers=lambda _: [json.dumps(CITIES[0])])
    reply = ollama_magic.chat("A city.", format=City)
    assert reply.value == City("Lima", 10)
    assert reply.value is reply.value
    assert chats(server)[0].json["format"]["required"] == ["name", "population"]
    assert reply.settings.format == chats(server)[0].json["format"]
    assert ollama_magic.generate("A city.", format=City).value == City("Lima", 10)
    assert server.requests[-1].json["format"]["title"] == "City"


@pytest.mark.parametrize("source", ["json", {"type": "array"}, list[City]])
def test_a_frame_has_a_row_for_each_record(start, source) -> None:
    """Typed or not, records are a data frame."""
    start(answers=lambda _: [TEXT])
    frame = ollama_magic.chat("Cities.", format=source).frame()
    assert list(frame["name"]) == ["Lima", "Cusco"]
    assert frame["population"].sum() == 11


def test_a_wrong_answer_is_told_when_its_value_is_asked_for(start) -> None:
    """A server that ignores the schema gives text: it stays readable, nothing is asked twice."""
    server = start(answers=lambda _: ["Lima is a city."])
    reply = ollama_magic.chat("A city.", format=City)
    assert (reply.text, reply.state) == ("Lima is a city.", "complete")
    for _ in range(2):
        with pytest.raises(AnswerInvalid, match=r"^The answer is no City: it is not JSON"):
            _ = reply.value
    assert len(chats(server)) == 1


def test_an_answer_cut_by_num_predict_is_told(start) -> None:
    """Half an answer is no value, and neither is a number that might have gone on."""
    start(answers=lambda _: ["12", "34", "56"])
    reply = ollama_magic.chat("A number.", format=int, options={"num_predict": 2})
    assert reply.text == "1234"
    with pytest.raises(AnswerInvalid, match="The answer is no int: it was cut at its length limit"):
        _ = reply.value
    start(answers=lambda _: ['{"name": "a", ', '"population": 1}', " "])
    assert ollama_magic.chat("A city.", format=City, options={"num_predict": 2}).value == City("a", 1)


def test_text_has_no_value(start) -> None:
    """Where no format was asked for, the line says how to ask for one."""
    start(answers=lambda _: ["fine"])
    with pytest.raises(InputError, match="no format was asked for"):
        _ = ollama_magic.chat("Hi").value


def test_nothing_is_sent_with_a_format_that_is_none(start) -> None:
    """What is neither a type nor a schema is refused before sending."""
    server = start()
    for wrong in (object(), "xml", [City], "missing.json"):
        with pytest.raises(InputError):
            ollama_magic.chat("Hi", format=wrong)
    assert not chats(server)


def test_a_list_streams_its_elements(start) -> None:
    """Each city comes while the rest is on its way; the reply has the whole list at the end."""
    start(answers=lambda _: iter(words(TEXT)))
    stream = ollama_magic.stream("Cities.", format=list[City])
    found = []
    for city in stream:
        found.append((city, stream.reply.state))
    assert [city for city, _ in found] == [City("Lima", 10), City("Cusco", 1)]
    assert found[0][1] == "running"
    assert stream.reply.value == [City("Lima", 10), City("Cusco", 1)]


def test_a_list_streams_on_the_running_loop(start) -> None:
    """`async for` gives the same elements, `await` the whole reply."""
    start(answers=lambda _: iter(words(TEXT)))

    async def ask() -> tuple[list[City], list[City]]:
        found = [city async for city in ollama_magic.stream("Cities.", format=list[City])]
        return found, (await ollama_magic.stream("Cities.", format=list[City])).value

    assert asyncio.run(ask()) == ([City("Lima", 10), City("Cusco", 1)],) * 2


def test_breaking_off_a_list_hangs_up(start) -> None:
    """Leaving the loop after the first element closes the connection."""
    server = start(pace=100, answers=lambda _: iter(words(json.dumps(CITIES * 200))))
    for city in ollama_magic.stream("Cities.", format=list[City]):
        assert city.name == "Lima"
        break
    assert chats(server)[-1].ended.wait(30)
    assert chats(server)[-1].closed_early

    async def ask() -> None:
        async for _ in ollama_magic.stream("Cities.", format=list[City]):
            break

    asyncio.run(ask())
    assert chats(server)[-1].ended.wait(30)
    assert chats(server)[-1].closed_early


@pytest.mark.parametrize(
    ("text", "found", "part"),
    [
        ('[{"name": "a", "population": 1}, {"name": "b"}]', 1, r"no list\[City\]: \[1\]\.population: field required"),
        ('[{"name": "a", "population": 1}, {"na', 1, "it is not JSON"),
        ("Here are none.", 0, "it is not JSON"),
        ('{"name": "a", "population": 1}', 0, "input should be a valid array"),
    ],
)
def test_what_is_wrong_in_a_list_ends_the_loop_with_one_line(start, text, found, part) -> None:
    """What was right before it has been yielded, and the text stays in the reply."""
    start(answers=lambda _: iter(words(text)))
    stream, count = ollama_magic.stream("Cities.", format=list[City]), itertools.count()
    with pytest.raises(AnswerInvalid, match=part):
        list(zip(stream, count, strict=False))
    assert next(count) == found
    assert stream.reply.text


def test_a_list_within_a_fence_comes_at_the_end(start) -> None:
    """What is tolerated in a whole answer is tolerated in a stream."""
    start(answers=lambda _: iter(words(f"Here:\n```json\n{TEXT}\n```")))
    assert list(ollama_magic.stream("Cities.", format=list[City])) == [City("Lima", 10), City("Cusco", 1)]


def test_a_list_that_the_server_cuts_raises(start) -> None:
    """A broken stream is a cut answer, after the elements that came."""
    start(faults=[Fault("script", script=words(TEXT[:50])), Fault("no_done", after=8, path="/api/chat")])
    start(answers=lambda _: iter(words(TEXT)), faults=[Fault("no_done", after=8, path="/api/chat")])
    found = []
    with pytest.raises(AnswerCut):
        found += ollama_magic.stream("Cities.", format=list[City])


def test_other_formats_stream_their_text(start) -> None:
    """A schema or a single type comes in chunks, and its value at the end."""
    start(answers=lambda _: ['"go', 'od"'])
    stream = ollama_magic.stream("Mood?", format=Mood)
    assert "".join(stream) == '"good"'
    assert stream.reply.value is Mood.GOOD
    start(answers=lambda _: ['{"lead": ', '{"age": 3}}'])
    assert list(ollama_magic.stream("Team?", format=SCHEMA)) == ['{"lead": ', '{"age": 3}}']


def test_a_conversation_takes_a_format_for_one_turn(start) -> None:
    """The next turns are text again, and what was said is the JSON as it came; a conversation may have its own."""
    server = start(answers=lambda _: iter(words(TEXT)))
    conversation = Conversation()
    assert conversation.chat("Cities.", format=list[City]).value[0] == City("Lima", 10)
    assert [city.name for city in conversation.stream("Cities.", format=list[City])] == ["Lima", "Cusco"]
    conversation.chat("Thanks.")
    assert [("format" in chat.json) for chat in chats(server)] == [True, True, False]
    assert sent(chats(server)[-1])[1] == ("assistant", TEXT)
    assert Conversation(format=list[City]).chat("Cities.").value[1].name == "Cusco"


def test_the_notebooks_conversation_takes_a_format(start) -> None:
    """`Conversation.here()` asks for types as `%%chat -f` does, whole and element by element."""
    server = start(answers=lambda _: iter(words(TEXT)))
    with loaded_shell():
        here = Conversation.here()
        assert here.chat("Cities.", format=list[City]).value == [City("Lima", 10), City("Cusco", 1)]
        assert [city.name for city in here.stream("Cities.", format=list[City])] == ["Lima", "Cusco"]
        assert len(here.messages) == 4
    assert chats(server)[-1].json["format"]["type"] == "array"


USERS = """
    import dataclasses
    from typing import Any, TypedDict
    from typing_extensions import assert_type

    import pydantic
    from ollama_magic import Conversation, Reply, chat, generate, stream

    @dataclasses.dataclass
    class City:
        name: str
        population: int

    class Row(TypedDict):
        age: int

    class Model(pydantic.BaseModel):
        rows: list[Row]

    def cities(prompt: str) -> list[City]:
        return chat(prompt, format=list[City], model="m", think=False).value

    def any_reply(reply: Reply) -> str:
        return reply.text

    assert_type(chat("x", format=City), Reply[City])
    assert_type(chat("x", format=City).value.population, int)
    assert_type(chat("x", format=Model).value.rows[0]["age"], int)
    assert_type(chat("x", format=list[Row]).value, list[Row])
    assert_type(chat("x", format=dict[str, int]).value, dict[str, int])
    assert_type(chat("x", format="json").value, Any)
    assert_type(chat("x").value, Any)
    assert_type(generate("x", format=City, raw=True).value, City)
    for city in stream("x", format=list[City]):
        assert_type(city, City)
    for piece in stream("x", format=City):
        piece.thinking.upper()
    for piece in stream("x"):
        piece.upper()
    assert_type(stream("x", format=City).reply.value, City)
    assert_type(Conversation().chat("x", format=City).value, City)
    assert_type(Conversation.here().chat("x", format=City).value, City)
    any_reply(chat("x", format=City))

    async def later() -> None:
        async for city in stream("x", format=list[City]):
            assert_type(city, City)
        assert_type((await stream("x", format=City)).value, City)

    chat("x", format=City).value.nothing  # wrong
    chat("x", format=list[City]).value.name  # wrong
    chat("x", formt=City)  # wrong
"""


# Libraries of which no value of ours is made: mypy would read a thousand of their modules.
OTHERS = (
    "IPython",
    "PIL",
    "anyio",
    "httpcore",
    "httpx",
    "markdown_it",
    "matplotlib",
    "numpy",
    "pandas",
    "prompt_toolkit",
)


def test_mypy_knows_the_value(tmp_path: Path) -> None:
    """In a user's file, --strict finds each value's type, and exactly the lines that are wrong."""
    text = textwrap.dedent(USERS)
    path = tmp_path / "users.py"
    path.write_text(text)
    (tmp_path / "mypy.ini").write_text(
        f"[mypy]\n[mypy-{','.join(f'{name}.*' for name in OTHERS)}]\nfollow_imports = skip\n"
    )
    options = ["--strict", "--no-incremental", "--config-file=mypy.ini", "--follow-imports=silent"]
    command = [sys.executable, "-m", "mypy", *options, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    wrong = {number for number, line in enumerate(text.split("\n"), 1) if line.endswith("# wrong")}
    found = {int(line.split(":")[1]) for line in done.stdout.splitlines() if ": error: " in line}
    assert found == wrong, done.stdout
