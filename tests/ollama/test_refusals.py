"""What stands before Ollama, and addresses of other APIs: one line that says who answered, and what helps."""

from __future__ import annotations

import asyncio
import json
import logging
import re

import httpx
import pytest

from ollama_magic.errors import ModelNotFound, ServerError
from ollama_magic.ollama.address import parse_address
from ollama_magic.ollama.client import OllamaClient
from ollama_magic.ollama.refusals import Refusal
from ollama_magic.ollama.secrets import Secrets
from ollama_magic.ollama.server_errors import failed_in_stream
from tests.ollama.reading import REQUEST, one_readable, read

PAGE = "<html><head><title>{0}</title></head><body><center><h1>{0}</h1></center><hr>nginx/1.24.0</body></html>"
STREAMS, LOOKS = "stream", "look"


def _client(answer: httpx.Response, address: str = "127.0.0.1:11434", secrets: Secrets | None = None) -> OllamaClient:
    def reply(_: httpx.Request) -> httpx.Response:
        return httpx.Response(answer.status_code, headers=answer.headers, stream=httpx.ByteStream(answer.content))

    return OllamaClient(parse_address(address), secrets, transport=httpx.MockTransport(reply))


def _line(answer: httpx.Response, way: str, address: str = "127.0.0.1:11434") -> str:
    client = _client(answer, address)
    if way == STREAMS:
        return asyncio.run(read(client.stream_chat(REQUEST))).line
    with pytest.raises(ServerError) as caught:
        asyncio.run(client.tags())
    return str(caught.value)


def _page(status: int, **headers: str) -> httpx.Response:
    return httpx.Response(status, html=PAGE.format(status), headers=headers)


PROXIES = {
    "basic auth": (
        _page(401, **{"WWW-Authenticate": 'Basic realm="x"'}),
        r'401.*a name and a password; .*OllamaMagic\.headers = .*"Authorization": "env:NAME"',
    ),
    "basic auth without a page": (
        httpx.Response(401, headers={"WWW-Authenticate": 'Basic realm="x"'}),
        r"\(401\).*a name and a password; .*OllamaMagic\.headers",
    ),
    "a sign-in page": (_page(401), r"401.*OllamaMagic\.headers"),
    "forbidden": (_page(403), r"403.*forbids.*OllamaMagic\.headers"),
    "too large": (_page(413), "413.*no request of this size; shorten the prompt"),
    "too large without a page": (httpx.Response(413, text="Request Entity Too Large"), "413: Request Entity Too"),
    "too many": (_page(429), "429.*too many requests; wait a while"),
    "no way through": (_page(502), r"web page \(502\).*does not reach Ollama behind it"),
    "no way through, in plain text": (httpx.Response(502, text="Bad Gateway"), "502: Bad.*does not reach Ollama"),
    "no backend": (httpx.Response(503, text="no healthy upstream"), "503: no healthy upstream.*not available"),
    "gave up": (_page(504), r"504.*gave up waiting.*may still be loading: run this again, or raise .*read timeout"),
    "a cloud's own": (_page(524), "524.*it gave up waiting"),
    "broken": (_page(500), "500.*it failed"),
}


@pytest.mark.parametrize("way", [STREAMS, LOOKS])
@pytest.mark.parametrize(("answer", "says"), PROXIES.values(), ids=PROXIES.keys())
def test_a_proxys_answer_is_called_a_proxys(answer, says, way):
    """Whoever stands before Ollama and refuses is called a proxy, with the status and what helps."""
    line = _line(answer, way)
    assert line.startswith("The proxy before http://127.0.0.1:11434 answered")
    assert re.search(says, line), line
    assert "not Ollama" not in line
    assert one_readable(line)


def test_a_proxy_of_the_environment_is_named():
    """Where a variable named the proxy, the line names the variable, and the way around it."""
    refusal = Refusal(parse_address("gpu:11434"), "/api/chat", 503, "text/html", proxy_variable="HTTP_PROXY")
    line = str(refusal.error())
    assert line.startswith("The proxy that HTTP_PROXY names answered with a web page (503)")
    assert line.endswith("or add gpu to NO_PROXY.")


OLLAMAS_OWN = {
    "a page where an answer was due": (_page(200), r"is not Ollama: it answered with a web page \(200\)"),
    "an unknown page": (_page(404), r"is not Ollama: it answered with a web page \(404\)"),
    "a refused key": (httpx.Response(401, json={"error": "unauthorized"}), "OLLAMA_API_KEY"),
    "a refused key, asked for by name": (
        httpx.Response(401, text="no", headers={"WWW-Authenticate": "Bearer"}),
        "OLLAMA_API_KEY",
    ),
    "a full queue": (httpx.Response(503, json={"error": "server busy"}), "is busy"),
    "an unreachable cloud": (
        httpx.Response(502, json={"error": "ollama.com: no route"}),
        r"failed \(502\): ollama.com",
    ),
    "a foreign host": (httpx.Response(403), "Host or Origin"),
}


@pytest.mark.parametrize(("answer", "says"), OLLAMAS_OWN.values(), ids=OLLAMAS_OWN.keys())
def test_ollamas_own_refusals_are_no_proxys(answer, says):
    """What Ollama itself refuses, and what is no proxy's page, is said as before."""
    line = _line(answer, STREAMS)
    assert re.search(says, line), line
    assert "proxy" not in line


@pytest.mark.parametrize(
    ("address", "end", "shorter"),
    [
        ("gpu:11434/v1", "/v1", "http://gpu:11434"),
        ("gpu:11434/v1/", "/v1", "http://gpu:11434"),
        ("https://gpu/v1/chat/completions", "/v1/chat/completions", "https://gpu"),
        ("gpu:11434/api", "/api", "http://gpu:11434"),
        ("gpu:11434/api/chat", "/api/chat", "http://gpu:11434"),
        ("https://gpu/ollama/api/generate", "/api/generate", "https://gpu/ollama"),
    ],
)
@pytest.mark.parametrize("way", [STREAMS, LOOKS])
def test_the_path_of_an_api_is_to_be_left_out(address, end, shorter, way):
    """An address that ends in /v1 or /api/… as other clients want it is answered with the address that is meant."""
    for answer in (httpx.Response(404, text="404 page not found"), _page(404), httpx.Response(405)):
        line = _line(answer, way, address)
        assert f"leave out {end} at the end of the address, write {shorter}." in line
        assert one_readable(line)


def test_an_address_below_a_path_works():
    """A server that a proxy serves below /api is asked there: the path is told only where it is not found."""
    answer = httpx.Response(200, json={"models": [{"name": "m:1b"}]})
    assert [model.name for model in asyncio.run(_client(answer, "https://gpu/api").tags())] == ["m:1b"]
    missing = httpx.Response(404, json={"error": 'model "x" not found, try pulling it first'})
    answer = asyncio.run(read(_client(missing, "https://gpu/api").stream_chat(REQUEST)))
    assert isinstance(answer.error, ModelNotFound)


@pytest.mark.parametrize("look", ["tags", "ps", "version"])
@pytest.mark.parametrize("error", ["This server has no GET /api/tags", {"message": "This server has no GET /api/tags"}])
def test_an_error_with_status_200_gives_the_servers_words(look, error):
    """A listing that holds an error is not an empty one: the line has the server's own words."""
    with pytest.raises(ServerError, match=r"is not Ollama: .* it says: This server has no GET") as caught:
        asyncio.run(getattr(_client(httpx.Response(200, json={"error": error})), look)())
    assert one_readable(str(caught.value))


COMPLAINTS = {
    "model requires more system memory (9.0 GiB) than is available (2.0 GiB)": ("memory", "smaller model.*num_ctx"),
    "llama-server reported out-of-memory during startup: x": ("memory", "smaller model.*num_ctx"),
    "llama runner process has terminated: cudaMalloc failed: out of memory": ("memory", "smaller model.*num_ctx"),
    "unable to allocate CUDA0 buffer": ("memory", "smaller model.*num_ctx"),
    "timed out waiting for llama runner to start - progress 0.00 - ": ("load_timeout", "OLLAMA_LOAD_TIMEOUT"),
    "timed out waiting for llama-server to start - ": ("load_timeout", "OLLAMA_LOAD_TIMEOUT"),
    "llama runner process has terminated: exit status 2": ("runner_ended", "server's log"),
    "llama-server process has terminated: signal: killed": ("runner_ended", "server's log"),
    "llama runner process no longer running: 2 ": ("runner_ended", "server's log"),
    "model runner has unexpectedly stopped, this may be due to resource limitations or an internal error, check ollama "
    "server logs for details": ("runner_ended", "server's log"),
    "an error was encountered while running the model: unexpected EOF": ("runner_ended", "server's log"),
    'Post "http://127.0.0.1:36123/completion": EOF': ("runner_ended", "server's log"),
    "llama runner process has terminated: error loading model: error loading model architecture: unknown model "
    "architecture: 'mllama'": ("architecture", "update Ollama on the server"),
    'unsupported architecture "Foo"': ("architecture", "update Ollama on the server"),
    "Field 'json_schema': \"json_schema\": JSON schema conversion failed:\nJSON schema error at #: cannot resolve $ref "
    "#/definitions/nope, definitions not found": ("other", "simplify it, and let each `[$]ref` lead to a place within"),
    "Failed to create new sequence: no input provided": ("other", "one of the texts is empty: leave it out"),
    "invalid JSON schema in format": ("other", "simplify it"),
    "json: cannot unmarshal object into Go struct field ChatRequest.format of type string": ("outdated", "0.5.0"),
    "json: cannot unmarshal string into Go struct field ChatRequest.think of type bool": ("outdated", "--think alone"),
}


@pytest.mark.parametrize(("words", "expected"), COMPLAINTS.items(), ids=COMPLAINTS.keys())
def test_what_a_server_complains_of_has_its_cure(words, expected):
    """What people meet has a next step, the same as a status and in mid-stream; nobody is told to run it again."""
    kind, says = expected
    answer = asyncio.run(read(_client(httpx.Response(500, json={"error": words})).stream_chat(REQUEST)))
    streamed = failed_in_stream(words, "the text so far is kept", "run the cell again")
    for error in (answer.error, streamed):
        assert isinstance(error, ServerError)
        assert error.kind == kind
        assert re.search(says, str(error)), str(error)
        assert "run the cell again" not in str(error)
        assert not re.search(r"[.:-] ?[;.]", str(error)), str(error)
    assert "the text so far is kept" in str(streamed)


def test_unknown_words_in_mid_stream_ask_to_run_it_again():
    """A failure that nobody knows is most often gone the second time."""
    error = failed_in_stream("boom.", "", "run the cell again")
    assert (str(error), error.kind) == ("The server failed: boom; run the cell again.", "other")


def test_each_request_is_logged_without_its_text(caplog):
    """The log has method, path, status, seconds and sizes of each request; no text of it and no key."""
    answer = httpx.Response(200, json={"models": []})
    key = Secrets("http://127.0.0.1:11434", {"Authorization": "Bearer sesame-open-now"})
    with caplog.at_level(logging.INFO, "ollama_magic.ollama"):
        asyncio.run(_client(answer, secrets=key).tags())
        asyncio.run(read(_client(httpx.Response(500, json={"error": "secret words"})).stream_chat(REQUEST)))
    first, second = (record.getMessage() for record in caplog.records if record.name == "ollama_magic.ollama")
    assert first.startswith("GET /api/tags: 200 in 0.")
    assert second.startswith("POST /api/chat: 500 in ")
    assert re.search(r"\d\d bytes sent, \d\d received", second)
    assert not any(word in first + second for word in ("sesame", "hi ", "secret"))


@pytest.mark.parametrize(
    "words",
    [
        "Multimodal data provided, but model does not support multimodal requests.",
        "image input is not supported - hint: if this is unexpected, you may need to provide the mmproj",
        "this model is missing data required for image input",
    ],
)
def test_a_model_that_sees_nothing(words):
    """What real servers say of images for a model without vision is one line that says what helps."""
    inner = json.dumps({"error": {"code": 400, "message": words, "type": "invalid_request_error"}})
    line = _line(httpx.Response(400, json={"error": inner}), STREAMS)
    assert words.rstrip(".") in line
    assert "leave the images out, or name a model that sees with -m" in line
    assert "{" not in line
