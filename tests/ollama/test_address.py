"""Addresses as people write them, each row decided as the grammar says."""

from __future__ import annotations

import doctest

import httpx
import pytest

from ollama_magic.errors import InputError
from ollama_magic.ollama import address
from ollama_magic.ollama.address import Address, parse_address


def test_the_table_in_the_docstring_holds():
    """The doctest table of addresses is true."""
    assert doctest.testmod(address).attempted > 8
    assert doctest.testmod(address).failed == 0


NONSENSE = [
    ("h:foo", "the port foo"),
    ("h:", "the empty port"),
    ("h:99999", "the port 99999"),
    ("h:-1", "the port -1"),
    ("h:１２", "the port １２"),
    (":0", "the port 0"),
    ("https://h:0", "the port 0"),
    ("ftp://x", "ftp:// is not spoken here"),
    ("ws://h", "ws://"),
    ("http://", "it names no host"),
    ("https:///path", "https:///path"),
    ("http:/h", "://"),
    ("http:h", "://"),
    ("http//h", "://"),
    ("http://h:1?x=1", "nothing may follow the path"),
    ("h#x", "nothing may follow the path"),
    ("http://user:pw@h:1", "OLLAMA_API_KEY"),
    ("[::1", "no IPv6 address"),
    ("[foo]", "no IPv6 address"),
    ("[::1]x", "no IPv6 address"),
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
