"""Keys: read from the environment only, sent to their own origin only, shown nowhere."""

from __future__ import annotations

import copy
import pickle
import traceback

import pytest

from ollama_magic.errors import InputError
from ollama_magic.ollama.address import parse_address
from ollama_magic.ollama.client import Limits
from ollama_magic.ollama.secrets import Secrets
from tests.ollama.raw_server import Connection, RawServer, answering
from tests.ollama.reading import END, SHORT, ask, line

KEY = "sk-VERY+secret/key=="
NAMED = 'na"med\\secret value'
HERE = parse_address("http://h:1")


def _held(address=HERE) -> Secrets:
    return Secrets.from_environment(address, {"OLLAMA_API_KEY": KEY, "MY_KEY": NAMED}, {"X-Key": "env:MY_KEY"})


def _told(connection: Connection) -> None:
    connection.request()
    connection.stream(line("hello"), END)
    connection.until_left()


def test_the_key_and_the_named_header_reach_their_server():
    """A request carries the key as a bearer and the named header with its value."""
    with RawServer(_told) as server:
        address = parse_address(server.address)
        ask(server.address, SHORT, secrets=_held(address))
        request = server.requests[0]
    assert f"Authorization: Bearer {KEY}\r\n".lower().encode() in request.lower()
    assert f"X-Key: {NAMED}\r\n".encode() in request


@pytest.mark.parametrize("spelling", ["localhost:{port}", "http://127.0.0.1:{other}", "https://127.0.0.1:{port}"])
def test_another_origin_gets_nothing(spelling):
    """Another name, port or scheme is another origin and gets no header of ours."""
    owner = parse_address("127.0.0.1:1234")
    other = parse_address(spelling.format(port=1234, other=1235))
    assert _held(owner).headers_for(owner)
    assert _held(owner).headers_for(other) == {}


def test_a_second_server_sees_no_key():
    """A client for another address sends no key that belongs elsewhere."""
    with RawServer(_told) as server:
        ask(server.address, SHORT, secrets=_held())
        assert KEY.encode() not in server.requests[0]
        assert b"X-Key" not in server.requests[0]


def test_a_redirect_carries_no_key_away():
    """A redirect is not followed, so that the place it points at sees nothing."""
    with RawServer(answering(line("hello"), END)) as elsewhere:

        def point(connection: Connection) -> None:
            connection.request()
            connection.send(f"HTTP/1.1 307 X\r\nLocation: http://{elsewhere.address}/api/chat\r\n\r\n".encode())

        with RawServer(point) as server:
            answer = ask(server.address, SHORT, secrets=_held(parse_address(server.address)))
        assert elsewhere.connections == 0
    assert answer.state == "failed"


def _everything(secrets: Secrets) -> str:
    copies = (secrets, copy.copy(secrets), copy.deepcopy(secrets), pickle.loads(pickle.dumps(secrets)))
    shown = [f"{s!r} {s!s} {s}" for s in copies]
    return " ".join([*shown, pickle.dumps(secrets).decode("latin-1"), repr({"s": secrets})])


def test_no_repr_no_copy_no_pickle_shows_a_secret():
    """Whatever is printed, copied or pickled of the holder is free of its values."""
    shown = _everything(_held())
    for secret in (KEY, NAMED, "VERY", "secret value"):
        assert secret not in shown
    assert repr(_held()) == "Secrets(X-Key: •••, Authorization: •••)"


FAULTS = {
    "reset": Connection.reset,
    "silent": Connection.until_left,
    "no HTTP": lambda c: (c.request(), c.send(b"nonsense\r\n\r\n")),
    "echo": lambda c: c.send(b"HTTP/1.1 400 Bad\r\nConnection: close\r\n\r\n" + c.request()),
    "echo in an error": lambda c: (
        c.request(),
        c.send(b"HTTP/1.1 500 X\r\nConnection: close\r\n\r\n" + b'{"error":"key ' + KEY.encode() + b' is wrong"}'),
    ),
    "echo in a stream": lambda c: (c.request(), c.stream(b'{"error":"key ' + KEY.encode() + b' is wrong"}\n')),
}


@pytest.mark.parametrize("script", FAULTS.values(), ids=FAULTS.keys())
def test_no_failure_shows_a_secret(script):
    """No error, and nothing behind it, holds a key, even if the server echoes it."""
    with RawServer(script) as server:
        address = parse_address(server.address)
        answer = ask(server.address, Limits(connect_loopback=2, first_byte=0.3, silence=1), secrets=_held(address))
    assert answer.state == "failed"
    told = answer.line + ("".join(traceback.format_exception(answer.error)) if answer.error else "")
    assert KEY not in told
    assert NAMED not in told
    chain = answer.error
    while chain is not None:
        assert KEY not in repr(vars(chain))
        chain = chain.__cause__ or chain.__context__


@pytest.mark.parametrize(
    "text",
    [
        f"my key is {KEY}.",
        f"Bearer {KEY}",
        f"https://x/?k={'sk-VERY%2Bsecret%2Fkey%3D%3D'}",
        f"https://x/{'sk-VERY%2Bsecret/key%3D%3D'}",
        "<p>na&quot;med\\secret value</p>",
        repr({"k": NAMED}),
        '{"k": "na\\"med\\\\secret value"}',
        f"{KEY}{KEY}",
    ],
)
def test_every_shape_of_a_secret_is_masked(text):
    """A secret is masked as it is, quoted, escaped, and twice."""
    masked = _held().mask(text)
    assert "VERY" not in masked
    assert "med" not in masked
    assert "•••" in masked


def test_masking_leaves_other_text_alone():
    """Text without a secret comes back as it was, also without any secret to hold."""
    text = "Bearer of good news, key by key"
    assert _held().mask(text) == text
    assert Secrets().mask(text) == text


@pytest.mark.parametrize(
    ("headers", "environ", "says"),
    [
        ({"X-Key": "sk-plain"}, {}, '{"X-Key": "env:NAME"}'),
        ({"X-Key": ""}, {}, "env:NAME"),
        ({"X-Key": "env:"}, {}, "env:NAME"),
        ({"X-Key": 5}, {}, "env:NAME"),
        ({"X-Key": "env:MISSING"}, {}, "environment variable MISSING"),
        ({"X-Key": "env:EMPTY"}, {"EMPTY": " "}, "environment variable EMPTY"),
        ({"X-Key": "env:K"}, {"K": "sk-a\r\nHost: evil"}, "several lines"),
        ({"X-Key": "env:K"}, {"K": "sk-a\nb"}, "several lines"),
        ({"X-Key": "env:K"}, {"K": "sk-ключ"}, "a header cannot have"),
        ({"X-Key": "env:K"}, {"K": "sk-\x1b[31m"}, "a header cannot have"),
        ({"X Key": "env:K"}, {"K": "sk-a"}, "name of a header"),
        ({"X-Key: a\r\nB": "env:K"}, {"K": "sk-a"}, "name of a header"),
        ({"": "env:K"}, {"K": "sk-a"}, "name of a header"),
        ({"Host": "env:K"}, {"K": "sk-a"}, "set by the client itself"),
        ({"content-length": "env:K"}, {"K": "sk-a"}, "set by the client itself"),
        ({}, {"OLLAMA_API_KEY": "sk-a\nb"}, "OLLAMA_API_KEY"),
    ],
)
def test_what_cannot_be_a_header_is_one_line_without_the_value(headers, environ, says):
    """A key in a cell, a missing variable, or a value that a header cannot have is refused, and not repeated."""
    with pytest.raises(InputError) as caught:
        Secrets.from_environment(HERE, environ, headers)
    line_ = str(caught.value)
    assert says in line_
    assert "sk-" not in line_
    assert line_.isprintable()
    assert caught.value.__context__ is None


def test_a_named_authorization_takes_the_keys_place():
    """Who names Authorization himself does not get the key beside it."""
    secrets = Secrets.from_environment(
        HERE, {"OLLAMA_API_KEY": KEY, "A": "Basic dXNlcjpwdw=="}, {"authorization": "env:A"}
    )
    assert secrets.headers_for(HERE) == {"authorization": "Basic dXNlcjpwdw=="}
    assert secrets.mask("it is dXNlcjpwdw==") == "it is •••"
