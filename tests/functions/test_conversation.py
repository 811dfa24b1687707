"""Turns that remember each other, in memory."""

from __future__ import annotations

import asyncio

import pytest

import ollama_magic
from ollama_magic import Conversation
from ollama_magic.errors import AnswerCut, InputError, ServerError
from tests.answers import chats, sent
from tests.double import DEMO, PLAIN, Fault


def echo(body) -> list[str]:
    return [body["messages"][-1]["content"].upper()]


def test_turns_remember_each_other(start) -> None:
    """Each turn is sent with those before it; two conversations know nothing of each other."""
    server = start(answers=echo)
    talk, other = Conversation(system="Be brief."), Conversation()
    assert [talk.chat("one").text, "".join(talk.stream("two"))] == ["ONE", "TWO"]
    other.chat("alone")
    assert sent(chats(server)[1])[1:] == [("user", "one"), ("assistant", "ONE"), ("user", "two")]
    assert sent(chats(server)[2]) == [("user", "alone")]
    assert [message["role"] for message in talk.messages] == ["system", "user", "assistant", "user", "assistant"]
    assert ollama_magic.chat([*talk.messages, {"role": "user", "content": "x"}]).text == "X"


WRONG = {
    "think": ({"think": "false"}, "think is True, False, or a level"),
    "keep alive": ({"keep_alive": [5]}, "keep_alive is a number of seconds"),
    "model": ({"model": 5}, "A model is a name"),
    "system": ({"system": 5}, "system is a text, not int"),
    "options": ({"options": [1]}, "Options are a dict"),
}


@pytest.mark.parametrize(("settings", "says"), WRONG.values(), ids=WRONG.keys())
def test_a_setting_of_a_wrong_type_is_one_line(start, settings, says) -> None:
    """The settings of a conversation are checked as the arguments of `chat` are: a text such as "false" is no level."""
    server = start(answers=echo)
    with pytest.raises(InputError, match=says):
        Conversation(**settings).chat("Hi")
    assert not chats(server)


def test_a_conversation_takes_an_entry_of_the_list_of_models(start) -> None:
    """As `chat` does."""
    server = start(answers=echo)
    Conversation(model=ollama_magic.list()[0]).chat("Hi")
    assert chats(server)[0].json["model"] == "demo:latest"


def test_undo_takes_the_newest_turn_back(start) -> None:
    """After undo the next turn is sent without the newest one, until none is left."""
    server = start(answers=echo)
    talk = Conversation()
    talk.chat("one")
    talk.chat("two")
    talk.undo()
    talk.chat("three")
    assert sent(chats(server)[-1]) == [("user", "one"), ("assistant", "ONE"), ("user", "three")]
    talk.undo()
    talk.undo()
    with pytest.raises(InputError):
        talk.undo()


def test_what_came_is_kept(start) -> None:
    """A turn that was cut or left is remembered with its text; one that failed before any text is not."""
    server = start(answers=lambda _: iter(["one ", "two ", "three"]), pace=200)
    server.faults += [Fault("no_done", after=1), Fault("error_first")]
    talk = Conversation()
    with pytest.raises(AnswerCut):
        talk.chat("cut")
    with pytest.raises(ServerError):
        talk.chat("failed")
    for _ in talk.stream("left"):
        break
    asked = [message["content"] for message in talk.messages]
    assert asked == ["cut", "one ", "left", "one "]


def test_a_conversation_keeps_its_model(start) -> None:
    """A conversation goes on with the model that it began with, until another is set."""
    server = start(models=[DEMO, PLAIN], answers=echo)
    talk = Conversation()
    talk.chat("one")
    ollama_magic.chat("other", model="demo-plain")
    talk.chat("two")
    talk.model = "demo-plain"
    talk.chat("three")
    asked = [request.json["model"] for request in chats(server)]
    assert asked == ["demo:latest", "demo-plain", "demo:latest", "demo-plain"]


def test_async_turns(start) -> None:
    """A conversation streams on the caller's loop, too."""
    start(answers=echo)
    talk = Conversation()

    async def main() -> list[str]:
        return [chunk async for chunk in talk.stream("one")] + [(await talk.stream("two")).text]

    assert asyncio.run(main()) == ["ONE", "TWO"]
    assert len(talk.messages) == 4


def test_there_is_no_notebook_in_a_script() -> None:
    """Conversation.here() without the extension is one line that says what to do."""
    with pytest.raises(InputError, match="load_ext"):
        Conversation.here()


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"system": 5}, "system is a text, not int"),
        ({"model": 5}, "A model is a name"),
        ({"think": "true"}, "think is True, False, or a level"),
        ({"keep_alive": []}, "keep_alive is a number of seconds"),
    ],
)
def test_a_wrong_setting_is_one_line(start, setting, said) -> None:
    """Settings are checked as the arguments of `chat` are, and nothing is sent."""
    server = start()
    with pytest.raises(InputError, match=said):
        Conversation(**setting).chat("Hi")
    assert chats(server) == []
