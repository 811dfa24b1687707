"""The demo server's replies beside recordings of a real server, field by field and header by header."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ollama_magic.demo.demo_server import DemoServer
from ollama_magic.demo.models.model_card import DemoModel
from tests.demo.asking import ask, connected, read, shape

RECORDED = json.loads((Path(__file__).parents[1] / "double" / "recorded_shapes.json").read_text("utf-8"))
LONG = "{{ .Prompt }}" * 200  # so that the reply of show is too long for one piece, as the real one is
MODELS = (
    DemoModel("tiny", template=LONG, parameters=(("temperature", 0),), embedding_length=256),
    DemoModel("tiny-think", capabilities=("completion", "thinking")),
    DemoModel("tiny-tools", capabilities=("completion", "tools")),
    DemoModel("tiny-fim", capabilities=("completion", "insert")),
)
# What a server without a language model does not answer as a real one: texts of Go's decoder, JSON, thoughts, calls of
# tools, models from files, templates of a request's own, the account and the old endpoints.
OTHERWISE = {
    "bad_cloud_and_local",
    "bad_content_list",
    "bad_image_base64",
    "bad_image_data_url",
    "bad_json_chat",
    "bad_json_cut_off",
    "bad_json_not_an_object",
    "bad_keep_alive_1d",
    "bad_keep_alive_bool",
    "bad_keep_alive_text_5",
    "bad_keep_alive_text_minus_1",
    "bad_messages_string",
    "bad_model_number",
    "bad_options_list",
    "bad_stream_string",
    "bad_think_number",
    "bad_top_logprobs",
    "bad_trailing_garbage_is_ignored",
    "bad_tool_call_arguments_string",
    "bad_tools_object",
    "bad_format_schema",
    "bad_format_schema_ref",
    "blob_head_bad_digest",
    "blob_head_missing",
    "chat_format_json",
    "chat_format_schema",
    "chat_format_schema_not_streamed",
    "create_bad_digest",
    "create_bad_file_name",
    "create_bad_template",
    "create_from_not_gguf",
    "create_missing_blob",
    "create_quantize_bad",
    "embeddings_empty",
    "embeddings_no_model",
    "embeddings_one",
    "embeddings_unknown_model",
    "generate_bad_template",
    "generate_format_schema",
    "generate_think",
    "generate_think_not_streamed",
    "generate_think_raw",
    "me_not_signed_in",
    "push_existing_unreachable",
    "push_no_model",
    "push_refused_registry",
    "push_unreachable",
    "signout_not_signed_in",
    "status",
    "think_absent",
    "think_format_schema",
    "think_format_schema_think_false",
    "think_high",
    "think_low_not_streamed",
    "think_max",
    "think_true",
    "think_true_not_streamed",
    "tools_call",
    "tools_call_add",
    "tools_call_not_streamed",
    "tools_call_one_tool",
    "tools_num_predict_8",
    "web_search_empty_body",
}
PLAYED = [one for one in RECORDED if one["name"] not in OTHERWISE and one.get("version", "0.32.15") == "0.32.15"]


@pytest.mark.parametrize("recorded", PLAYED, ids=lambda recorded: recorded["name"])
def test_reply_has_the_recorded_shape(recorded: dict) -> None:
    """The same request brings the same status, the same headers in the same order, the same keys and error texts."""
    with DemoServer(pace=0, models=MODELS) as server:
        if recorded["name"] == "ps_loaded":
            ask(server.url, "POST", "/api/chat", {"model": "tiny"})
        headers = {name: value for name, value in recorded["headers"].items() if name != "Content-Length"}
        reply = ask(server.url, recorded["method"], recorded["path"], recorded["body"], **headers)
    seen = [[name, None if name in ("Date", "Content-Length") else value] for name, value in reply.headers]
    assert reply.status_line == recorded["status_line"]
    assert seen == recorded["reply_headers"]
    assert shape(reply.body.decode(), reply.status) == recorded["shape"]


def test_most_recordings_are_played() -> None:
    """What is left out is the smaller part."""
    assert len(PLAYED) > 2 * len(OTHERWISE)
    assert {one["name"] for one in RECORDED} >= OTHERWISE


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("{broken", 400),
        ("[1]", 400),
        ('{"model": 5}', 400),
        ('{"model": "tiny", "messages": "x"}', 400),
        ('{"model": "tiny", "messages": [5]}', 400),
        ('{"model": "tiny", "keep_alive": true}', 400),
        ('{"model": "tiny", "keep_alive": "1d"}', 400),
        ('{"model": "tiny", "think": 1}', 400),
        ('{"model": "tiny", "messages": [{"role": "user", "content": "x"}], "options": {"num_ctx": "big"}}', 500),
        ("[" * 100_000, 400),
        ('{"model": "tiny", "keep_alive": NaN}', 400),
        ('{"model": "tiny", "keep_alive": 1' + "0" * 400 + "}", 400),
        ('{"model": "tiny", "messages": [{"role": "user", "content": "x"}], "options": {"num_predict": 1e999}}', 400),
    ],
)
def test_bad_requests(body: str, status: int) -> None:
    """What is no request gets one line that says so, and the server goes on."""
    with DemoServer(pace=0, models=MODELS) as server:
        reply = ask(server.url, "POST", "/api/chat", body)
        assert ask(server.url).status == 200
    assert reply.status == status
    assert "\n" not in json.loads(reply.body)["error"]


@pytest.mark.parametrize(
    "head",
    ["Content-Length: -5\r\n\r\n{}", "Content-Length: \xb2\r\n\r\n{}", "Transfer-Encoding: chunked\r\n\r\n-5\r\n{}"],
)
def test_a_length_that_is_none(head: str) -> None:
    """A body without a length gets one reply, and is not read as another request."""
    with DemoServer() as server, connected(server.url) as sock:
        sock.sendall(f"POST /api/chat HTTP/1.1\r\nHost: localhost\r\n{head}".encode("latin-1"))
        reply = read(sock)
    assert reply.status == 400
    assert reply.body.count(b"HTTP/1.1") == 0


def test_a_path_is_no_html() -> None:
    """The page of a redirect has the path as text."""
    with DemoServer() as server:
        reply = ask(server.url, path="//<script>")
    assert reply.status == 307
    assert b"&lt;script&gt;" in reply.body
    assert b"<script>" not in reply.body


def test_a_line_is_one_chunk() -> None:
    """Every line of a stream comes as exactly one HTTP chunk, and ends with one newline."""
    with DemoServer(pace=0) as server:
        reply = ask(server.url, "POST", "/api/chat", {"model": "demo", "messages": [{"role": "user", "content": "Hi"}]})
    assert len(reply.chunks) == len(reply.lines) > 10
    assert all(chunk.endswith(b"}\n") and chunk.count(b"\n") == 1 for chunk in reply.chunks)
    assert [line["done"] for line in reply.lines] == [False] * (len(reply.lines) - 1) + [True]


@pytest.mark.parametrize("headers", [{"Host": "example.org"}, {"Origin": "https://example.org"}])
def test_foreign_pages_are_refused(headers: dict[str, str]) -> None:
    """A foreign Host or Origin is a 403 with nothing in it."""
    with DemoServer() as server:
        reply = ask(server.url, **headers)
    assert (reply.status, reply.body) == (403, b"")
