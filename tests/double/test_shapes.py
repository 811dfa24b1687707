"""The demo server's replies beside recordings of a real server, field by field and header by header."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.demo.asking import ask, shape
from tests.double import DemoModel, ScriptedServer

RECORDED = json.loads((Path(__file__).parent / "recorded_shapes.json").read_text("utf-8"))
LONG = "{{ .Prompt }}" * 200  # so that the reply of show is too long for one piece, as the real one is
TOOLS = ("completion", "tools")
MODELS = (
    DemoModel("tiny", template=LONG, parameters=(("temperature", 0),), embedding_length=256),
    DemoModel("tiny-think", capabilities=("completion", "thinking")),
    DemoModel("tiny-tools", capabilities=TOOLS),
    DemoModel("tiny-fim", capabilities=("completion", "insert")),
)


@pytest.mark.parametrize("recorded", RECORDED, ids=lambda recorded: recorded["name"])
def test_reply_has_the_recorded_shape(recorded: dict) -> None:
    """The same request brings the same status, the same headers in the same order, the same keys and error texts."""
    with ScriptedServer(pace=0, models=MODELS, version=recorded.get("version", "0.32.15")) as server:
        if recorded["name"] == "ps_loaded":
            ask(server.url, "POST", "/api/chat", {"model": "tiny"})
        headers = {name: value for name, value in recorded["headers"].items() if name != "Content-Length"}
        reply = ask(server.url, recorded["method"], recorded["path"], recorded["body"], **headers)
    told = [[name, None if name in ("Date", "Content-Length") else value] for name, value in reply.headers]
    assert reply.status_line == recorded["status_line"]
    assert told == recorded["reply_headers"]
    assert shape(reply.body.decode(), reply.status) == recorded["shape"]


def test_a_line_is_one_chunk() -> None:
    """Every line of a stream comes as exactly one HTTP chunk, and ends with one newline."""
    with ScriptedServer(pace=0) as server:
        reply = ask(server.url, "POST", "/api/chat", {"model": "demo", "messages": [{"role": "user", "content": "Hi"}]})
    assert len(reply.chunks) == len(reply.lines) > 10
    assert all(chunk.endswith(b"}\n") and chunk.count(b"\n") == 1 for chunk in reply.chunks)
    assert [line["done"] for line in reply.lines] == [False] * (len(reply.lines) - 1) + [True]


def test_text_is_escaped_as_go_does() -> None:
    """Angle brackets and U+2028 come escaped, U+0085 and emoji raw."""
    odd = "<b>&</b> \u2028 \u0085 👩‍💻"
    with ScriptedServer(pace=0, answers=lambda _body: [odd]) as server:
        reply = ask(server.url, "POST", "/api/chat", {"model": "demo", "messages": [{"role": "user", "content": "?"}]})
    assert "\\u003cb\\u003e\\u0026\\u003c/b\\u003e \\u2028 \u0085 👩‍💻" in reply.chunks[0].decode()
    assert reply.text == odd


def test_content_length_is_told_of_short_bodies_only() -> None:
    """HEAD tells the length that GET has."""
    with ScriptedServer() as server:
        got, headed = (dict(ask(server.url, method, "/api/tags").headers) for method in ("GET", "HEAD"))
    assert got["Content-Length"] == headed["Content-Length"]
    assert int(got["Content-Length"]) > 100
