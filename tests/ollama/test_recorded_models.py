"""Generate, embed, pull, create, copy and delete as real servers answered them, read by the client."""

from __future__ import annotations

import asyncio
import json
import math

import pytest

from ollama_magic.errors import ModelNotFound, OllamaMagicError, ServerError
from ollama_magic.ollama.protocol import CreateRequest, GenerateRequest, Progress
from tests.ollama.reading import one_readable, read
from tests.ollama.replay import assert_last, assert_told, lines_of, recordings, replaying, words_of

RECORDINGS = recordings("v0.24.0-models", "v0.32.15-models")


def _at(*paths: str) -> list:
    return [param for param in RECORDINGS if param.values[0]["request"]["path"] in paths]


def _asked(recording: dict) -> dict:
    body = recording["request"]["body"]
    return json.loads(body) if body else {}


@pytest.mark.parametrize("recording", _at("/api/generate"))
def test_generate(recording):
    """A recorded single turn is read to its text, thinking and counts, its token ids are left out."""
    answer = asyncio.run(read(replaying(recording).stream_generate(GenerateRequest("m", "hi"))))
    lines = lines_of(recording)
    if recording["status"] != 200:
        assert answer.state == "failed"
        assert_told(recording, answer.line)
        return
    assert answer.text == "".join(line.get("response", "") for line in lines)
    assert answer.thinking == "".join(line.get("thinking", "") for line in lines)
    if lines[-1].get("done"):
        assert answer.state == "complete"
        assert_last(answer.chunks[-1], lines[-1])
    else:
        assert answer.state == ("failed" if "error" in lines[-1] else "cut")


async def _progress(recording: dict) -> list[Progress]:
    client = replaying(recording)
    if recording["request"]["path"] == "/api/pull":
        return [step async for step in client.stream_pull("m")]
    return [step async for step in client.stream_create(CreateRequest("m", "base"))]


@pytest.mark.parametrize("recording", _at("/api/pull", "/api/create"))
def test_pulls_and_creates(recording):
    """Every recorded line is one step with its digest and sizes; only success is done, an error line has a cure."""
    if recording["status"] != 200:
        with pytest.raises(ServerError) as caught:
            asyncio.run(_progress(recording))
        assert caught.value.status == recording["status"]
        assert_told(recording, str(caught.value))
        return
    steps, lines = asyncio.run(_progress(recording)), lines_of(recording)
    assert len(steps) == len(lines)
    for step, line in zip(steps, lines, strict=True):
        if "error" in line:
            assert words_of(line["error"]) in step.error
            assert one_readable(step.error)
        else:
            values = (step.status, step.digest, step.total, step.completed)
            assert values == (line["status"], line.get("digest", ""), line.get("total"), line.get("completed"))
    assert [step.done for step in steps[:-1]] == [False] * (len(steps) - 1)
    assert steps[-1].done is ("error" not in lines[-1])


@pytest.mark.parametrize("recording", _at("/api/embed"))
def test_embed(recording):
    """Recorded vectors are read number by number, and one for each text or an error."""
    asked = _asked(recording).get("input") or []
    texts = [asked] if isinstance(asked, str) else asked if isinstance(asked, list) else [str(asked)]
    call = replaying(recording, only=True).embed("m", texts)
    if recording["status"] != 200:
        with pytest.raises(OllamaMagicError) as caught:
            asyncio.run(call)
        assert isinstance(caught.value, ModelNotFound) is (recording["status"] == 404)
        assert_told(recording, str(caught.value))
        return
    found, (sent,) = asyncio.run(call), lines_of(recording)
    assert found.vectors == sent["embeddings"]
    assert (found.model, found.total_ns, found.load_ns, found.prompt_tokens) == tuple(
        sent.get(name, default)
        for name, default in (
            ("model", ""), ("total_duration", None), ("load_duration", None), ("prompt_eval_count", None)
        )
    )  # fmt: skip


@pytest.mark.parametrize("recording", _at("/api/embeddings"))
def test_embeddings_of_an_old_server(recording):
    """A server without embed is asked with the old route, and its vector is brought to length 1 and cut."""
    client = replaying(recording, only=True)
    sent = lines_of(recording)[0].get("embedding")
    if not sent:
        with pytest.raises(OllamaMagicError) as caught:
            asyncio.run(client.embed("m", [""]))
        assert one_readable(str(caught.value))
        return
    (vector,) = asyncio.run(client.embed("m", ["Hello"])).vectors
    assert math.hypot(*vector) == pytest.approx(1)
    assert [part * math.hypot(*sent) for part in vector] == pytest.approx(sent)
    (short,) = asyncio.run(client.embed("m", ["Hello"], dimensions=8)).vectors
    assert [part * math.hypot(*sent[:8]) for part in short] == pytest.approx(sent[:8])


@pytest.mark.parametrize("recording", _at("/api/copy", "/api/delete"))
def test_copy_and_delete(recording):
    """An empty body is a change that was made; a refusal is one readable line, an unknown model its own error."""
    client = replaying(recording)
    call = client.copy("a", "b") if recording["request"]["path"] == "/api/copy" else client.delete("a")
    if recording["status"] == 200:
        assert asyncio.run(call) is None
        return
    with pytest.raises(OllamaMagicError) as caught:
        asyncio.run(call)
    assert isinstance(caught.value, ModelNotFound) is (recording["status"] == 404)
    assert_told(recording, str(caught.value))


@pytest.mark.parametrize("recording", _at("/api/show"))
def test_show_verbose(recording):
    """With verbose the file's own keys and its tensors come whole."""
    facts = asyncio.run(replaying(recording).show("tiny", verbose=True))
    (sent,) = lines_of(recording)
    assert facts.info == sent["model_info"]
    assert [(t.name, t.type, list(t.shape)) for t in facts.tensors] == [
        (t["name"], t["type"], t["shape"]) for t in sent["tensors"]
    ]
    assert facts.modelfile == sent["modelfile"]
    assert facts.parameter_count == sent["model_info"]["general.parameter_count"]
    assert facts.embedding_length == sent["model_info"]["llama.embedding_length"]
