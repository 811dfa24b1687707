"""Recordings of real servers, answered by a transport, and what a client must tell of them."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from ollama_magic.ollama.address import parse_address
from ollama_magic.ollama.client import OllamaClient
from tests.ollama.reading import one_readable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ollama_magic.ollama.protocol import ChatChunk

FOLDER = Path(__file__).parent.parent / "recordings"


def recordings(*files: str) -> list:
    """Return the recordings of some files, as parameters of a test."""
    return [
        pytest.param(recording, id=f"{file}-{recording['name']}")
        for file in files
        for recording in json.loads(gzip.decompress((FOLDER / f"{file}.json.gz").read_bytes()))
    ]


class Replay(httpx.AsyncByteStream):
    """A recorded body, line by line, that breaks off where the recording does."""

    def __init__(self, recording: dict) -> None:
        self._recording = recording

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield the lines."""
        for line in self._recording["body"].encode().splitlines(keepends=True):
            yield line
        if self._recording["ended"] != "complete":
            raise httpx.RemoteProtocolError("peer closed connection without sending complete message body")


def replaying(recording: dict, *, only: bool = False) -> OllamaClient:
    """Return a client whose server answers as recorded; with `only`, every other path is unknown to it."""

    def answer(request: httpx.Request) -> httpx.Response:
        if only and request.url.path != recording["request"]["path"]:
            return httpx.Response(404, stream=httpx.ByteStream(b"404 page not found"))
        headers = [(name, value) for name, value in recording["headers"] if name.lower() != "transfer-encoding"]
        return httpx.Response(recording["status"], headers=headers, stream=Replay(recording))

    return OllamaClient(parse_address(None), transport=httpx.MockTransport(answer))


def lines_of(recording: dict) -> list[dict]:
    """Return the objects of a recorded body."""
    return [json.loads(line) for line in recording["body"].split("\n") if line]


def words_of(error: str) -> str:
    """Return the words that must be told: the inner ones, where a runner's JSON is nested in the string."""
    if '{"error"' in error:
        inner = json.loads(error[error.index('{"error"') :])["error"]
        error = inner["message"]
    return " ".join(error.split())[:100].strip().rstrip(".")


def assert_last(chunk: ChatChunk, last: dict) -> None:
    """Compare a last chunk with the line that it was read from."""
    assert chunk.done_reason == last.get("done_reason")
    assert chunk.model == last["model"]
    assert chunk.stats.answer_tokens == last.get("eval_count")
    assert chunk.stats.prompt_tokens == last.get("prompt_eval_count")
    assert chunk.stats.total_ns == last.get("total_duration")
    assert chunk.stats.load_ns == last.get("load_duration")
    assert chunk.stats.answer_ns == last.get("eval_duration")


def assert_told(recording: dict, line: str) -> None:
    """A refusal is told in one readable line with the server's words."""
    assert one_readable(line)
    if recording["body"].startswith("{"):
        assert words_of(lines_of(recording)[-1]["error"]) in line
    if recording["status"] == 403:
        assert "Host or Origin" in line
    if 300 <= recording["status"] < 400:
        location = next(value for name, value in recording["headers"] if name.lower() == "location")
        assert location in line
