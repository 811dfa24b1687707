"""Malformed streams: each ends in an acceptable way, with the text kept, in the pure decoder and over a socket."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from tests.ollama.raw_server import NDJSON, Connection, RawServer
from tests.ollama.reading import Answer, ask, one_readable
from tests.ollama.test_decoder import decoded

FILE = Path(__file__).parent.parent / "hostile" / "streams.jsonl"
STREAMS = [json.loads(text) for text in FILE.read_text(encoding="utf-8").splitlines()]


def _bytes(frame: dict) -> bytes:
    if "rep" in frame:
        text, times = frame["rep"]
        return text.encode() * times
    return frame["t"].encode() if "t" in frame else base64.b64decode(frame["b64"])


def _outcome(answer: Answer) -> str:
    if answer.state == "complete":
        return "complete"
    return "partial" if answer.text or answer.state == "cut" else "error"


def _judge(stream: dict, answer: Answer) -> None:
    expected = stream["expect"]
    assert _outcome(answer) in expected["outcome"], answer
    if expected["text"] is not None:
        assert answer.text == expected["text"]
    answer.text.encode()
    answer.thinking.encode()
    assert not answer.line or one_readable(answer.line)


def _play(stream: dict):
    encoding = f"Content-Encoding: {stream['content_encoding']}\r\n" if "content_encoding" in stream else ""

    def script(connection: Connection) -> None:
        connection.request()
        connection.send(NDJSON + encoding.encode() + b"Transfer-Encoding: chunked\r\n\r\n")
        connection.chunks(*filter(None, map(_bytes, stream["frames"])), end=stream["end"] == "clean")
        if stream["end"] == "rst":
            connection.reset()

    return script


@pytest.mark.parametrize("stream", STREAMS, ids=[stream["id"] for stream in STREAMS])
def test_over_a_socket(stream):
    """A malformed stream ends as it may, and keeps the text that it must."""
    with RawServer(_play(stream)) as server:
        _judge(stream, ask(server.address))


PLAIN = [stream for stream in STREAMS if "content_encoding" not in stream and stream["expect"]["outcome"] != ["error"]]


@pytest.mark.parametrize("stream", PLAIN, ids=[stream["id"] for stream in PLAIN])
def test_in_the_decoder(stream):
    """The decoder alone comes to the same, also when every frame comes in two."""
    frames = [_bytes(frame) for frame in stream["frames"]]
    halves = [half for frame in frames for half in (frame[: len(frame) // 2], frame[len(frame) // 2 :])]
    answer = Answer()
    for chunk in decoded(*frames):
        answer.take(chunk)
    _judge(stream, answer)
    assert decoded(*halves) == decoded(b"".join(frames)) == answer.chunks
