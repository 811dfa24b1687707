"""Old servers: what a version does not have yet."""

from __future__ import annotations

import json

import pytest

from tests.demo.asking import ask
from tests.demo.lines import error, loaded, names, post, statuses, told
from tests.double import DEMO, SMALL, Fault, ScriptedServer
from tests.double.library.versions import Age
from tests.double.test_tools import TOOLS

PRIME = {"model": "demo", "messages": [{"role": "user", "content": "Is 91 a prime number?"}]}


def server_of(version: str, **more: object) -> ScriptedServer:
    return ScriptedServer(pace=0, models=[DEMO, SMALL], version=version, **more).start()


def text_of(lines: list[dict]) -> str:
    return "".join(line["message"]["content"] for line in lines if "message" in line)


def test_versions_are_compared_by_their_numbers() -> None:
    """0.9 is older than 0.12; a candidate counts as its release; 0.0.0 is a development build, the newest."""
    assert not Age("0.9.6").has("early_status")
    assert Age("0.12.6-rc0").has("early_status")
    assert Age("0.0.0").has("native")


def test_0_1_14() -> None:
    """The first with chat: the last line without message, no done_reason, no ps, no embed, `name` for pull."""
    with server_of("0.1.14") as server:
        *lines, last = post(server, "chat", **PRIME).lines
        assert text_of(lines).startswith("<think>\n")
        assert not {"message", "done_reason"} & set(last)
        assert last["done"] is True
        assert ask(server.url, path="/api/ps").body == b"404 page not found"
        assert error(server, "pull", model="demo-code") == (400, "invalid model name")
        assert statuses(post(server, "pull", name="demo-code"))[-1] == "success"
        assert error(server, "chat", model="x", messages=[])[1] == "model 'x' not found, try pulling it first"
        assert set(told(server, "show", name="demo")) == {
            *("license", "modelfile", "parameters", "template", "details", "modified_at")
        }
        assert error(server, "chat", **PRIME, format="xml") == (400, "format must be json")


def test_before_chat() -> None:
    """v0.1.13 knows neither chat nor version, but generates."""
    with server_of("0.1.13") as server:
        assert (post(server, "chat", **PRIME).status, ask(server.url, path="/api/version").status) == (404, 404)
        assert post(server, "generate", model="demo", prompt="Hi").lines[-1]["done"]


def test_0_3_0() -> None:
    """No think, no capabilities, no schema; an unload loads; a wrong method is a 404; create wants a Modelfile."""
    with server_of("0.3.0") as server:
        assert "</think>" in text_of(post(server, "chat", **PRIME, think={"odd": 1}).lines)
        assert "capabilities" not in told(server, "show", model="demo")
        status, text = error(server, "chat", **PRIME, format={"type": "object"})
        assert (status, "cannot unmarshal object into Go struct field ChatRequest.format" in text) == (400, True)
        assert error(server, "chat", **PRIME, format="xml")[1] == 'format must be empty or "json"'
        assert told(server, "generate", model="demo", keep_alive=0)["done_reason"] == "load"
        assert "context_length" not in json.dumps(loaded(server))
        wrong = ask(server.url, path="/api/chat")
        assert (wrong.status, dict(wrong.headers).get("Allow")) == (404, None)
        assert error(server, "create", model="x", **{"from": "demo"}) == (400, "path or Modelfile are required")
        assert statuses(post(server, "create", model="x", modelfile="FROM demo\nSYSTEM hi"))[-1] == "success"
        assert names(server)[0] == "x:latest"
        assert "try pulling it first" in error(server, "chat", model="nosuch", messages=[])[1]


@pytest.mark.parametrize("think", [True, False, None])
def test_0_9_0(think: bool | None) -> None:
    """Thinking is split off when it is asked for, left out when not wanted, and inline when nothing is said."""
    with server_of("0.9.0") as server:
        lines = post(server, "chat", **PRIME, think=think).lines
        status, text = error(server, "chat", **PRIME, think="low")
        assert "context_length" not in json.dumps(loaded(server))
    assert any(line["message"].get("thinking") for line in lines) == (think is True)
    assert ("<think>" in text_of(lines)) == (think is None)
    assert (status, "cannot unmarshal string" in text) == (400, True)


def test_0_12_5() -> None:
    """An error before a stream's first chunk is a line with status 200; calls have no ids; no logprobs."""
    with server_of("0.12.5", faults=[Fault("error_first", error="boom")]) as server:
        reply = post(server, "chat", **PRIME)
        assert (reply.status, reply.body) == (200, b'{"error":"boom"}\n')
        assert dict(reply.headers)["Content-Type"] == "application/x-ndjson"
        assert error(server, "chat", model="nosuch", messages=[]) == (404, "model 'nosuch' not found")
        weather = {"model": "demo-small", "messages": [{"role": "user", "content": "The weather?"}], "tools": TOOLS}
        (call,) = told(server, "chat", **weather, stream=False)["message"]["tool_calls"]
        assert list(call) == ["function"]
        assert "logprobs" not in told(server, "chat", **PRIME, logprobs=True, stream=False)
        assert ask(server.url, path="/api/status").status == 404
        tags = json.loads(ask(server.url, path="/api/tags").body)["models"][0]
        assert "capabilities" not in tags
        assert "context_length" not in tags["details"]


def test_0_12_4() -> None:
    """Only that version refused `think: false` on a model that does not think."""
    asked = {"model": "demo-small", "messages": PRIME["messages"], "think": False}
    with server_of("0.12.4") as server:
        assert error(server, "chat", **asked) == (400, '"demo-small" does not support thinking')
    with server_of("0.12.5") as server:
        assert post(server, "chat", **asked).status == 200


@pytest.mark.parametrize(("version", "text"), [("0.17.6", "not supported for this model"), ("0.21.0", "max")])
def test_levels_of_thinking(version: str, text: str) -> None:
    """Levels were for one family only up to v0.17.6; `max` came with v0.22."""
    with server_of(version) as server:
        assert text in error(server, "chat", **PRIME, think="low" if text.startswith("not") else "max")[1]


def test_current() -> None:
    """Everything is there."""
    with server_of("0.33.0") as server:
        assert post(server, "chat", **PRIME, think="max").lines[0]["message"]["thinking"]
        assert json.loads(ask(server.url, path="/api/status").body)["cloud"]["disabled"] is False
        assert json.loads(ask(server.url, path="/api/tags").body)["models"][0]["capabilities"]
        found = json.loads(ask(server.url, path="/api/experimental/model-recommendations").body)["recommendations"]
    assert "demo-small" in [item["model"] for item in found]
