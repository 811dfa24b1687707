"""Generate in full, and what it shares with chat: format, images, logprobs, the window, loading."""

from __future__ import annotations

import json

import pytest

from ollama_magic.demo.recordings.text_pieces import pieces as tokens
from tests.demo.lines import error, loaded, post, told
from tests.double import CODE, DEMO, PLAIN, SMALL, VISION, Fault, ScriptedServer

PICTURE = "iVBORw0KGgo="


def said(server: ScriptedServer, prompt: str, **fields: object) -> dict:
    return told(server, "generate", model="demo-plain", prompt=prompt, stream=False, **fields)


def test_the_middle_is_filled_in() -> None:
    """Prompt and suffix only are rendered, and the answer is what stands between them."""
    asked = {"model": "demo-code", "prompt": "def add(a, b=1):\n    return ", "suffix": "\n\nprint(add(1))"}
    with ScriptedServer(pace=0, models=[CODE]) as server:
        assert told(server, "generate", **asked, stream=False)["response"].startswith("a + b  # demo: ")
        rendered = told(server, "generate", **asked, _debug_render_only=True)["_debug_info"]["rendered_template"]
    assert rendered == f"<|fim_prefix|>{asked['prompt']}<|fim_suffix|>{asked['suffix']}<|fim_middle|>"


def test_raw_prompts_are_used_as_they_are() -> None:
    """No template, no stored messages, and no `context` in the reply; marks of turns are understood."""
    prompt = "<|im_start|>user\nMy name is Ada<|im_end|>\n<|im_start|>user\nWhat is my name?<|im_end|>\n"
    with ScriptedServer(pace=0, models=[PLAIN]) as server:
        reply = said(server, prompt, raw=True)
        rendered = said(server, prompt, raw=True, _debug_render_only=True)["_debug_info"]["rendered_template"]
    assert "**Ada**" in reply["response"]
    assert "context" not in reply
    assert rendered == prompt


def test_a_template_of_the_request() -> None:
    """It takes the place of the model's; one that cannot be parsed is a 500."""
    with ScriptedServer(pace=0, models=[PLAIN]) as server:
        made = said(server, "Hi", system="S", template="<{{ .System }}|{{- .Prompt -}}>", _debug_render_only=True)
        broken = error(server, "generate", model="demo-plain", prompt="Hi", template="{{ .Prompt")
    assert made["_debug_info"]["rendered_template"] == "<S|Hi>"
    assert broken == (500, "template: :1: unclosed action")


def test_context_brings_back_what_was_said() -> None:
    """The numbers of prompt and answer, sent along with the next prompt, make it a conversation."""
    with ScriptedServer(pace=0, models=[PLAIN]) as server:
        first = said(server, "My name is Ada")
        second = said(server, "What is my name?", context=first["context"])
        without = said(server, "What is my name?")
    assert second["context"][: len(first["context"])] == first["context"]
    assert "**Ada**" in second["response"]
    assert "not told me" in without["response"]


def test_the_last_line_of_a_stream_has_the_context() -> None:
    """`response` is empty there, and the numbers stand before the statistics."""
    with ScriptedServer(pace=0, models=[PLAIN]) as server:
        *pieces, last = post(server, "generate", model="demo-plain", prompt="Hello").lines
    assert not any("context" in line for line in pieces)
    assert list(last)[2:7] == ["response", "done", "done_reason", "context", "total_duration"]


@pytest.mark.parametrize(("capable", "status"), [(VISION, 200), (PLAIN, 400)])
def test_images(capable: object, status: int) -> None:
    """A model that cannot see refuses them in the runner's words: JSON inside the text."""
    with ScriptedServer(pace=0, models=[capable]) as server:
        message = {"role": "user", "content": "Hi", "images": [PICTURE]}
        for reply in (
            post(server, "generate", model=capable.name, prompt="Hi", images=[PICTURE], stream=False),
            post(server, "chat", model=capable.name, messages=[message], stream=False),
        ):
            assert reply.status == status
            if status == 400:
                assert "multimodal" in json.loads(json.loads(reply.body)["error"])["error"]["message"]


@pytest.mark.parametrize("bad", ["data:image/png;base64,iVBO", "https://example.org/x.png", "iVB"])
def test_images_that_are_no_base64(bad: str) -> None:
    """Go's words, with the place of the first byte that is wrong."""
    with ScriptedServer(pace=0, models=[VISION]) as server:
        status, text = error(server, "generate", model="demo-vision", prompt="Hi", images=[bad])
    assert status == 400
    assert text.startswith("illegal base64 data at input byte ")


def test_logprobs() -> None:
    """Each chunk lists its tokens with bytes, and the alternatives if they were asked for; unstreamed one list."""
    asked = {"model": "demo-plain", "messages": [{"role": "user", "content": "你好"}], "logprobs": True}
    with ScriptedServer(pace=0, models=[PLAIN]) as server:
        *pieces, last = post(server, "chat", **asked, top_logprobs=3).lines
        whole = told(server, "chat", **asked, stream=False)
        none = told(server, "chat", **{**asked, "logprobs": False}, top_logprobs=3, stream=False)
    for line in pieces:
        (one,) = line["logprobs"]
        assert bytes(one["bytes"]).decode() == one["token"] == line["message"]["content"]
        assert [len(one["top_logprobs"]), one["top_logprobs"][0]["token"]] == [3, one["token"]]
    assert "logprobs" not in last
    assert "".join(one["token"] for one in whole["logprobs"]) == whole["message"]["content"]
    assert not any("top_logprobs" in one for one in whole["logprobs"])
    assert "logprobs" not in none


def test_the_last_piece_may_stand_in_the_last_line() -> None:
    """A switch puts content into the line that says done."""
    with ScriptedServer(
        pace=0, models=[PLAIN], faults=[Fault("late_content")], answers=lambda _: ["a", "b", "c"]
    ) as server:
        lines = post(server, "chat", model="demo-plain", messages=[{"role": "user", "content": "?"}]).lines
    assert [(line["message"]["content"], line["done"]) for line in lines] == [("a", False), ("b", False), ("c", True)]
    assert lines[-1]["eval_count"] == 4


def test_one_long_prompt_is_cut_to_half_the_window() -> None:
    """Silently; only the count of the prompt tells. Before v0.30 the whole window was used."""
    prompt = "word " * 500
    with ScriptedServer(pace=0, models=[PLAIN]) as server:
        assert said(server, prompt, options={"num_ctx": 64})["prompt_eval_count"] == 32
    with ScriptedServer(pace=0, models=[PLAIN], version="0.24.0") as server:
        assert said(server, prompt, options={"num_ctx": 64})["prompt_eval_count"] == 64


@pytest.mark.parametrize(
    ("more", "version", "words"),
    [
        ({"shift": False}, "0.32.15", "the prompt is longer than the context length currently available"),
        ({"truncate": False}, "0.32.15", '{"error":{"code":400,"message":"request (505 tokens) exceeds'),
        ({"truncate": False}, "0.24.0", "the input length exceeds the context length"),
    ],
)
def test_a_long_prompt_may_be_refused(more: dict, version: str, words: str) -> None:
    """Where nothing may be dropped or shifted: 400, the runner's JSON inside the text."""
    with ScriptedServer(pace=0, models=[PLAIN], version=version) as server:
        asked = {"model": "demo-plain", "prompt": "word " * 500, "options": {"num_ctx": 64}}
        status, text = error(server, "generate", **asked, **more)
    assert status == 400
    assert text.startswith(words)


def test_a_full_window_ends_the_answer_unless_it_is_shifted() -> None:
    """`shift` false stops with `length` when prompt and answer fill the window."""
    asked = {"model": "demo-plain", "prompt": "Tell me a story", "options": {"num_ctx": 100}}
    with ScriptedServer(pace=0, models=[PLAIN]) as server:
        stopped = told(server, "generate", **asked, shift=False, stream=False)
        shifted = told(server, "generate", **asked, stream=False)
    assert stopped["done_reason"] == "length"
    assert stopped["prompt_eval_count"] + stopped["eval_count"] == 100
    assert (shifted["done_reason"], shifted["eval_count"] > 100) == ("stop", True)
    assert stopped["eval_count"] == len(tokens(stopped["response"]))


def test_other_load_time_options_load_again() -> None:
    """A different window costs a load, the same one does not; the others of generation never do."""
    with ScriptedServer(pace=0, models=[PLAIN], load_seconds=0.05) as server:
        durations = [
            said(server, "Hi", options=options)["load_duration"]
            for options in (
                {},
                {"temperature": 1},
                {"num_ctx": 4096},
                {"num_gpu": -1},
                {"num_ctx": 2048},
                {"num_gpu": 0},
            )
        ]
        assert loaded(server)[0]["context_length"] == 4096
    assert [duration >= 50_000_000 for duration in durations] == [True, False, False, False, True, True]


def test_keep_alive_shows_in_ps() -> None:
    """A duration is kept until another is given; 0 unloads after the answer, or at once without a prompt."""
    with ScriptedServer(pace=0, models=[PLAIN, SMALL]) as server:
        said(server, "Hi", keep_alive=-1)
        said(server, "Hi")
        assert loaded(server)[0]["expires_at"] > "2300"
        post(server, "generate", model="demo-small", keep_alive="10m")
        assert [model["name"] for model in loaded(server)] == ["demo-plain:latest", "demo-small:latest"]
        assert said(server, "", keep_alive=0)["done_reason"] == "unload"
        told(
            server, "chat", model="demo-small", messages=[{"role": "user", "content": "x"}], keep_alive=0, stream=False
        )
        assert loaded(server) == []


def test_thinking_is_split_off() -> None:
    """In a field of its own, whole and streamed; not at all where `think` is false."""
    with ScriptedServer(pace=0, models=[DEMO]) as server:
        asked = {"model": "demo", "prompt": "Is 91 a prime number?"}
        whole = told(server, "generate", **asked, stream=False)
        without = told(server, "generate", **asked, think=False, stream=False)
        first = post(server, "generate", **asked).lines[0]
    assert "13 × 7" in whole["thinking"]
    assert "thinking" not in without
    assert (first["response"], bool(first["thinking"])) == ("", True)
