"""What is told of models: the list, one of them, their names, and the stubs of account and cloud."""

from __future__ import annotations

import json

from tests.demo.asking import ask, chat
from tests.demo.lines import error, loaded, names, post, told
from tests.double import DEMO, PLAIN, PULLABLE, SMALL, DemoModel, ScriptedServer


def test_the_newest_model_is_listed_first() -> None:
    """In the order given, and what comes later before them."""
    with ScriptedServer(pace=0, models=[DEMO, PLAIN]) as server:
        assert names(server) == ["demo:latest", "demo-plain:latest"]
        post(server, "copy", source="demo-plain", destination="b")
        post(server, "copy", source="demo-plain", destination="a")
        assert names(server) == ["a:latest", "b:latest", "demo:latest", "demo-plain:latest"]


def test_sizes_add_up() -> None:
    """A model's size is that of its layers; models with the same text share that layer."""
    for model in PULLABLE:
        assert sum(layer.size for layer in model.layers) == model.size
    assert {layer.digest for layer in DEMO.layers} & {layer.digest for layer in SMALL.layers}


def test_show_tells_more_when_asked() -> None:
    """Long lists with `verbose` only; parameters one to a line, a list one line per item; what is asked merged in."""
    model = DemoModel("x", parameters=(("stop", ["a", "b"]), ("use_mmap", True), ("top_p", 0.5)), parameter_size="1.5B")
    with ScriptedServer(models=[model]) as server:
        brief = told(server, "show", model="x", system="Hi", options={"seed": 4})
        verbose = told(server, "show", model="x", verbose=True)
    assert brief["parameters"].split("\n") == [
        *(f'{"stop":<30} "a"', f'{"stop":<30} "b"', f"{'use_mmap':<30} true", f"{'top_p':<30} 0.5")
    ]
    assert brief["model_info"]["general.parameter_count"] == 1_500_000_000
    assert brief["model_info"]["tokenizer.ggml.tokens"] is None
    assert len(verbose["model_info"]["tokenizer.ggml.tokens"]) > 5
    assert ("SYSTEM Hi" in brief["modelfile"], "PARAMETER seed 4" in brief["modelfile"]) == (True, True)
    assert "seed" not in brief["parameters"]


def test_a_stub_of_a_remote_model() -> None:
    """Its list entry, its show and its replies name where it runs."""
    stub = DemoModel("big", remote_model="big:1t", remote_host="https://ollama.com")
    messages = [{"role": "user", "content": "Hi"}]
    with ScriptedServer(pace=0, models=[stub]) as server:
        (tag,) = json.loads(ask(server.url, path="/api/tags").body)["models"]
        shown = told(server, "show", model="big")
        reply = told(server, "chat", model="big", messages=messages, stream=False)
    for one in (tag, shown, reply):
        assert (one["remote_model"], one["remote_host"]) == ("big:1t", "https://ollama.com")
    assert list(reply)[:4] == ["model", "remote_model", "remote_host", "created_at"]


def test_a_cloud_name_has_no_way_out() -> None:
    """Before v0.18 such a name was an ordinary one that had to be pulled."""
    with ScriptedServer(pace=0) as server:
        status, text = error(server, "chat", model="big:cloud", messages=[])
        assert (status, text.startswith('Post "https://ollama.com:443/api/chat?ts=')) == (502, True)
    with ScriptedServer(pace=0, version="0.12.5") as server:
        assert error(server, "chat", model="big:cloud", messages=[]) == (404, "model 'big:cloud' not found")


def test_account_and_web() -> None:
    """Signed in nowhere, and no way out."""
    with ScriptedServer() as server:
        assert error(server, "me") == (503, "account unavailable")
        assert error(server, "signout") == (500, "there was an error signing out")
        for call in ("web_search", "web_fetch"):
            status, text = error(server, f"experimental/{call}", query="x")
            assert (status, f"/api/{call}?ts=" in text) == (502, True)


def test_the_invented_models_are_announced() -> None:
    """By name, and by a reply in either language."""
    with ScriptedServer(pace=0) as server:
        for prompt in ("Which models can I pull?", "可以下载哪些模型？"):
            said = chat(server.url, prompt).text
            assert all(f"`{name}`" in said for name in server.pullable if name != "demo")


def test_a_model_is_loaded_by_its_own_parameters() -> None:
    """`num_ctx` of the model counts where the request has none."""
    with ScriptedServer(pace=0, models=[DemoModel("wide", parameters=(("num_ctx", 8192),))]) as server:
        post(server, "generate", model="wide")
        assert loaded(server)[0]["context_length"] == 8192
        post(server, "generate", model="wide", prompt="Hi", options={"num_ctx": 1024})
        assert loaded(server)[0]["context_length"] == 1024


def test_every_host_may_be_let_in() -> None:
    """A switch: without it a foreign Host or Origin is a 403 with nothing in it."""
    foreign = {"Host": "example.org", "Origin": "https://example.org"}
    with ScriptedServer() as server, ScriptedServer(any_host=True) as open_one:
        assert [ask(server.url, **{key: value}).status for key, value in foreign.items()] == [403, 403]
        assert [ask(open_one.url, **{key: value}).status for key, value in foreign.items()] == [200, 200]


def test_lines_may_come_in_parts() -> None:
    """A few bytes at a time, and the same reply all the same."""
    with ScriptedServer(pace=0, segment=7) as server, ScriptedServer(pace=0) as other:
        assert chat(server.url, "Hello").text == chat(other.url, "Hello").text
