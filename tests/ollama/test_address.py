"""Addresses as people write them, each row decided as the grammar says."""

from __future__ import annotations

import httpx
import pytest

from ollama_magic.errors import InputError
from ollama_magic.ollama.address import Address, configured_address, parse_address

ADDRESSES = [
    ("", "http://127.0.0.1:11434"),
    ("1.2.3.4", "http://1.2.3.4:11434"),
    ("localhost", "http://localhost:11434"),
    ("example.com", "http://example.com:11434"),
    ("h:8080", "http://h:8080"),
    (":1234", "http://127.0.0.1:1234"),
    ("http://h", "http://h"),
    ("https://h", "https://h"),
    ("https://h:4321", "https://h:4321"),
    ("h/path", "http://h:11434/path"),
    ("h:8080/path", "http://h:8080/path"),
    ("https://h/a/b/", "https://h/a/b"),
    ("https://h/a//", "https://h/a"),
    ("[::1]", "http://[::1]:11434"),
    ("[::1]:1337", "http://[::1]:1337"),
    ("http://[::1]", "http://[::1]"),
    ("::1", "http://[::1]:11434"),
    ("0.0.0.0", "http://0.0.0.0:11434"),
    ("[::]", "http://[::]:11434"),
    ("ollama.com", "https://ollama.com"),
    ("ollama.com:443", "https://ollama.com"),
    ("ollama.com/", "https://ollama.com"),
    ("http://ollama.com", "http://ollama.com"),
    ("ollama.com:11434", "http://ollama.com:11434"),
    ("HTTP://x", "http://x"),
    ("  h:1  ", "http://h:1"),
    ('"h:1"', "http://h:1"),
    ("'h'", "http://h:11434"),
    ("Example.COM", "http://example.com:11434"),
    ("https://[::1]:443/x/", "https://[::1]/x"),
    ("my_host:80", "http://my_host"),
    (None, "http://127.0.0.1:11434"),
]


@pytest.mark.parametrize(("text", "url"), ADDRESSES)
def test_an_address_is_read_as_people_write_it(text, url):
    """Scheme, host, port and path have the defaults of Ollama's own tools; what is written counts."""
    assert parse_address(text).url == url


NONSENSE = [
    ("h:foo", "the port foo"),
    ("h:", "the empty port"),
    ("h:99999", "the port 99999"),
    ("h:-1", "the port -1"),
    ("h:１２", "the port １２"),
    (":0", "the port 0"),
    ("https://h:0", "the port 0"),
    ("ftp://x", "ftp:// is not supported"),
    ("ws://h", "ws://"),
    ("http://", "it names no host"),
    ("https:///path", "https:///path"),
    ("http:/h", "://"),
    ("http:h", "://"),
    ("http//h", "://"),
    ("http://h:1?x=1", "must end with its path"),
    ("h#x", "must end with its path"),
    ("http://user:pw@h:1", "OLLAMA_API_KEY"),
    ("[::1", "not an IPv6 address"),
    ("[foo]", "not an IPv6 address"),
    ("[::1]x", "not an IPv6 address"),
    ("a b", "characters"),
    ("h\n/x", "characters"),
    ("h\\x", "characters"),
    ("h\x1b[31m", "characters"),
    ("a..b", "is not a host"),
    ("-a", "is not a host"),
    ("x" * 64, "is not a host"),
    ("a." * 130, "is not a host"),
    ("//h", "//"),
    ("h//x", "//"),
]


@pytest.mark.parametrize(("text", "says"), NONSENSE)
def test_nonsense_is_one_line_with_the_value(text, says):
    """An address that cannot be used is refused in one line that names it, says why, and shows a right one."""
    with pytest.raises(InputError) as caught:
        parse_address(text)
    line = str(caught.value)
    assert line.isprintable()
    assert says in line
    assert "127.0.0.1:11434" in line
    assert len(line) < 500


@pytest.mark.parametrize(
    "text",
    [
        "http://user:s3cret@h:1",
        "s3cret@h",
        "user:s3cret@h/x",
        "user:s3c/ret@h",
        "ftp://user:s3cret@h",
        "http://h/?key=s3cret",
        "http://a@b:s3cret@h",
        "http://user:s3cret@h:x?y",
    ],
)
def test_a_password_in_an_address_is_never_shown(text):
    """Whatever is wrong with an address, what may be a password in it is masked."""
    with pytest.raises(InputError) as caught:
        parse_address(text)
    assert "s3c" not in str(caught.value)
    assert "ret@" not in str(caught.value)


@pytest.mark.parametrize("text", [None, "h:8080/a/b", "[::1]:1", "::", "ollama.com", "https://h", "127.1", "my_host"])
def test_what_is_shown_reads_back_as_the_same(text):
    """The URL for people is itself an address, and means the same."""
    found = parse_address(text)
    assert parse_address(found.url) == found


@pytest.mark.parametrize(
    ("text", "loopback"),
    [
        (None, True),
        ("localhost", True),
        ("LOCALHOST.", True),
        ("ollama.localhost", True),
        ("127.9.8.7", True),
        ("127.1", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("0.0.0.0", True),
        ("[::]", True),
        ("192.168.1.2", False),
        ("localhost.example.com", False),
        ("notlocalhost", False),
        ("127.0.0.1.example.com", False),
        ("fd00::1", False),
        ("host.docker.internal", False),
    ],
)
def test_loopback_is_known(text, loopback):
    """Every spelling of this machine counts as loopback, and no other does."""
    assert parse_address(text).loopback is loopback


@pytest.mark.parametrize("text", [None, "h/a/", "::1", "0.0.0.0:1", "[fe80::1%eth0]:5", "münchen.example", "h/ü"])
def test_endpoints_are_joined_with_one_slash(text):
    """Base and path are joined with exactly one slash, into a URL that can be asked for."""
    found = parse_address(text)
    for path in ("/api/chat", "api/chat"):
        url = httpx.URL(found.join(path))
        assert url.path.endswith("/api/chat")
        assert "//" not in url.path


def test_wildcards_are_asked_on_loopback():
    """0.0.0.0 and :: are shown as they are, and asked on the loopback of their kind."""
    assert (parse_address("0.0.0.0").url, parse_address("0.0.0.0").origin) == (
        "http://0.0.0.0:11434",
        "http://127.0.0.1:11434",
    )
    assert parse_address("[::]:1").origin == "http://[::1]:1"
    assert Address().url == "http://127.0.0.1:11434"


SECRETS = [
    "http://bob:secret@127.0.0.1:11434",
    "bob:secret@gpu",
    "https://bob:se@cret@gpu/x",
    "http://bob:secret@gpu?x=1",
]


@pytest.mark.parametrize("text", SECRETS)
def test_a_password_in_an_address_is_not_repeated(text):
    """An address with a name and a password is refused without showing either, and names what sends them."""
    with pytest.raises(InputError) as caught:
        parse_address(text)
    line = str(caught.value)
    assert "secret" not in line
    assert "cret" not in line.partition("cannot be used")[0]
    assert "bob" not in line
    assert 'OllamaMagic.headers = {"Authorization": "env:NAME"}' in line


def test_one_place_says_which_address_counts():
    """What the session was set to is stronger than the configuration, that than OLLAMA_HOST; blanks do not count."""
    environ = {"OLLAMA_HOST": " env:1 "}
    assert configured_address({}).source == "default"
    assert configured_address({"OLLAMA_HOST": "  "}, config=" ").source == "default"
    assert configured_address(environ).parsed().url == "http://env:1"
    assert configured_address(environ, config="conf:2").source == "config"
    found = configured_address(environ, config="conf:2", session="here:3")
    assert (found.source, found.parsed().url) == ("session", "http://here:3")
