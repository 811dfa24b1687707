"""A pull and a create, line by line: however the bytes come, whatever a server does in the middle."""

from __future__ import annotations

import asyncio
import json
import random

import httpx
import pytest

from ollama_magic.errors import OllamaMagicError, ServerError, ServerUnreachable
from ollama_magic.ollama.address import parse_address
from ollama_magic.ollama.client import Limits, OllamaClient
from ollama_magic.ollama.decoder import ProgressDecoder
from ollama_magic.ollama.messages import Message
from ollama_magic.ollama.protocol import CreateRequest, Progress
from ollama_magic.ollama.request_bodies import create_body
from tests.ollama.raw_server import PATIENCE, RawServer
from tests.ollama.reading import one_readable

CACHED, NEW = "sha256:1111aaaa2222" + "0" * 52, "sha256:3333bbbb4444" + "0" * 52
LINES = (
    {"status": "pulling manifest"},
    {"status": "pulling 1111aaaa2222", "digest": CACHED, "total": 5400, "completed": 5400},
    {"status": "pulling 3333bbbb4444", "digest": NEW, "total": 700_000_000},
    {"status": "pulling 3333bbbb4444", "digest": NEW, "total": 700_000_000, "completed": 412_000_000},
    {"status": "pulling 3333bbbb4444", "digest": NEW, "total": 700_000_000, "completed": 412_000_000},
    {"status": "verifying sha256 digest"},
    {"status": "writing manifest — 完了"},
    {"status": "success"},
)
BODY = b"".join(json.dumps(line, ensure_ascii=False).encode() + b"\n" for line in LINES)
STEPS = [Progress(**line) for line in LINES]


class _Pieces(httpx.AsyncByteStream):
    def __init__(self, *pieces: bytes, fault: Exception | None = None) -> None:
        self._pieces, self._fault = pieces, fault

    async def __aiter__(self):
        for piece in self._pieces:
            yield piece
        if self._fault:
            raise self._fault


def _client(*pieces: bytes, fault: Exception | None = None, status: int = 200, seen=None, **limits) -> OllamaClient:
    def answer(request: httpx.Request) -> httpx.Response:
        if seen is not None:
            seen.append((request.url.path, json.loads(request.content)))
        return httpx.Response(status, stream=_Pieces(*pieces, fault=fault))

    return OllamaClient(parse_address(None), limits=Limits(**limits), transport=httpx.MockTransport(answer))


def _pull(client: OllamaClient, **options: bool) -> list[Progress]:
    async def run() -> list[Progress]:
        return [step async for step in client.stream_pull("m:1b", **options)]

    return asyncio.run(run())


def _create(client: OllamaClient) -> list[Progress]:
    async def run() -> list[Progress]:
        return [step async for step in client.stream_create(CreateRequest("m", "base"))]

    return asyncio.run(run())


def test_every_split_gives_the_same_steps():
    """Wherever the network cuts the bytes of a pull, in two or in many, the steps are the same."""
    for at in range(len(BODY) + 1):
        decoder = ProgressDecoder()
        assert decoder.feed(BODY[:at]) + decoder.feed(BODY[at:]) + decoder.close() == STEPS
    chance = random.Random(7)
    for _ in range(200):
        cuts = sorted(chance.sample(range(len(BODY)), 9))
        pieces = [BODY[a:b] for a, b in zip([0, *cuts], [*cuts, len(BODY)], strict=True)]
        assert _pull(_client(*pieces)) == STEPS


def test_bytes_one_by_one():
    """A pull that comes byte by byte, without a newline at its end, gives the same steps."""
    decoder = ProgressDecoder()
    steps = [step for byte in BODY.rstrip() for step in decoder.feed(bytes([byte]))]
    assert [*steps, *decoder.close()] == STEPS


def test_what_comes_after_success_is_not_read():
    """Success ends a pull, whatever a server says behind it."""
    assert _pull(_client(BODY + b'{"error":"late"}\n{"status":"pulling more"}\n')) == STEPS


def test_a_disk_that_is_full_in_mid_pull_is_told_with_a_cure():
    """An error line ends a pull that began well; nothing in it counts as done, and the cure stands with it."""
    full = b'{"error":"write /models/blobs/x-partial: no space left on device"}\n'
    steps = _pull(_client(*BODY.splitlines(keepends=True)[:4], full))
    assert steps[:-1] == STEPS[:4]
    assert "no space left on device; the server's disk is full: `%ollama rm`" in steps[-1].error
    assert not any(step.done for step in steps)


@pytest.mark.parametrize(
    ("error", "cure"),
    [
        ("pull model manifest: file does not exist", "check its spelling"),
        ("pull model manifest: 412: \n\nThe model requires a newer version of Ollama.", "update Ollama"),
        ('pull model manifest: Get "https://registry.ollama.ai/v2/x": dial tcp: no such host', "reach the registry"),
        ("digest mismatch, file must be downloaded again: want a, got b", "run this again"),
        ('pull model manifest: 403: {"errors":[{"code":"DENIED","message":"not yours"}]}', "403: not yours"),
        ("path or Modelfile are required", "0.5.5 and newer"),
    ],
)
def test_what_a_registry_says_has_its_cure(error, cure):
    """The usual failures of a pull and a create say in the same line what to do."""
    (step,) = _pull(_client(json.dumps({"error": error}).encode() + b"\n"))
    assert cure in step.error
    assert one_readable(step.error)


@pytest.mark.parametrize("wrong", [None, 5, [], {}, True, -1, "x" * 400, "\x1b[2J"])
def test_fields_of_wrong_types_count_as_missing(wrong):
    """A line with fields of wrong types is a step without them, and its text is made fit to be shown."""
    body = json.dumps({"status": wrong, "digest": wrong, "total": wrong, "completed": wrong}).encode()
    step, last = _pull(_client(body + b"\n", b'{"status":"success"}\n'))
    assert last.done
    number = 5 if wrong == 5 and not isinstance(wrong, bool) else None
    assert (step.total, step.completed) == (number, number)
    assert (step.status, step.digest) in {("", ""), ("x" * 299 + "…",) * 2}


def test_damaged_bytes_never_count_as_done():
    """Bytes changed at random give steps or an error, no exception; done is only what says success."""
    chance = random.Random(11)
    for _ in range(2000):
        body = bytearray(BODY)
        for _ in range(chance.randint(1, 6)):
            body[chance.randrange(len(body))] = chance.randrange(256)
        decoder = ProgressDecoder()
        steps = decoder.feed(bytes(body)) + decoder.close()
        assert all(one_readable(step.error) for step in steps if step.error)
        assert not any(step.done for step in steps) or b'"success"' in body


def test_a_key_that_a_server_repeats_is_masked():
    """A secret of this session is not shown, whether it comes back in a status or in an error."""
    decoder = ProgressDecoder(mask=lambda text: text.replace("hunter2", "•••"))
    (step,) = decoder.feed(b'{"status":"pulling with hunter2"}\n')
    (last,) = decoder.feed(b'{"error":"hunter2 is wrong"}\n')
    assert (step.status, last.error) == ("pulling with •••", "••• is wrong")


@pytest.mark.parametrize("line", [b"null\n", b"[1]\n", b'"success"\n', b"\n", b"  \r\n"])
def test_lines_that_are_no_objects_are_passed_over(line):
    """A line that is no object is no step, and never success."""
    assert _pull(_client(line, BODY)) == STEPS


def test_garbage_is_an_error():
    """A line that is not JSON ends a pull with an error that shows it."""
    steps = _pull(_client(BODY[: BODY.index(b"\n") + 1], b"level=WARN msg=oops\n"))
    assert steps[0] == STEPS[0]
    assert "not JSON: level=WARN msg=oops" in steps[1].error


def test_a_stream_that_just_ends_is_not_done():
    """A pull that ends without success and without an error has no step that is done."""
    assert _pull(_client(BODY[: BODY.rindex(b'{"status": "success"')])) == STEPS[:-1]


def test_a_connection_that_breaks_says_why():
    """A pull whose connection is lost keeps its steps, and its last one says why."""
    steps = _pull(_client(BODY[:200], fault=httpx.ReadError("")))
    assert steps[-1].cut == "the connection was reset"
    assert not steps[-1].done
    assert steps[:-1] == STEPS[: len(steps) - 1]


def test_a_line_of_50_mb_is_refused():
    """A line without an end is not collected: at its limit of 8 MB the pull is cut, and the reason told."""

    def flood(connection) -> None:
        connection.request()
        connection.send(b"HTTP/1.1 200 OK\r\n\r\n" + BODY[:30] + b"x")
        connection.flood(b"x" * 100_000, 50_000_000)

    async def run() -> list[Progress]:
        client = OllamaClient(parse_address(server.address), limits=Limits(first_byte=20, silence=20))
        return [step async for step in client.stream_pull("m")]

    with RawServer(flood) as server:
        steps = asyncio.run(run())
    assert "more than 8,000,000 bytes" in steps[-1].cut


def test_a_long_pull_has_no_limit_of_bytes():
    """The limit of an answer is not that of a pull, which tells its progress for hours."""
    line = json.dumps(LINES[3]).encode() + b"\n"
    steps = _pull(_client(*[line * 50] * 20, b'{"status":"success"}\n', answer_bytes=5000))
    assert len(steps) == 1001
    assert steps[-1].done


def test_what_never_begins_is_raised():
    """No server, a refusal and an empty body raise before the first step, each one readable line."""
    with pytest.raises(ServerUnreachable):
        _pull(OllamaClient(parse_address("http://127.0.0.1:9")))
    with pytest.raises(ServerError, match="invalid model name") as caught:
        _pull(_client(b'{"error":"invalid model name"}', status=400))
    assert one_readable(str(caught.value))
    with pytest.raises(OllamaMagicError, match="its body is empty"):
        _pull(_client(b""))


def test_leaving_a_pull_hangs_up():
    """Who closes the steps in the middle closes the connection, so that the server pauses the download."""

    def serve(connection) -> None:
        connection.request()
        connection.send(b"HTTP/1.1 200 OK\r\n\r\n" + BODY[:100])
        connection.until_left()

    async def run() -> None:
        client = OllamaClient(parse_address(server.address))
        steps = client.stream_pull("m")
        assert await steps.__anext__() == STEPS[0]
        await steps.aclose()

    with RawServer(serve) as server:
        asyncio.run(run())
        assert server.left.wait(PATIENCE)


def test_requests_name_the_model_in_both_fields():
    """Pull and create name the model as old and new servers read it; what is empty is left out."""
    seen = []
    client = _client(BODY, seen=seen)
    _pull(client)
    _pull(client, insecure=True)
    assert seen[0] == ("/api/pull", {"model": "m:1b", "name": "m:1b", "stream": True})
    assert seen[1][1]["insecure"] is True
    assert create_body(CreateRequest("me", "base")) == {"model": "me", "name": "me", "from": "base", "stream": True}
    whole = CreateRequest("me", "base", "sys", "tmpl", {"num_ctx": 8}, (Message("user", "hi"),), "MIT")
    assert create_body(whole) == {
        "model": "me",
        "name": "me",
        "from": "base",
        "stream": True,
        "system": "sys",
        "template": "tmpl",
        "parameters": {"num_ctx": 8},
        "messages": [{"role": "user", "content": "hi"}],
        "license": "MIT",
    }


def test_a_create_goes_on_behind_the_download_of_its_base():
    """The success of a missing base's download is not that of the model that is made from it."""
    lines = b'{"status":"pulling manifest"}\n{"status":"success"}\n{"status":"writing manifest"}\n'
    made = _create(_client(lines, b'{"status":"success"}\n'))
    assert [step.status for step in made] == ["pulling manifest", "writing manifest", "success"]
    assert not any(step.done for step in _create(_client(lines)))
