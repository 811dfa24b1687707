"""Bytes to chunks: every split gives the same, nothing that a server sends is an exception."""

from __future__ import annotations

import json
import random

import pytest

from ollama_magic.ollama.decoder import ChunkDecoder
from ollama_magic.ollama.message_json import body_bytes
from ollama_magic.ollama.messages import Message
from ollama_magic.ollama.protocol import ChatChunk, ChatRequest
from ollama_magic.ollama.request_bodies import chat_body
from ollama_magic.ollama.stats import Stats
from tests.ollama.reading import END, joined, line

STREAM = b"".join(
    (
        line("Grüße, "),
        b"\n",
        '{"message":{"content":"世界 \U0001f30d\u2028\u0085"}}\r\n'.encode(),
        b'{"message":{"content":"","thinking":"hm\\u00e9"},"done":false}\n',
        line(" end", done=True, done_reason="stop", eval_count=3, total_duration=9),
        line("late"),
    )
)


def decoded(*pieces: bytes, **settings: int) -> list[ChatChunk]:
    """Return all chunks of a stream that comes in these pieces."""
    decoder = ChunkDecoder(**settings)
    return [chunk for piece in pieces for chunk in decoder.feed(piece)] + decoder.close()


def test_every_split_gives_the_same_chunks():
    """Wherever the bytes are cut in two, and also one by one, the same chunks come out."""
    whole = decoded(STREAM)
    assert joined(whole) == "Grüße, 世界 \U0001f30d\u2028\u0085 end"
    for at in range(len(STREAM) + 1):
        assert decoded(STREAM[:at], STREAM[at:]) == whole
    assert decoded(*(STREAM[i : i + 1] for i in range(len(STREAM)))) == whole


@pytest.mark.parametrize("seed", range(30))
def test_every_shuffle_of_pieces_gives_the_same_chunks(seed):
    """Random pieces of a long stream give the same chunks as the whole."""
    luck = random.Random(seed)
    stream = (
        b"".join(line(luck.choice(["a", "é", "日本", "\U0001f469\u200d\U0001f4bb", "\u0085"])) for _ in range(200))
        + END
    )
    pieces = []
    rest = stream
    while rest:
        size = luck.randrange(1, 90)
        pieces.append(rest[:size])
        rest = rest[size:]
    assert decoded(*pieces) == decoded(stream)


def test_lines_end_at_a_newline_only():
    """U+0085 and U+2028 inside JSON text are text."""
    assert joined(
        decoded('{"message":{"content":"a\u0085b\u2028c\u2029d\x1fe"}}\n'.replace("\x1f", "\\u001f").encode())
    ) == ("a\u0085b\u2028c\u2029d\x1fe")


def test_the_last_chunk_brings_the_counts():
    """Counts and times come from the line with the end mark, and absent ones are None."""
    (chunk,) = decoded(line("x", done=True, done_reason="length", eval_count=7, prompt_eval_duration=5))
    assert chunk == ChatChunk(
        "x", done=True, done_reason="length", stats=Stats(answer_tokens=7, prompt_ns=5), model="m"
    )


def test_an_old_last_chunk_without_a_message_is_an_end():
    """v0.1.14 leaves the message out of the last chunk."""
    chunks = decoded(line("a"), b'{"model":"m","done":true,"eval_count":1}\n')
    assert joined(chunks) == "a"
    assert chunks[-1].done


@pytest.mark.parametrize(
    "value",
    [
        {"message": None},
        {"message": []},
        {"message": ["content"]},
        {"message": "text"},
        {"message": {"content": 5}},
        {"message": {"content": ["a"]}},
        {"message": {"content": {"a": 1}}},
        {"message": {"content": None, "thinking": 3}},
        {"model": 5, "message": {}},
        {"done": "true"},
        {"done": 1},
        {"done": None},
        {"error": None},
        {"error": ""},
        {"error": False},
        {"message": {"content": "", "tool_calls": [None, 7]}},
    ],
)
def test_wrong_types_bring_no_text_and_no_end(value):
    """A field of a wrong type counts as not there, and only a real true ends an answer."""
    chunks = decoded(json.dumps(value).encode() + b"\n", line("a"), END)
    assert joined(chunks) == "a"
    assert [chunk.done for chunk in chunks] == [False, False, True]


@pytest.mark.parametrize("count", ["x", None, -4, True, 1.5, 2**63, [1], {"a": 1}])
def test_counts_that_are_none_are_left_out(count):
    """A count of a wrong type or size is None, never an exception."""
    (chunk,) = decoded(line(done=True, eval_count=count, total_duration=count, done_reason=count))
    assert chunk.stats == Stats()
    assert chunk.done_reason == ("x" if count == "x" else None)


@pytest.mark.parametrize(
    "garbage",
    [
        b"<html>",
        b"}{",
        b"data: {}",
        b'{"a":',
        b'{"x":' + b"[" * 200_000 + b"}",
        b'{"x":' + b"7" * 20_000 + b"}x",
        b"\xff\xfe\x00",
        b"\x00",
        b"\x1b[2J\x1b]0;evil\x07",
    ],
)
def test_garbage_is_one_readable_error(garbage):
    """A line that is no JSON ends the stream with an error of one printable line, and the text before it stays."""
    chunks = decoded(line("a"), garbage + b"\n", line("b"), END)
    assert joined(chunks) == "a"
    assert chunks[-1].error
    assert chunks[-1].error.isprintable()
    assert len(chunks[-1].error) < 200


@pytest.mark.parametrize(
    "odd", [b"null", b"1", b'"s"', b"[]", b"NaN", b'{"x":NaN,"y":1e999}', b'{"a":1,"a":2}', b" \t"]
)
def test_odd_json_is_passed_over(odd):
    """JSON that is no chunk, and numbers that JSON does not know, disturb nothing."""
    chunks = decoded(odd + b"\n", line("a"), END)
    assert joined(chunks) == "a"
    assert chunks[-1].done


def test_lone_surrogates_do_not_come_in():
    """Text from a server can always be encoded."""
    stream = b'{"model":"\\ud800","message":{"content":"x\\udfffy","thinking":"\\ud83d"}}\n{"error":"\\udc00"}\n'
    for chunk in decoded(stream):
        "".join((chunk.content, chunk.thinking, chunk.model, chunk.error or "")).encode()
    assert joined(decoded(stream)) == "x\ufffdy"


@pytest.mark.parametrize(
    ("error", "says"),
    [
        ("plain", "plain"),
        ({"message": "inner", "code": 5}, "inner"),
        ({"error": {"message": "deep"}}, "deep"),
        ('{"error":{"code":400,"message":"in a string"}}', "in a string"),
        ('runner: {"error":{"message":"behind words"}}', "runner: behind words"),
        (["first", "second"], "first"),
        (5, "5"),
        ({"code": 5}, "an error without words"),
        ("{not json", "{not json"),
        ("two\nlines\x1b[31m", "two lines"),
        ("x" * 5000, "x" * 299 + "…"),
    ],
)
def test_errors_of_every_shape_are_words(error, says):
    """An error object is unwrapped to the words in it, on one line."""
    chunks = decoded(line("a"), json.dumps({"error": error}).encode() + b"\n", line("b"))
    assert [chunk.error for chunk in chunks] == [None, says]


def test_a_remote_stubs_error_is_one():
    """The error shape of models that run elsewhere is read too."""
    (chunk,) = decoded(b'{"StatusCode":429,"Status":"429 Too Many Requests","error":""}\n')
    assert chunk.error == "429 Too Many Requests"


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_line_over_the_limit_ends_the_stream(size):
    """However it comes, a line over the limit is cut there, and what came before stays."""
    stream = line("a") + line("x" * 500) + END
    chunks = decoded(*(stream[i : i + size] for i in range(0, len(stream), size)), line_bytes=300)
    assert joined(chunks) == "a"
    assert "more than 300 bytes" in chunks[-1].cut


def test_long_lines_below_the_limit_are_read():
    """A line of megabytes is no problem by itself."""
    text = "長い" * 400_000
    assert joined(decoded(line(text) + END)) == text


def test_a_request_is_written_without_what_is_not_set():
    """Fields that are not set are left out of the body, and false is not the same as not set."""
    messages = (Message("system", "s"), Message("user", "p"), Message("assistant", "a", thinking="t"))
    assert chat_body(ChatRequest("m", messages)) == {
        "model": "m",
        "messages": [
            {"role": "system", "content": "s"},
            {"role": "user", "content": "p"},
            {"role": "assistant", "content": "a", "thinking": "t"},
        ],
        "stream": True,
    }
    full = chat_body(ChatRequest("m", (), {"seed": 0}, think=False, format="json", keep_alive=0))
    assert (full["options"], full["think"], full["format"], full["keep_alive"]) == ({"seed": 0}, False, "json", 0)


@pytest.mark.parametrize(
    "text", ["{{x}}\r\n\t\x00 \x7f", "日本語 \U0001f469\u200d\U0001f4bb", "\u2028\u0085", '"\\', "%s {0} $x"]
)
def test_prompts_arrive_byte_for_byte(text):
    """A prompt is the same on the wire as it was typed."""
    body = json.loads(body_bytes(chat_body(ChatRequest("m", (Message("user", text),)))))
    assert body["messages"][0]["content"] == text


def test_a_lone_surrogate_in_a_prompt_does_not_stop_it():
    """What cannot be encoded is sent as U+FFFD."""
    assert "a\ufffdb" in body_bytes({"x": "a\ud800b"}).decode()
