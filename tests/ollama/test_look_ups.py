"""Tags, ps, show, version, alive, unload: every field may be missing, and what is no answer is one line."""

from __future__ import annotations

import asyncio
import json

import httpx
import pytest

from ollama_magic.errors import ModelNotFound, ServerError
from ollama_magic.ollama.address import parse_address
from ollama_magic.ollama.client import Limits, OllamaClient
from ollama_magic.ollama.protocol import ModelFacts, ModelSummary, RunningModel
from tests.ollama.reading import one_readable


def _client(*replies: httpx.Response, seen: list[httpx.Request] | None = None, **limits: int) -> OllamaClient:
    left = list(replies)

    def answer(request: httpx.Request) -> httpx.Response:
        if seen is not None:
            seen.append(request)
        reply = left.pop(0)
        return httpx.Response(reply.status_code, headers=reply.headers, stream=httpx.ByteStream(reply.content))

    return OllamaClient(parse_address(None), limits=Limits(**limits), transport=httpx.MockTransport(answer))


def _json(value: object, status: int = 200) -> httpx.Response:
    return httpx.Response(status, json=value)


@pytest.mark.parametrize(
    "body", [{}, {"models": None}, {"models": {}}, {"models": "x"}, {"models": [None, 5, {}, {"name": 7}]}]
)
def test_listings_without_models_are_empty(body):
    """Whatever stands in the place of the models, what has no name is no model."""
    assert asyncio.run(_client(_json(body)).tags()) == []
    assert asyncio.run(_client(_json(body)).ps()) == []


@pytest.mark.parametrize("wrong", [None, 5, "x", [], {}, True, -1])
def test_fields_of_wrong_types_count_as_missing(wrong):
    """A field of a wrong type is as good as none, in every listing."""
    fields = ("size", "modified_at", "digest", "details", "capabilities", "size_vram", "expires_at", "context_length")
    item = {"name": "m:1b"} | dict.fromkeys((*fields, "remote_host", "model_info", "license", "template"), wrong)
    (summary,) = asyncio.run(_client(_json({"models": [item]})).tags())
    (running,) = asyncio.run(_client(_json({"models": [item]})).ps())
    facts = asyncio.run(_client(_json(item)).show("m:1b"))
    texts = {"modified_at", "digest", "expires_at", "remote_host", "license", "template"} if wrong == "x" else set()
    number = None if wrong is True or not isinstance(wrong, int) or wrong < 0 else wrong
    assert summary == ModelSummary(
        "m:1b", number or 0, **dict.fromkeys(texts & {"modified_at", "digest", "remote_host"}, "x")
    )
    assert running == RunningModel(
        "m:1b", number or 0, number or 0, context_length=number, **dict.fromkeys(texts & {"digest", "expires_at"}, "x")
    )
    assert facts == ModelFacts(**dict.fromkeys(texts & {"modified_at", "remote_host", "license", "template"}, "x"))


def test_foreign_text_is_made_fit():
    """Names and texts from a server come without escapes, and one-line fields on one line."""
    item = {"name": "a\x1b[2Jb\nc", "details": {"family": "\u202e\x07"}, "digest": "\ud800"}
    (summary,) = asyncio.run(_client(httpx.Response(200, content=json.dumps({"models": [item]}).encode())).tags())
    assert summary.name == "ab c"
    assert summary.family == "⟨U+202E⟩"
    summary.digest.encode()
    facts = asyncio.run(_client(_json({"license": ["one\nline\x1b[31m", 5, "two"], "system": "a\tb\x00"})).show("m"))
    assert (facts.license, facts.system) == ("one\nline\n\ntwo", "a\tb")


def test_old_servers_without_ps_have_nothing_loaded():
    """Before v0.1.38 there is no ps: nothing is known to be loaded."""
    assert asyncio.run(_client(httpx.Response(404, text="404 page not found")).ps()) == []
    with pytest.raises(ServerError):
        asyncio.run(_client(_json({"error": "broken"}, 500)).ps())


def test_an_unknown_model_is_its_own_error():
    """Show of an unknown model raises ModelNotFound; a server without show raises ServerError."""
    with pytest.raises(ModelNotFound):
        asyncio.run(_client(_json({"error": "model 'x' not found"}, 404)).show("x"))
    with pytest.raises(ServerError) as caught:
        asyncio.run(_client(httpx.Response(404, text="404 page not found")).show("x"))
    assert caught.value.status == 404


@pytest.mark.parametrize("body", ["", "no json", "[]", "null", '{"a":', "[" * 100_000, "\x00"])
def test_an_answer_that_is_no_object_is_one_line(body):
    """A 200 that is no JSON object is told as not Ollama's."""
    with pytest.raises(ServerError, match="is not Ollama") as caught:
        asyncio.run(_client(httpx.Response(200, text=body)).tags())
    assert one_readable(str(caught.value))


def test_versions_of_every_type():
    """The version is a text, or empty."""
    assert [asyncio.run(_client(_json({"version": v})).version()) for v in ("0.24.0", 5, None)] == ["0.24.0", "", ""]


def test_alive_is_a_plain_yes_or_no():
    """Only the words of an Ollama server count as alive; everything else, refusals too, is no."""
    replies = [
        httpx.Response(200, text="Ollama is running"),
        httpx.Response(200, html="<p>hi"),
        _json({"error": "x"}, 500),
    ]
    assert [asyncio.run(_client(reply).alive()) for reply in replies] == [True, False, False]


def test_unloading_is_asked_for_as_servers_take_it():
    """Unload sends an empty chat with keep_alive 0, not streamed."""
    seen: list[httpx.Request] = []
    asyncio.run(_client(_json({"done": True, "done_reason": "unload"}), seen=seen).unload("m:1b"))
    assert json.loads(seen[0].content) == {"model": "m:1b", "messages": [], "keep_alive": 0, "stream": False}


def test_requests_ask_for_plain_bytes():
    """No packing is asked for, and show names the model in both fields that servers have known."""
    seen: list[httpx.Request] = []
    asyncio.run(_client(_json({}), seen=seen).show("m"))
    assert seen[0].headers["accept-encoding"] == "identity"
    assert seen[0].headers["content-type"] == "application/json"
    assert "origin" not in seen[0].headers
    assert json.loads(seen[0].content) == {"model": "m", "name": "m"}


def test_a_look_up_has_the_limit_of_an_answer():
    """A listing over the limit is refused in one line, not read on."""
    with pytest.raises(ServerError, match="longer than 1,000 bytes"):
        asyncio.run(_client(_json({"models": ["x" * 5000]}), answer_bytes=1000).tags())
