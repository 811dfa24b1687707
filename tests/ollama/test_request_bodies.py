"""The bytes of a chat request, of which each text is written once."""

import json

import pytest

from ollama_magic.errors import InputError
from ollama_magic.ollama.message_json import body_bytes
from ollama_magic.ollama.message_list import MessageList
from ollama_magic.ollama.messages import Message, ToolCall
from ollama_magic.ollama.protocol import ChatRequest
from ollama_magic.ollama.request_bodies import chat_body, chat_bytes

MESSAGES = (
    Message("system", 'Say "yes", or \\n.'),
    Message("user", "Übung 日本 \ud800 \ud83d\ude00", images=(b"\x89PNG", b"RIFF")),
    Message("assistant", "", "hm", (ToolCall("weather", {"city": "Lima"}, "c1"),)),
    Message("tool", "20 °C", tool_name="weather", tool_call_id="c1"),
    Message("assistant", "warm\u2028"),
)
REQUESTS = [
    ChatRequest("demo", ()),
    ChatRequest("demo", MESSAGES),
    ChatRequest("demo", MessageList(MESSAGES)),
    ChatRequest("demo", MessageList(MESSAGES[:2]).then(MESSAGES[2:])),
    ChatRequest("dé/mo:1b", MESSAGES[:1], {"seed": 1, "stop": ["\ud800"]}, "low", {"type": "object"}, 0, ({"a": 1},)),
    ChatRequest("demo", MESSAGES, think=False, keep_alive="5m", format="json"),
]


@pytest.mark.parametrize("request_", REQUESTS)
def test_a_long_history_is_sent_byte_for_byte(request_):
    """The bytes of a chat request are those of its JSON object, also when its texts were written before."""
    expected = body_bytes(chat_body(request_))
    assert [chat_bytes(request_), chat_bytes(request_)] == [expected, expected]
    assert json.loads(expected)["model"] == request_.model


def test_a_text_of_the_history_is_written_once(monkeypatch):
    """The JSON of a message that was sent before is not made again when others follow it."""
    sent = MessageList([Message("user", "hello")])
    monkeypatch.setattr("ollama_magic.ollama.message_list.message_body", lambda message: {"new": message.content})
    body = json.loads(chat_bytes(ChatRequest("demo", sent.then([Message("user", "again")]))))
    assert body["messages"] == [{"role": "user", "content": "hello"}, {"new": "again"}]


def test_an_option_that_json_does_not_have_is_refused():
    """A request whose options cannot be written is one line."""
    with pytest.raises(InputError, match="cannot be written as JSON"):
        chat_bytes(ChatRequest("demo", (Message("user", "hello"),), {"seed": float("nan")}))
