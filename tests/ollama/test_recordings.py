"""What real servers answered, read by the client: the right text, the right state, the right line."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest

from ollama_magic.errors import OllamaMagicError
from tests.ollama.reading import REQUEST, read
from tests.ollama.replay import assert_last, assert_told, lines_of, recordings, replaying

if TYPE_CHECKING:
    from ollama_magic.ollama.client import OllamaClient

RECORDINGS = recordings("guide", "v0.24.0", "v0.32.15")


def _chats(recording: dict) -> bool:
    return recording["request"]["path"] == "/api/chat" and recording["request"]["method"] == "POST"


def _state(recording: dict) -> str:
    if recording["status"] != 200:
        return "failed"
    last = lines_of(recording)[-1]
    if "error" in last:
        return "failed"
    return "complete" if last["done"] is True else "cut"


@pytest.mark.parametrize("recording", [param for param in RECORDINGS if _chats(param.values[0])])
def test_chats(recording):
    """A recorded answer is read to its text, thinking, counts and state, and to the server's words if it failed."""
    answer = asyncio.run(read(replaying(recording).stream_chat(REQUEST)))
    assert answer.state == _state(recording)
    if recording["status"] == 200:
        lines = lines_of(recording)
        said = [line.get("message") or {} for line in lines if "error" not in line]
        assert answer.text == "".join(message.get("content", "") for message in said)
        assert answer.thinking == "".join(message.get("thinking", "") for message in said)
        if answer.state == "complete":
            assert_last(answer.chunks[-1], lines[-1])
    if answer.state == "failed":
        assert_told(recording, answer.line)
    if recording["ended"] != "complete":
        assert "hung up in the middle of the answer" in answer.line


@pytest.mark.parametrize("recording", [param for param in RECORDINGS if not _chats(param.values[0])])
def test_everything_else(recording):
    """A recorded look-up is read field by field, and a refusal is one readable line with its status."""
    request = recording["request"]
    client = replaying(recording)
    if recording["status"] < 300:
        found = asyncio.run(_look(client, request, recording))
        _COMPARE.get(request["path"], _same)(found, recording)
    else:
        with pytest.raises(OllamaMagicError) as caught:
            asyncio.run(_look(client, request, recording))
        assert getattr(caught.value, "status", 404) == recording["status"]
        assert_told(recording, str(caught.value))


async def _look(client: OllamaClient, request: dict, recording: dict):
    method, path = request["method"], request["path"]
    calls = {
        ("GET", "/"): client.alive,
        ("GET", "/api/version"): client.version,
        ("GET", "/api/tags"): client.tags,
        ("GET", "/api/ps"): client.ps,
    }
    if (method, path) in calls:
        return await calls[method, path]()
    if (method, path) == ("POST", "/api/show"):
        return await client.show("tiny")
    return await client._connection.in_time(method, path, (request["body"] or "").encode())


def _same(found, recording: dict) -> None:
    assert found == recording["body"].encode()


def _alive(found, recording: dict) -> None:
    assert found is True or recording["request"]["method"] == "HEAD"


def _version(found, recording: dict) -> None:
    assert (
        found == json.loads(recording["body"])["version"] if recording["request"]["method"] == "GET" else found == b""
    )


def _tags(found, recording: dict) -> None:
    if recording["request"]["method"] != "GET":
        return
    models = json.loads(recording["body"])["models"]
    assert [(m.name, m.size, m.digest, m.modified_at) for m in found] == [
        (m["name"], m["size"], m["digest"], m["modified_at"]) for m in models
    ]
    for summary, model in zip(found, models, strict=True):
        details = model["details"]
        assert summary.family == details["family"]
        assert summary.parameter_size == details["parameter_size"]
        assert summary.quantization == details["quantization_level"]
        assert summary.context_length == details.get("context_length")
        assert summary.capabilities == (frozenset(model["capabilities"]) if "capabilities" in model else None)


def _ps(found, recording: dict) -> None:
    models = json.loads(recording["body"])["models"]
    assert [(m.name, m.size, m.size_vram, m.context_length, m.expires_at, m.digest) for m in found] == [
        (m["name"], m["size"], m["size_vram"], m["context_length"], m["expires_at"], m["digest"]) for m in models
    ]


def _show(found, recording: dict) -> None:
    value = json.loads(recording["body"])
    info = value["model_info"]
    assert found.capabilities == frozenset(value["capabilities"])
    assert found.context_length == info[info["general.architecture"] + ".context_length"]
    assert (found.parameters, found.system) == (value.get("parameters", ""), value.get("system", ""))
    assert (found.template, found.license) == (value.get("template", ""), value.get("license", ""))
    assert found.family == value["details"]["family"]


_COMPARE = {"/": _alive, "/api/version": _version, "/api/tags": _tags, "/api/ps": _ps, "/api/show": _show}
