"""A list of messages that is continued: it is what a new list of all of them would be."""

import json
import pickle
from threading import Thread

import pytest

from ollama_magic.errors import InputError
from ollama_magic.ollama.message_list import MessageList
from ollama_magic.ollama.messages import Message, ToolCall

SYSTEM = Message("system", "Be brief.")
QUESTION = Message("user", "Où est 東京?")
PICTURE = Message("user", "What is this?", images=(b"\x89PNG", b"RIFF"))
CALL = Message("assistant", "", "hm", (ToolCall("weather", {"city": "Lima"}, "c1"),))
RESULT = Message("tool", "20 °C", tool_name="weather", tool_call_id="c1")
ANSWER = Message("assistant", "A logo.")
ALL = (SYSTEM, QUESTION, CALL, RESULT, ANSWER, PICTURE, ANSWER, PICTURE, QUESTION)


def facts(messages):
    body = json.loads(messages.json(b"[", b"]"))
    return tuple(messages), messages.size, messages.prompts, messages.images, messages.digests, body


@pytest.mark.parametrize("cut", range(len(ALL) + 1))
def test_continued_is_as_made_at_once(cut):
    """Wherever a list is continued, it is as one that was made of all its messages; the shorter one stays as it was."""
    begun = MessageList(ALL[:cut])
    before = facts(begun)
    assert facts(begun.then(ALL[cut:])) == facts(MessageList(ALL))
    assert facts(begun) == before


def test_two_lists_continue_one_in_different_ways():
    """Each has its own messages, in whichever order they are continued and read."""
    begun = MessageList([SYSTEM])
    one, other = begun.then([QUESTION]), begun.then([PICTURE])
    longer, again = one.then([ANSWER]), begun.then([QUESTION, CALL])
    assert facts(one) == facts(MessageList([SYSTEM, QUESTION]))
    assert facts(other.then([ANSWER])) == facts(MessageList([SYSTEM, PICTURE, ANSWER]))
    assert facts(longer) == facts(MessageList([SYSTEM, QUESTION, ANSWER]))
    assert facts(again) == facts(MessageList([SYSTEM, QUESTION, CALL]))


def test_arguments_that_only_python_takes_for_equal_are_told_apart():
    """1, 1.0 and True are equal in Python, and three texts in JSON."""
    begun = MessageList([QUESTION])
    lists = [begun.then([Message("assistant", "", "", (ToolCall("f", {"x": value}),))]) for value in (1, True, 1.0)]
    texts = [one.json() for one in lists]
    assert [text[text.index(b'{"x"') :][:10] for text in texts] == [b'{"x": 1}}}', b'{"x": true', b'{"x": 1.0}']


def test_threads_that_continue_one_list():
    """Whoever comes first, each thread has its own messages."""
    begun, found = MessageList([SYSTEM]), {}

    def go_on(name):
        for number in range(50):
            found[name, number] = begun.then([Message("user", f"{name} {number}"), Message("assistant", name)])

    threads = [Thread(target=go_on, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for (name, number), messages in found.items():
        texts = [message["content"] for message in facts(messages)[-1]]
        assert texts == ["Be brief.", f"{name} {number}", name]


def test_a_copy_for_another_process_is_whole():
    """A list that was pickled, as for a Dask worker, is the same one and can be continued."""
    messages = MessageList(ALL)
    copied = pickle.loads(pickle.dumps(messages))
    assert facts(copied) == facts(messages)
    assert facts(copied.then([ANSWER])) == facts(messages.then([ANSWER]))


def test_a_message_that_json_does_not_have_is_refused():
    """The list that it was to continue stays as it was."""
    begun = MessageList([QUESTION])
    with pytest.raises(InputError, match="cannot be written as JSON"):
        begun.then([ANSWER, Message("assistant", "", "", (ToolCall("f", {"x": float("nan")}),))])
    assert facts(begun.then([ANSWER])) == facts(MessageList([QUESTION, ANSWER]))
