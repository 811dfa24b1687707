"""What a user reads off a reply."""

import pytest

from ollama_magic.conversation.reply import Reply, fenced_blocks
from ollama_magic.conversation.think_tags import ThinkTags
from ollama_magic.errors import InputError
from ollama_magic.ollama.messages import Message


def reply(text, **fields):
    return Reply(text_parts=[text], **{"state": "complete", **fields})


@pytest.mark.parametrize(
    ("text", "blocks"),
    [
        ("no code", []),
        ("```python\nx = 1\n```", ["x = 1"]),
        ("a\n~~~\nb\n```\n~~~\nc\n````\nd\n```\n````", ["b\n```", "d\n```"]),
        ("- item\n  ```\n  y\n    z\n  ```", ["y\n  z"]),
        ("```\nopen", ["open"]),
        ("`` `a` ``\n``` `not a fence`", []),
        ("```\n\n```", [""]),
    ],
)
def test_code_is_what_stands_in_fences(text, blocks):
    """The code of a reply is the inside of its fences, indented and unclosed ones too."""
    assert fenced_blocks(text) == blocks == reply(text).code


def test_json_is_read_with_or_without_a_fence():
    """A reply is read as JSON, also when it stands in a fence, and another one is refused in one line."""
    assert reply('{"a": 1}').json() == reply('Here:\n```json\n{"a": 1}\n```').json() == {"a": 1}
    with pytest.raises(InputError, match="not JSON"):
        reply("Sorry").json()


@pytest.mark.parametrize("sign", ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c"])
def test_only_a_newline_ends_a_line_of_code(sign):
    """A sign at which Python splits a text, and Markdown does not, stays within its line of code or JSON."""
    assert reply(f"```\nx = 'a{sign}b'\r\ny\r```\r\n").code == [f"x = 'a{sign}b'\ny"]
    assert reply(f"```\na{sign}```\nb").code == [f"a{sign}```\nb"]
    if sign.isprintable() or ord(sign) > 0x20:
        assert reply(f'```json\n{{"a": "x{sign}y"}}\n```').json() == {"a": f"x{sign}y"}


def test_messages_have_the_shape_of_ollama():
    """The messages of a reply are what was sent and the answer behind it."""
    sent = (Message("system", "s"), Message("user", "u"))
    assert [m["role"] for m in reply("a", sent=sent).messages] == ["system", "user", "assistant"]


def test_the_repr_is_plain_text_and_says_what_is_missing():
    """The repr of a reply is its text without escapes, with a mark if it is not complete."""
    assert repr(reply("a\x1b[31mb")) == "ab"
    assert repr(reply("half", state="stopped")) == "half\n\n[stopped]"


@pytest.mark.parametrize(
    "text", ["<think>a b</think>c", "plain", "<thin air", "a <think>b</think>", "<think>open", "<think></think>x"]
)
def test_think_tags_do_not_depend_on_the_cut(text):
    """However a text is cut, the same thinking and the same answer come out."""
    outcomes = set()
    for size in range(1, len(text) + 1):
        tags, thinking, answer = ThinkTags(), "", ""
        for start in range(0, len(text), size):
            more, rest = tags.feed(text[start : start + size])
            thinking, answer = thinking + more, answer + rest
        more, rest = tags.close()
        outcomes.add((thinking + more, answer + rest))
    assert len(outcomes) == 1


def test_json_that_cannot_be_is_one_readable_sentence():
    """Deep nesting, an answer that was cut, and no text at all are each an InputError with the reason."""
    for text, state, why in (
        ("[" * 100_000, "complete", "nested too deeply"),
        ('{"a": ', "stopped", "it is incomplete"),
        ("", "complete", "Expecting value"),
    ):
        with pytest.raises(InputError, match=why):
            Reply(text_parts=[text], state=state).json()


def test_a_fence_inside_a_string_is_part_of_the_json():
    """What is JSON as it stands is read as it stands, whatever its strings hold."""
    text = '{"a": "\u2028```json\u2028{}\u2028```"}'
    assert reply(text).json() == {"a": "\u2028```json\u2028{}\u2028```"}
