"""Proxy and TLS variables: no loopback chat is disturbed, elsewhere they count, and nonsense in them is one line."""

from __future__ import annotations

import pytest

from ollama_magic.errors import InputError, OllamaMagicError, ServerUnreachable
from ollama_magic.ollama.address import parse_address
from ollama_magic.ollama.client import Limits
from ollama_magic.ollama.proxies import proxy_for
from tests.ollama.raw_server import Connection, RawServer, answering, closed_port
from tests.ollama.reading import END, SHORT, ask, line, one_readable

WHOLE = answering(line("hello"), END)
NOWHERE = "/nonexistent/ca.pem"
ENVIRONMENTS = {
    "http_proxy": {"http_proxy": "http://{canary}"},
    "HTTP_PROXY": {"HTTP_PROXY": "http://{canary}"},
    "https_proxy": {"https_proxy": "http://{canary}"},
    "HTTPS_PROXY": {"HTTPS_PROXY": "http://{canary}"},
    "all_proxy": {"all_proxy": "http://{canary}"},
    "ALL_PROXY": {"ALL_PROXY": "http://{canary}"},
    "without a scheme": {"HTTP_PROXY": "{canary}"},
    "with a password": {"HTTP_PROXY": "http://user:s3cret@{canary}"},
    "SOCKS": {"ALL_PROXY": "socks5://{canary}"},
    "old SOCKS": {"all_proxy": "socks4://{canary}"},
    "bare SOCKS": {"ALL_PROXY": "socks://{canary}"},
    "nonsense": {"HTTP_PROXY": "::not a proxy::", "http_proxy": "http://[", "ALL_PROXY": "\x01"},
    "nonsense port": {"HTTP_PROXY": "http://h:99999", "https_proxy": "http://h:x"},
    "NO_PROXY of IPv6": {"HTTP_PROXY": "http://{canary}", "NO_PROXY": "::1,[fe80::1],fd00::/8,[::"},
    "NO_PROXY nonsense": {
        "HTTP_PROXY": "http://{canary}",
        "no_proxy": ",,*.,/,300.1.1.1/99, ,::/200,[",
        "NO_PROXY": "\x01",
    },
    "missing SSL_CERT_FILE": {"SSL_CERT_FILE": NOWHERE},
    "missing SSL_CERT_DIR": {"SSL_CERT_DIR": NOWHERE},
    "missing bundles": {"REQUESTS_CA_BUNDLE": NOWHERE, "CURL_CA_BUNDLE": NOWHERE},
    "missing key log": {"SSLKEYLOGFILE": NOWHERE},
    "all at once": {
        "http_proxy": "http://{canary}",
        "HTTPS_PROXY": "socks5h://{canary}",
        "ALL_PROXY": "socks5://{canary}",
        "NO_PROXY": "example.com",
        "SSL_CERT_FILE": NOWHERE,
        "SSLKEYLOGFILE": NOWHERE,
    },
}
SPELLINGS = (
    ":{port}",
    "localhost:{port}",
    "http://127.0.0.1:{port}/",
    "0.0.0.0:{port}",
    "127.1:{port}",
    "HTTP://LOCALHOST:{port}",
)


@pytest.fixture(scope="module")
def whole():
    """A server that answers everything."""
    with RawServer(WHOLE) as server:
        yield server


@pytest.fixture
def canary():
    """A proxy that counts who comes."""
    with RawServer(Connection.reset) as server:
        yield server


def _set(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], canary: RawServer) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value.replace("{canary}", canary.address))


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("variables", ENVIRONMENTS.values(), ids=ENVIRONMENTS.keys())
def test_a_loopback_chat_works_under_every_environment(monkeypatch, whole, canary, variables, spelling):
    """However loopback is spelled and whatever is set, the chat works and no proxy sees a request."""
    _set(monkeypatch, variables, canary)
    answer = ask(spelling.replace("{port}", str(whole.port)), SHORT)
    assert (answer.state, answer.text) == ("complete", "hello"), answer.line
    assert canary.connections == 0


@pytest.mark.parametrize("variables", ENVIRONMENTS.values(), ids=ENVIRONMENTS.keys())
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_elsewhere_every_environment_fails_readably(monkeypatch, canary, variables, scheme):
    """Beyond loopback a proxy that fails, or nonsense in a variable, is one readable line without its password."""
    _set(monkeypatch, variables, canary)
    answer = ask(f"{scheme}://no-such-machine.invalid:11434", Limits(connect=5, first_byte=5))
    assert answer.state == "failed"
    assert isinstance(answer.error, OllamaMagicError)
    assert one_readable(answer.line)
    assert "s3cret" not in answer.line


def _asks(url: str, **environ: str) -> str | None:
    setting = proxy_for(parse_address(url), environ)
    return setting and setting.variable


@pytest.mark.parametrize(
    ("url", "environ", "variable"),
    [
        ("http://h", {}, None),
        ("http://h", {"HTTP_PROXY": "http://p:1"}, "HTTP_PROXY"),
        ("http://h", {"HTTP_PROXY": "http://p:1", "http_proxy": "http://q:1"}, "http_proxy"),
        ("http://h", {"HTTPS_PROXY": "http://p:1"}, None),
        ("https://h", {"HTTPS_PROXY": "http://p:1"}, "HTTPS_PROXY"),
        ("https://h", {"HTTP_PROXY": "http://p:1"}, None),
        ("https://h", {"ALL_PROXY": "p:1"}, "ALL_PROXY"),
        ("https://h", {"ALL_PROXY": "p:1", "https_proxy": ""}, "ALL_PROXY"),
        ("http://h", {"HTTP_PROXY": "  "}, None),
        ("http://localhost", {"ALL_PROXY": "p:1"}, None),
        ("http://[::1]", {"ALL_PROXY": "p:1"}, None),
    ],
)
def test_the_variable_that_counts(url, environ, variable):
    """Lower case comes before upper case, the scheme's own variable before ALL_PROXY, and an empty one is none."""
    assert _asks(url, **environ) == variable


@pytest.mark.parametrize(
    ("host", "no_proxy", "direct"),
    [
        ("h.example.com", "example.com", True),
        ("h.example.com", ".example.com", True),
        ("h.example.com", "*.example.com", True),
        ("h.example.com", "EXAMPLE.COM", True),
        ("example.com", ".example.com", True),
        ("badexample.com", "example.com", False),
        ("h.example.com", "a, b  example.com", True),
        ("h", "*", True),
        ("h", "h:11434", True),
        ("h", "h:80", False),
        ("10.1.2.3", "10.0.0.0/8", True),
        ("11.1.2.3", "10.0.0.0/8", False),
        ("10.1.2.3", "10.1.2.3", True),
        ("10.1.2.3", "10.1.2.3:11434", True),
        ("[fd00::5]", "fd00::/8", True),
        ("[fd00::5]", "fd00::5", True),
        ("[fd00::5]", "[fd00::5]", True),
        ("[fd00::5]", "[fd00::5]:11434", True),
        ("[fd00::5]", "[fd00::5]:1", False),
        ("[fe80::5]", "fd00::/8", False),
        ("h", "", False),
        ("h", "[,:,::,/,.", False),
    ],
)
def test_no_proxy_is_read(host, no_proxy, direct):
    """NO_PROXY knows domains, ports, IPs of both kinds, with and without brackets, and networks."""
    for name in ("no_proxy", "NO_PROXY"):
        assert (_asks(f"{host}:11434", ALL_PROXY="p:1", **{name: no_proxy}) is None) is direct


@pytest.mark.parametrize(
    "value",
    [
        *("socks5://u:s3cret@h:1", "foo://s3cret", "http://", "s3cret s3cret", "http://h:0", "http://h:99999"),
        *("http://u:s3cret@127.0.0.999", "http://[1]:80"),
    ],
)
def test_a_proxy_that_cannot_be_used_is_named_by_its_variable(monkeypatch, value):
    """A value that cannot be used is one line that names the variable and never the value."""
    monkeypatch.setattr("ollama_magic.ollama.proxies.importlib.util.find_spec", lambda _: None)
    with pytest.raises(InputError) as caught:
        _asks("http://far.example", ALL_PROXY=value)
    assert "ALL_PROXY" in str(caught.value)
    assert "NO_PROXY" in str(caught.value)
    assert "s3cret" not in str(caught.value)
    assert one_readable(str(caught.value))


def test_a_proxy_carries_the_chat(monkeypatch):
    """Beyond loopback a proxy that works is used, for http by its request line."""
    with RawServer(WHOLE) as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://user:s3cret@{proxy.address}")
        assert ask("far.example:11434", SHORT).text == "hello"
        assert proxy.requests[0].startswith(b"POST http://far.example:11434/api/chat HTTP/1.1")


def test_a_proxy_that_is_not_there_is_named(monkeypatch):
    """A proxy that nobody runs is told from a server that nobody runs."""
    monkeypatch.setenv("HTTP_PROXY", f"http://user:s3cret@127.0.0.1:{closed_port()}")
    answer = ask("far.example:11434", SHORT)
    assert isinstance(answer.error, ServerUnreachable)
    assert "The proxy that HTTP_PROXY names does not answer" in answer.line
    assert "s3cret" not in answer.line


def test_a_proxy_that_refuses_is_told(monkeypatch):
    """A proxy that refuses the tunnel to an https server is told with its words."""

    def refuse(connection: Connection) -> None:
        connection.request()
        connection.send(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")

    with RawServer(refuse) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://{proxy.address}")
        answer = ask("https://far.example", SHORT)
    assert isinstance(answer.error, ServerUnreachable)
    assert "HTTPS_PROXY" in answer.line
    assert "407 Proxy Authentication Required" in answer.line
