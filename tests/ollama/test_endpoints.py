"""Generate, embed, load, copy, delete and old servers: what is sent, and what is told when it fails."""

from __future__ import annotations

import asyncio
import json

import httpx
import pytest

from ollama_magic.errors import ModelNotFound, OllamaMagicError, ServerError
from ollama_magic.ollama.address import parse_address
from ollama_magic.ollama.client import Limits, OllamaClient
from ollama_magic.ollama.embeddings import Embeddings
from ollama_magic.ollama.protocol import ChatChunk, GenerateRequest
from ollama_magic.ollama.request_bodies import generate_body
from tests.ollama.reading import one_readable, read

NO_PAGE = (404, "404 page not found")


class Routes:
    """A server whose paths answer with a status and a body each; every other path is unknown to it."""

    def __init__(self, **paths: tuple[int, object]) -> None:
        self.asked: list[tuple[str, str, dict]] = []
        self._paths = {f"/api/{name}": answer for name, answer in paths.items()}

    def client(self, **limits: float) -> OllamaClient:
        """Return a client of this server."""
        return OllamaClient(parse_address(None), limits=Limits(**limits), transport=httpx.MockTransport(self._answer))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content) if request.content else {}
        self.asked.append((request.method, request.url.path, body))
        status, value = self._paths.get(request.url.path, NO_PAGE)
        text = value if isinstance(value, str) else json.dumps(value)
        return httpx.Response(status, stream=httpx.ByteStream(text.encode()))


def test_generate_sends_what_is_given():
    """Only what is given is sent, streamed."""
    assert generate_body(GenerateRequest("m", "hi")) == {"model": "m", "prompt": "hi", "stream": True}
    request = GenerateRequest("m", "a", "b", "s", "t", True, {"seed": 0}, False, "json", 0)
    assert generate_body(request) == {
        "model": "m",
        "prompt": "a",
        "stream": True,
        "suffix": "b",
        "system": "s",
        "template": "t",
        "raw": True,
        "options": {"seed": 0},
        "think": False,
        "format": "json",
        "keep_alive": 0,
    }


def test_generate_begins_with_an_empty_chunk():
    """The first chunk says that the headers came, the last one has the counts and no token ids."""
    last = {"response": "", "done": True, "done_reason": "length", "context": [1] * 9, "eval_count": 3}
    lines = [{"model": "m", "response": "a", "thinking": "t"}, {"model": "m", **last}]
    routes = Routes(generate=(200, "".join(json.dumps(line) + "\n" for line in lines)))
    answer = asyncio.run(read(routes.client().stream_generate(GenerateRequest("m", "hi"))))
    assert answer.chunks[0] == ChatChunk()
    assert (answer.text, answer.thinking, answer.state) == ("a", "t", "complete")
    assert (answer.chunks[-1].done_reason, answer.chunks[-1].stats.answer_tokens) == ("length", 3)


@pytest.mark.parametrize("wrong", [None, 5, [], {}, True])
def test_generate_with_fields_of_wrong_types(wrong):
    """Text of a wrong type is no text, and never another error than ours."""
    line = json.dumps({"response": wrong, "thinking": wrong, "model": wrong, "context": wrong})
    routes = Routes(generate=(200, f'{line}\n{{"response":"x","done":true}}\n'))
    answer = asyncio.run(read(routes.client().stream_generate(GenerateRequest("m", "hi"))))
    assert (answer.text, answer.thinking, answer.state) == ("x", "", "complete")


def test_embed_sends_what_is_given():
    """A list of texts is sent whole, and only what is given with it."""
    routes = Routes(embed=(200, {"model": "m", "embeddings": [[1, 0.5]]}))
    assert asyncio.run(routes.client().embed("m", ["a"])) == Embeddings("m", [[1.0, 0.5]])
    asyncio.run(routes.client().embed("m", ("a",), truncate=False, dimensions=2, options={"seed": 1}, keep_alive=-1))
    assert routes.asked[0][2] == {"model": "m", "input": ["a"]}
    assert routes.asked[1][2] == {
        "model": "m",
        "input": ["a"],
        "truncate": False,
        "dimensions": 2,
        "options": {"seed": 1},
        "keep_alive": -1,
    }


def test_many_texts_are_sent_in_parts():
    """A thousand texts are some requests, and their vectors, tokens and times one answer in the texts' order."""
    asked: list[int] = []

    def answer(request: httpx.Request) -> httpx.Response:
        texts = json.loads(request.content)["input"]
        asked.append(len(texts))
        value = {"model": "m", "embeddings": [[float(text), 1] for text in texts], "prompt_eval_count": len(texts)}
        return httpx.Response(200, stream=httpx.ByteStream(json.dumps(value).encode()))

    client = OllamaClient(parse_address(None), transport=httpx.MockTransport(answer))
    found = asyncio.run(client.embed("m", [str(n) for n in range(1000)]))
    assert asked == [256, 256, 256, 232]
    assert found == Embeddings("m", [[n, 1] for n in range(1000)], 1000)


@pytest.mark.parametrize(
    "found", [None, 5, {}, [], "x", [None], [[]], [["x"]], [[1], [2]], [[None]], [[1e400]], [[10**400]], [{"a": 1}]]
)
def test_what_is_no_vector_is_one_line(found):
    """Whatever stands in the place of the vectors, there is one of numbers for each text, or one readable error."""
    with pytest.raises(ServerError) as caught:
        asyncio.run(Routes(embed=(200, {"embeddings": found})).client().embed("m", ["a"]))
    assert one_readable(str(caught.value))


def test_an_old_server_embeds_one_by_one():
    """A server without embed is asked text by text, and its vectors come with length 1, in order."""
    routes = Routes(embeddings=(200, {"embedding": [3, 4]}))
    found = asyncio.run(routes.client().embed("m", ["a", "b"], options={"seed": 1}))
    assert found == Embeddings("m", [[0.6, 0.8], [0.6, 0.8]])
    asked = [body for _, path, body in routes.asked if path == "/api/embeddings"]
    assert asked == [{"model": "m", "prompt": text, "options": {"seed": 1}} for text in "ab"]


def test_an_unknown_model_is_no_missing_route():
    """A model that is not there is said at once, the old route is not tried."""
    routes = Routes(embed=(404, {"error": 'model "m" not found, try pulling it first'}))
    with pytest.raises(ModelNotFound):
        asyncio.run(routes.client().embed("m", ["a"]))
    assert [path for _, path, _ in routes.asked] == ["/api/embed"]


def test_a_model_that_makes_no_embeddings_says_which_would():
    """From v0.30 on a chat model makes no embeddings; the line names what to do."""
    told = {"error": "This server does not support embeddings. Start it with `--embeddings`"}
    with pytest.raises(ServerError, match="name a model for embeddings, such as"):
        asyncio.run(Routes(embed=(501, told)).client().embed("m", ["a"]))


CALLS = {
    "chat": lambda client: client.unload("m"),
    "generate": lambda client: client.load("m"),
    "show": lambda client: client.show("m"),
    "tags": lambda client: client.tags(),
    "copy": lambda client: client.copy("a", "b"),
    "delete": lambda client: client.delete("m"),
    "embeddings": lambda client: client.embed("m", ["a"]),
    "pull": lambda client: client.stream_pull("m").__anext__(),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
@pytest.mark.parametrize(("status", "text"), [NO_PAGE, (405, "405 method not allowed")])
def test_a_route_that_an_old_server_lacks(call, status, text):
    """What an old server cannot do is said with its version and what to do, in one line."""
    routes = Routes(
        version=(200, {"version": "0.1.10"}),
        **dict.fromkeys(["chat", "generate", "show", "tags", "copy", "delete", "embed", "embeddings", "pull"],
                        (status, text)),
    )  # fmt: skip

    async def run() -> None:
        await call(routes.client())

    with pytest.raises(ServerError, match=r"Ollama 0\.1\.10 at http.* cannot .*update it") as caught:
        asyncio.run(run())
    assert caught.value.status == status
    assert one_readable(str(caught.value))


def test_a_missing_route_of_a_server_that_tells_no_version():
    """Where nobody tells a version, it may be a wrong path or no Ollama at all, and the line says so."""
    with pytest.raises(ServerError, match="a very old Ollama, a wrong path in the address, or another program"):
        asyncio.run(Routes().client().delete("m"))


def test_since_when_a_server_can_chat():
    """The line about a missing route names the version that has it, unless this server is newer."""
    for version, line in (("0.1.10", "update it: 0.1.14 and newer can"), ("0.24.0", "has no /api/chat .404.; update")):
        with pytest.raises(ServerError, match=line):
            asyncio.run(Routes(version=(200, {"version": version})).client().unload("m"))


def test_loading_may_take_its_time():
    """Loads and embeddings wait for the first byte as long as an answer does, look-ups do not, and none for ever."""
    waits: list[float] = []

    async def never(request: httpx.Request) -> httpx.Response:
        waits.append(request.extensions["timeout"]["read"])
        await asyncio.Event().wait()
        raise AssertionError

    async def run() -> None:
        limits = Limits(first_byte=0.02, look=0.01)
        client = OllamaClient(parse_address(None), limits=limits, transport=httpx.MockTransport(never))
        for call in (client.load("m"), client.embed("m", ["a"]), client.show("m")):
            with pytest.raises(ServerError, match=r"did not answer within 0\.0[12] s"):
                await call

    asyncio.run(run())
    assert waits == [0.02, 0.02, 0.01]


def test_loading_is_asked_for_as_servers_take_it():
    """A load is a generate without a prompt; a model for embeddings is loaded with an embed without texts."""
    routes = Routes(generate=(200, {"done": True, "done_reason": "load"}))
    asyncio.run(routes.client().load("m"))
    asyncio.run(routes.client().load("m", -1))
    plain = {"model": "m", "prompt": "", "stream": False}
    assert [body for _, _, body in routes.asked] == [plain, plain | {"keep_alive": -1}]
    routes = Routes(generate=(400, {"error": '"e" does not support generate'}), embed=(200, {"embeddings": []}))
    asyncio.run(routes.client().load("e", "1h"))
    assert routes.asked[1] == ("POST", "/api/embed", {"model": "e", "input": [], "keep_alive": "1h"})


@pytest.mark.parametrize("answer", [(404, {"error": "model 'm' not found"}), (500, {"error": "out of memory"})])
def test_a_load_that_fails_is_told(answer):
    """An unknown model and a lack of memory are errors of a load, and no embed is tried."""
    routes = Routes(generate=answer)
    with pytest.raises(OllamaMagicError):
        asyncio.run(routes.client().load("m"))
    assert [path for _, path, _ in routes.asked] == ["/api/generate"]


def test_copy_and_delete_as_servers_take_them():
    """Copy names both models, delete names one with a body, in both fields that servers have known."""
    routes = Routes(copy=(200, ""), delete=(200, ""))
    asyncio.run(routes.client().copy("a", "b"))
    asyncio.run(routes.client().delete("b"))
    assert routes.asked == [
        ("POST", "/api/copy", {"source": "a", "destination": "b"}),
        ("DELETE", "/api/delete", {"model": "b", "name": "b"}),
    ]


def test_show_asks_for_more_only_if_told():
    """Verbose is asked for, and tensors are read, only where they are wanted."""
    tensors = [{"name": "a\x1b[2J", "type": "F16", "shape": [2, "x", 3]}, 5]
    body = {"tensors": tensors, "model_info": {"general.architecture": "a", "x": ["\x1b[31mred"], "n": None}}
    routes = Routes(show=(200, body))
    plain = asyncio.run(routes.client().show("m"))
    verbose = asyncio.run(routes.client().show("m", verbose=True))
    assert [("verbose" in body) for _, _, body in routes.asked] == [False, True]
    assert plain.tensors == ()
    assert [(t.name, t.type, t.shape) for t in verbose.tensors] == [("a", "F16", (2, 3))]
    assert verbose.info == {"general.architecture": "a", "x": ["red"], "n": None}


def test_the_weights_file_of_a_model():
    """The Modelfile's FROM line tells the digest of the weights; a comment, or a name, tells none."""
    digest = "ab" * 32
    for path in (f"/m/blobs/sha256-{digest}", f"C:\\m\\blobs\\sha256-{digest}", f"sha256:{digest}"):
        text = f"# FROM x:latest\n\nFROM {path}\nFROM /m/blobs/sha256-{'0' * 64}\nTEMPLATE x"
        assert asyncio.run(Routes(show=(200, {"modelfile": text})).client().show("m")).weights == digest
    for text in (f"# FROM /m/blobs/sha256-{digest}", "FROM base:latest", 5):
        assert asyncio.run(Routes(show=(200, {"modelfile": text})).client().show("m")).weights == ""


@pytest.mark.parametrize(("tokens", "room"), [(7931, 16384), (300, 8192), (20_000, 32768), (10**8, 134217728)])
def test_a_prompt_that_does_not_fit_says_how_much_room_it_needs(tokens, room):
    """An error that is JSON inside a string is unwrapped, and its cure names a window that is large enough."""
    inner = {"code": 400, "message": f"request ({tokens} tokens) exceeds the available context size (256 tokens)"}
    refused = Routes(generate=(400, {"error": json.dumps({"error": inner})}))
    answer = asyncio.run(read(refused.client().stream_generate(GenerateRequest("m", "hi"))))
    assert f"request ({tokens} tokens) exceeds" in answer.line
    assert f"num_ctx={room}" in answer.line
    assert "{" not in answer.line


def test_a_list_of_ten_thousand_models_is_whole():
    """Ten thousand models are read, each with its fields, and more than that are cut."""
    item = {"size": 5, "digest": "d", "details": {"family": "llama", "families": ["llama"]}, "capabilities": ["tools"]}
    models = [{"name": f"m{n}:latest", **item} for n in range(10_500)]
    found = asyncio.run(Routes(tags=(200, {"models": models})).client().tags())
    assert [model.name for model in found] == [f"m{n}:latest" for n in range(10_000)]
    assert {(m.size, m.family, m.capabilities) for m in found} == {(5, "llama", frozenset({"tools"}))}
