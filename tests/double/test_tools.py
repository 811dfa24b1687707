"""Calls of tools in both styles, and JSON where a format is asked for."""

from __future__ import annotations

import json
import re

import pytest

from tests.demo.lines import error, post, told
from tests.double import DEMO, SMALL, Call, Delta, ScriptedServer
from tests.double.answers.schema_examples import example


def tool(name: str, **properties: str) -> dict:
    schema = {"type": "object", "properties": {key: {"type": kind} for key, kind in properties.items()}}
    return {"type": "function", "function": {"name": name, "description": "", "parameters": schema}}


TOOLS = [tool("get_weather", city="string"), tool("add_numbers", a="integer", b="number")]


def asked(prompt: str, **more: object) -> dict:
    return {"model": "demo-small", "messages": [{"role": "user", "content": prompt}], "tools": TOOLS, **more}


def functions(line: dict) -> list[tuple[str, dict]]:
    calls = line["message"].get("tool_calls", ())
    return [(call["function"]["name"], call["function"]["arguments"]) for call in calls]


BOTH = "What is the weather in Oslo, and what is the sum when I add 2 and 3.5?"
CALLED = [("get_weather", {"city": "Oslo"}), ("add_numbers", {"a": 2, "b": 3.5})]


def test_calls_come_early() -> None:
    """Each in a chunk of its own with a short id, content empty; the line that says done has none, and says stop."""
    with ScriptedServer(pace=0, models=[SMALL]) as server:
        *calls, last = post(server, "chat", **asked(BOTH)).lines
    assert [one for line in calls for one in functions(line)] == CALLED
    assert [line["message"]["content"] for line in calls] == ["", ""]
    identities = [line["message"]["tool_calls"][0]["id"] for line in calls]
    assert all(re.fullmatch(r"call_[a-z0-9]{8}", identity) for identity in identities)
    assert [line["message"]["tool_calls"][0]["function"]["index"] for line in calls] == [0, 1]
    assert (last["done_reason"], "tool_calls" in last["message"]) == ("stop", False)


def test_calls_come_late() -> None:
    """All in the line that says done, with long ids; logprobs are refused with them."""
    with ScriptedServer(pace=0, models=[SMALL], late_calls=True) as server:
        (only,) = post(server, "chat", **asked(BOTH)).lines
        status, text = error(server, "chat", **asked(BOTH), logprobs=True)
    assert (functions(only), only["done"]) == (CALLED, True)
    assert all(re.fullmatch(r"[A-Za-z0-9]{32}", call["id"]) for call in only["message"]["tool_calls"])
    assert (status, "not supported with tools" in text) == (400, True)


def test_calls_in_one_object() -> None:
    """Unstreamed all calls stand in the one message."""
    with ScriptedServer(pace=0, models=[SMALL]) as server:
        assert functions(told(server, "chat", **asked(BOTH), stream=False)) == CALLED


def test_the_answer_to_a_result() -> None:
    """What the tool said is told; a prompt that names no tool gets an ordinary answer."""
    with ScriptedServer(pace=0, models=[SMALL]) as server:
        body = asked("What is the weather in Oslo?")
        call = told(server, "chat", **body, stream=False)["message"]
        body["messages"] += [call, {"role": "tool", "tool_name": "get_weather", "content": "4 degrees"}]
        assert "4 degrees" in told(server, "chat", **body, stream=False)["message"]["content"]
        assert functions(told(server, "chat", **asked("Tell me a joke"), stream=False)) == []


def test_a_call_that_is_cut_off_is_lost() -> None:
    """No call, no content, `length`."""
    with ScriptedServer(pace=0, models=[SMALL]) as server:
        (only,) = post(server, "chat", **asked(BOTH), options={"num_predict": 8}).lines
    assert (only["message"], only["done_reason"]) == ({"role": "assistant", "content": ""}, "length")


def test_arguments_as_text_are_refused() -> None:
    """A history with arguments as a string is a 400."""
    call = {"function": {"name": "add", "arguments": '{"a":1}'}}
    messages = [{"role": "user", "content": "x"}, {"role": "assistant", "content": "", "tool_calls": [call]}]
    with ScriptedServer(pace=0, models=[SMALL]) as server:
        status, text = error(server, "chat", model="demo-small", messages=messages)
    assert (status, text) == (400, "Value looks like object, but can't find closing '}' symbol")


def test_scripted_calls() -> None:
    """A test scripts thought, call and text as it likes."""
    script = [Delta(thinking="Hm."), Delta(calls=(Call("now", {}),)), Delta("Well."), Delta("")]
    with ScriptedServer(pace=0, models=[SMALL], answers=lambda _body: script) as server:
        *lines, _ = post(server, "chat", **asked("x")).lines
    assert [list(line["message"])[1:] for line in lines] == [
        *(["content", "thinking"], ["content", "tool_calls"], ["content"], ["content"])
    ]


PERSON = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "minLength": 3, "maxLength": 5},
        "age": {"type": "integer", "minimum": 18, "maximum": 99},
        "score": {"type": "number", "exclusiveMaximum": 1},
        "kind": {"enum": ["cat", "dog"]},
        "born": {"type": "string", "format": "date"},
        "friends": {"type": "array", "minItems": 2, "items": {"$ref": "#/$defs/Friend"}},
        "pet": {"anyOf": [{"type": "null"}, {"type": "string"}]},
        "both": {"allOf": [{"$ref": "#/$defs/Friend"}, {"properties": {"far": {"type": "boolean"}}}]},
    },
    "$defs": {"Friend": {"type": "object", "properties": {"name": {"type": "string"}}}},
}


def test_a_schema_is_kept() -> None:
    """Texts, numbers, choices, references and lists are as the schema wants them."""
    value = json.loads(example(PERSON, "label"))
    assert value == {
        "name": "label",
        "age": 18,
        "score": 0.5,
        "kind": "cat",
        "born": "2025-04-22",
        "friends": [{"name": "label"}] * 2,
        "pet": None,
        "both": {"name": "label", "far": True},
    }


def test_a_schema_of_itself_ends() -> None:
    """A tree refers to itself; the example stops somewhere."""
    tree = {"$defs": {"T": {"type": "object", "properties": {"sub": {"$ref": "#/$defs/T"}}}}, "$ref": "#/$defs/T"}
    assert json.loads(example(tree, "x"))["sub"]["sub"]


@pytest.mark.parametrize("form", ["json", PERSON])
def test_format_gives_json(form: object) -> None:
    """Content is a text that is JSON; a thinking model thinks first."""
    messages = [{"role": "user", "content": "Is 91 a prime number?"}]
    with ScriptedServer(pace=0, models=[DEMO]) as server:
        lines = post(server, "chat", model="demo", messages=messages, format=form).lines
    assert isinstance(json.loads("".join(line["message"]["content"] for line in lines)), dict)
    assert lines[0]["message"]["thinking"]
    assert not lines[-2]["message"].get("thinking")
