"""What callers hand over: names of models, numbers of other libraries, and types that do not fit, told in one line."""

from __future__ import annotations

import numbers
from contextlib import suppress
from dataclasses import dataclass

import pytest

import ollama_magic
from ollama_magic.errors import InputError
from ollama_magic.functions.arguments import (
    format_from,
    keep_alive_from,
    messages_from,
    model_from,
    options_from,
    texts_from,
    think_from,
)
from ollama_magic.ollama.protocol import ModelSummary, RunningModel
from tests.answers import chats
from tests.double import DEMO, EMBEDDING


@dataclass
class Listed:
    """An entry of ollama-python's list."""

    model: str


class Scalar:
    """A number as NumPy has it: no `int`, but registered as what it is, or only with `item()`."""

    shape = ()

    def __init__(self, value: float) -> None:
        self.item = lambda: value
        self.__class__.__int__ = lambda self: int(self.item())
        self.__class__.__float__ = lambda self: float(self.item())


class Unclear:
    """As an array or a frame: it is neither true nor false, and a comparison is one for each of its items."""

    __hash__ = None

    def __eq__(self, other: object) -> Unclear:
        return self

    def __bool__(self) -> bool:
        raise ValueError("The truth value is ambiguous.")


@numbers.Integral.register
class Int64(Scalar):
    """As numpy.int64."""


@numbers.Real.register
class Float32(Scalar):
    """As numpy.float32."""


def _numbers() -> list[tuple[type, type, type]]:
    found: list[tuple[type, type, type]] = [(Int64, Float32, Scalar)]
    with suppress(ImportError):
        import numpy as np

        found.append((np.int64, np.float64, np.bool_))
    return found


@pytest.mark.parametrize(("whole", "real", "switch"), _numbers())
def test_numbers_of_numpy_are_sent_as_numbers(start, whole, real, switch) -> None:
    """Options, dimensions and schemas may hold NumPy's numbers; the server gets plain ones."""
    server = start(answers=lambda _: ["fine"], models=[DEMO, EMBEDDING])
    options = {"seed": whole(3), "temperature": real(0.5), "top_k": whole(4)}
    ollama_magic.chat("Hi", options=options, think=switch(False), keep_alive=whole(60))
    (body,) = [chat.json for chat in chats(server)]
    assert body["options"] == {"seed": 3, "temperature": 0.5, "top_k": 4}
    assert (body["think"], body["keep_alive"]) == (False, 60)
    ollama_magic.chat("Hi", format={"type": "array", "maxItems": whole(2)})
    assert chats(server)[-1].json["format"] == {"type": "array", "maxItems": 2}
    assert len(ollama_magic.embed("one", model="demo-embed", dimensions=whole(8)).vectors[0]) == 8


def test_a_model_is_named_by_what_lists_it(start) -> None:
    """An entry of `list()` and `ps()`, ours or ollama-python's, is as good as its name, in every function."""
    server = start(answers=lambda _: ["fine"])
    listed = ollama_magic.list()
    assert ollama_magic.chat("Hi", model=listed[0]).model == listed[0].name
    assert ollama_magic.generate("Hi", model=listed[0]).model == listed[0].name
    assert ollama_magic.show(listed[0]) == ollama_magic.show(listed[0].name)
    assert model_from(RunningModel("m:1b")) == model_from(ModelSummary("m:1b")) == model_from(Listed("m:1b")) == "m:1b"
    assert model_from(None) == ""
    assert chats(server)[0].json["model"] == listed[0].name


@pytest.mark.parametrize("value", ["false", "False", "off", "no", "true", "ON", "none", "", " ", 1, 0, 0.5, [], {}])
def test_think_is_no_text_that_means_a_switch(value) -> None:
    """A text such as "false" would be sent as a level: the line says what think is instead."""
    with pytest.raises(InputError, match="think is True, False, or a level such as 'low', not"):
        think_from(value)


@pytest.mark.parametrize("value", [None, True, False, "low", "high", "max"])
def test_think_that_fits_is_left_as_it_is(value) -> None:
    """Switches and levels are sent as they are."""
    assert think_from(value) is value


WRONG = {
    "model": ({"model": 5}, "A model is a name .*, not int"),
    "model bytes": ({"model": b"x"}, "A model is a name .*, not bytes"),
    "options": ({"options": [1]}, "Options are a dict .*, not list"),
    "option": ({"options": {"seed": object()}}, "An option is a number"),
    "option complex": ({"options": {"seed": 1j}}, "An option is a number"),
    "keep alive": ({"keep_alive": [5]}, "keep_alive is a number of seconds, .*, not list"),
    "keep alive switch": ({"keep_alive": True}, "keep_alive is a number of seconds, .*, not bool"),
    "keep alive text": ({"keep_alive": "1d"}, "keep_alive: '1d' is not a duration; use seconds"),
    "keep alive nan": ({"keep_alive": float("nan")}, "keep_alive: 'nan' is not a duration"),
    "keep alive too long": ({"keep_alive": 10**30}, "keep_alive: .* is too long; -1 is forever"),
    "format": ({"format": 5}, "format is 'json', .*, not int"),
    "system": ({"system": 5}, "system is a text, not int"),
    "host": ({"host": 11434}, "An address is a text, not int"),
    "format unclear": ({"format": Unclear()}, "format is 'json', .*, not Unclear"),
    "host unclear": ({"host": Unclear()}, "An address is a text, not Unclear"),
}


@pytest.mark.parametrize(("arguments", "says"), WRONG.values(), ids=WRONG.keys())
def test_an_argument_of_a_wrong_type_is_one_line(start, arguments, says) -> None:
    """Nothing is sent, and the line says what the argument is."""
    server = start()
    with pytest.raises(InputError, match=says):
        ollama_magic.chat("Hi", **arguments)
    assert not chats(server)


OF_OTHERS = {
    "suffix": (ollama_magic.generate, {"suffix": 5}, "suffix is a text, not int"),
    "template": (ollama_magic.generate, {"template": b"x"}, "template is a text, not bytes"),
    "raw": (ollama_magic.generate, {"raw": "no"}, "raw is True or False, not str"),
    "raw unclear": (ollama_magic.generate, {"raw": Unclear()}, "raw is True or False, not Unclear"),
    "truncate": (ollama_magic.embed, {"truncate": 1}, "truncate is True or False, not int"),
    "dimensions": (ollama_magic.embed, {"dimensions": "256"}, "dimensions is a whole number .*, not str"),
    "dimensions switch": (ollama_magic.embed, {"dimensions": True}, "dimensions is a whole number .*, not bool"),
}


@pytest.mark.parametrize(("function", "arguments", "says"), OF_OTHERS.values(), ids=OF_OTHERS.keys())
def test_an_argument_of_the_other_functions_is_checked_too(start, function, arguments, says) -> None:
    """What a server would refuse in words of its own is refused before it is sent."""
    server = start(models=[DEMO, EMBEDDING])
    with pytest.raises(InputError, match=says):
        function("Hi", **arguments)
    assert not [one for one in server.requests if one.path in ("/api/generate", "/api/embed")]


@pytest.mark.parametrize(
    ("texts", "says"),
    [
        (["a", None, "b"], r"not None \(text 2\)"),
        ([None], r"not None \(text 1\)"),
        (["a", float("nan")], r"not float \(text 2\)"),
        (None, "not None"),
        (5, "not int"),
        ([b"a"], r"not bytes \(text 1\)"),
    ],
)
def test_what_is_no_text_has_no_vector(texts, says) -> None:
    """There is never a vector less than texts: what is no text among them is an error that says where it is."""
    with pytest.raises(InputError, match=f"Only texts can be embedded, {says}"):
        texts_from(texts)


def test_what_fits_is_taken() -> None:
    """Texts, settings and numbers that fit come as they are, or plain."""
    assert texts_from("a") == texts_from(("a",)) == ["a"]
    assert (keep_alive_from(0), keep_alive_from("10m"), keep_alive_from(-1)) == (0, "10m", -1)
    assert (keep_alive_from("300"), keep_alive_from(1.5), keep_alive_from(1e-7)) == (300, 1.5, 1e-7)
    formats = [format_from("json"), format_from({"type": "object"})]
    assert [one.schema for one in formats] == ["json", {"type": "object"}]
    assert format_from("") is None
    assert options_from({"seed": 3}) == {"seed": 3}


def test_a_lone_surrogate_is_replaced_before_it_is_sent(start) -> None:
    """Half an emoji, and a byte that was no text, reach the server as the sign for what cannot be shown."""
    server = start(answers=lambda _: ["fine"], models=[DEMO, EMBEDDING])
    assert ollama_magic.chat("half \ud83d, caf\udce9", system="\ud83d").text == "fine"
    messages = chats(server)[-1].json["messages"]
    assert [message["content"] for message in messages] == ["�", "half �, caf�"]
    assert ollama_magic.generate("half \ud83d").text == "fine"
    assert len(ollama_magic.embed(["half \ud83d"], model="demo-embed").vectors) == 1


def test_the_tool_calls_of_a_message_are_never_dropped() -> None:
    """A tuple of calls is read like a list of them; anything else is refused, with the message's place."""
    calls = ({"function": {"name": "f", "arguments": {}}},)
    (message,) = messages_from([{"role": "assistant", "content": "", "tool_calls": calls}])
    assert [call.name for call in message.tool_calls] == ["f"]
    for wrong in (5, "f", calls[0]):
        with pytest.raises(InputError, match="Message 1: tool_calls is a list of calls, not "):
            messages_from([{"role": "assistant", "content": "", "tool_calls": wrong}])
