"""Create, blobs, copy, delete: models that are made, and what is then told of them."""

from __future__ import annotations

import hashlib
import json

from tests.demo.asking import ask
from tests.demo.lines import error, loaded, names, post, statuses, told
from tests.double import DEMO, PLAIN, DemoModel, Fault, ScriptedServer

GGUF = b"GGUF" + bytes(200)


def digest_of(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def test_create_lays_over_what_it_inherits() -> None:
    """System, template, license and messages take the place of the inherited ones; parameters are merged."""
    messages = [{"role": "user", "content": "I am Ada"}, {"role": "assistant", "content": "Hello, Ada!"}]
    changes = {"system": "Be kind.", "template": "{{ .Prompt }}", "license": ["Mine", "Yours"], "messages": messages}
    with ScriptedServer(pace=0) as server:
        reply = post(server, "create", model="kind", **{"from": "demo"}, parameters={"top_k": 3}, **changes)
        shown = told(server, "show", model="kind")
    assert [line.split(" sha256:")[0] for line in statuses(reply)] == [
        *("using existing layer", *["creating new layer"] * 5, "writing manifest", "success")
    ]
    assert (shown["system"], shown["template"], shown["license"]) == ("Be kind.", "{{ .Prompt }}", "Mine\nYours")
    assert shown["messages"] == messages
    assert sorted(line.split()[0] for line in shown["parameters"].split("\n")) == ["stop", "temperature", "top_k"]
    assert shown["details"]["parent_model"] == "demo:latest"
    assert shown["capabilities"] == ["completion", "thinking"]


def test_a_created_model_speaks_as_it_was_made() -> None:
    """Its system text and its messages come before what is asked, its options count."""
    with ScriptedServer(pace=0, models=[PLAIN]) as server:
        messages = [{"role": "user", "content": "My name is Ada"}]
        post(server, "create", model="ada", **{"from": "demo-plain"}, system="Be kind.", messages=messages)
        reply = told(
            server, "chat", model="ada", messages=[{"role": "user", "content": "What is my name?"}], stream=False
        )
        prompt = told(server, "generate", model="ada", prompt="Hi", _debug_render_only=True)
        post(server, "create", model="short", **{"from": "demo-plain"}, parameters={"num_predict": 2})
        short = told(server, "generate", model="short", prompt="Hi", stream=False)
    assert "**Ada**" in reply["message"]["content"]
    rendered = prompt["_debug_info"]["rendered_template"]
    assert rendered.index("Be kind.") < rendered.index("My name is Ada") < rendered.index("Hi<")
    assert (short["done_reason"], short["eval_count"]) == ("length", 2)


def test_create_pulls_a_base_that_is_missing() -> None:
    """The lines of the pull come first, its own success among them; only the last success is that of create."""
    with ScriptedServer(pace=0) as server:
        said = statuses(post(server, "create", model="mine", **{"from": "demo-code"}, system="Code."))
        assert names(server) == ["mine:latest", "demo-code:latest", "demo:latest"]
        unknown = statuses(post(server, "create", model="x", **{"from": "nosuch"}))
    assert said[0] == "pulling manifest"
    assert said.count("success") == 2
    assert said[-1] == "success"
    assert unknown == ["pulling manifest", "error: pull model manifest: file does not exist"]


def test_create_from_an_uploaded_file() -> None:
    """HEAD, POST, HEAD, create; twice the same upload is no error."""
    with ScriptedServer(pace=0) as server:
        path = f"/api/blobs/{digest_of(GGUF)}"
        assert ask(server.url, "HEAD", path).status == 404
        assert [ask(server.url, "POST", path, GGUF).status for _ in range(2)] == [201, 200]
        there = ask(server.url, "HEAD", path)
        assert (there.status, [name for name, _ in there.headers]) == (200, ["Date", "Connection"])
        said = statuses(post(server, "create", model="tiny", files={"tiny.gguf": digest_of(GGUF)}))
        assert (said[0], said[-1], names(server)[0]) == ("parsing GGUF", "success", "tiny:latest")


def test_blobs_that_are_refused() -> None:
    """A digest that does not fit, or is none; a file that is no GGUF, or is not there."""
    with ScriptedServer(pace=0) as server:
        wrong = ask(server.url, "POST", f"/api/blobs/sha256:{'1' * 64}", GGUF)
        assert wrong.status == 400
        text = f'digest mismatch, expected "sha256:{"1" * 64}", got "{digest_of(GGUF)}"'
        assert json.loads(wrong.body)["error"] == text
        assert ask(server.url, "POST", "/api/blobs/sha256:xyz", GGUF).body == b'{"error":"invalid digest format"}'
        ask(server.url, "POST", f"/api/blobs/{digest_of(b'text')}", b"text")
        files = [{"x.gguf": digest_of(b"text")}, {"x.gguf": digest_of(b"none")}]
        ends = [statuses(post(server, "create", model="x", files=one))[-1] for one in files]
    assert ends[0] == "error: supplied file was not in GGUF format"
    assert ends[1].endswith("no such file or directory")


def test_quantizing_makes_other_weights() -> None:
    """Only unquantised models can be quantised, and the result does not share a runner with its base."""
    with ScriptedServer(pace=0, models=[DemoModel("full", quantization="F16"), PLAIN]) as server:
        said = statuses(post(server, "create", model="q4", **{"from": "full"}, quantize="q4_K_M"))
        assert told(server, "show", model="q4")["details"]["quantization_level"] == "Q4_K_M"
        refused = error(server, "create", model="x", **{"from": "demo-plain"}, quantize="q8_0")
        for model in ("full", "q4"):
            post(server, "generate", model=model)
        assert len(loaded(server)) == 2
    assert said[0] == "verifying conversion"
    assert refused == (500, "quantization is only supported for F16, BF16 and F32 models")


def test_create_can_fail_in_the_middle() -> None:
    """An error in mid-create is a line, and no model is made."""
    with ScriptedServer(
        pace=0, faults=[Fault("error_line", after=2, error="no space left", path="/api/create")]
    ) as server:
        reply = post(server, "create", model="x", **{"from": "demo"})
        assert (reply.status, statuses(reply)[-1]) == (200, "error: no space left")
        assert names(server) == ["demo:latest"]


def test_copy_shares_the_weights() -> None:
    """A copy has the digest of its source; one runner serves both, and unloading one unloads all."""
    with ScriptedServer(pace=0, models=[DEMO]) as server:
        reply = post(server, "copy", source="demo", destination="me/demo:two")
        assert (reply.status, reply.body, dict(reply.headers).get("Content-Type")) == (200, b"", None)
        models = json.loads(ask(server.url, path="/api/tags").body)["models"]
        assert [model["name"] for model in models] == ["me/demo:two", "demo:latest"]
        assert models[0]["digest"] == models[1]["digest"]
        post(server, "generate", model="me/demo:two")
        post(server, "generate", model="demo")
        assert [model["name"] for model in loaded(server)] == ["me/demo:two"]
        post(server, "generate", model="demo", keep_alive=0)
        assert loaded(server) == []


def test_delete_forgets_a_model_and_answers_with_nothing() -> None:
    """The body is empty; the second time the model is unknown; what is loaded stays."""
    with ScriptedServer(pace=0, models=[DEMO, PLAIN]) as server:
        post(server, "generate", model="demo-plain")
        reply = post(server, "delete", "DELETE", model="DEMO-plain")
        assert (reply.status, reply.body) == (200, b"")
        assert names(server) == ["demo:latest"]
        assert error(server, "delete", "DELETE", model="demo-plain") == (404, "model 'demo-plain' not found")
        assert [model["name"] for model in loaded(server)] == ["demo-plain:latest"]
