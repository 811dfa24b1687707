"""Certificates: a firm's own is trusted by ca_file, other trouble is one line, and http:// never loads a store."""

from __future__ import annotations

import re
import ssl
from pathlib import Path

import pytest

from ollama_magic.errors import InputError, ServerUnreachable
from ollama_magic.ollama import tls
from tests.ollama.raw_server import Connection, RawServer, answering
from tests.ollama.reading import END, SHORT, Answer, ask, line, one_readable

FOLDER = Path(__file__).parent / "certificates"
CA = str(FOLDER / "ca.pem")


def _secure(name: str, then=answering(line("hello"), END)):  # noqa: B008
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(FOLDER / f"{name}.pem")

    def script(connection: Connection) -> None:
        connection.secure(context)
        then(connection)

    return script


def _ask(server: RawServer, **settings: object) -> Answer:
    return ask(f"https://127.0.0.1:{server.port}", SHORT, **settings)


def test_a_firms_certificate_is_trusted_by_its_file():
    """With ca_file the server of a firm answers, also under variables that point nowhere."""
    with RawServer(_secure("server")) as server:
        assert _ask(server, ca_file=CA).text == "hello"


def test_a_variable_that_points_nowhere_does_not_disturb(monkeypatch):
    """A missing SSL_CERT_FILE or SSL_CERT_DIR stops neither TLS with ca_file nor plain HTTP."""
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.setenv(name, "/nonexistent/ca.pem")
    with RawServer(_secure("server"), answering(line("plain"), END)) as server:
        assert _ask(server, ca_file=CA).text == "hello"
        assert ask(server.address).text == "plain"


def test_the_machines_own_store_counts(monkeypatch):
    """A certificate that SSL_CERT_FILE names is trusted."""
    monkeypatch.setenv("SSL_CERT_FILE", CA)
    with RawServer(_secure("server")) as server:
        assert _ask(server).text == "hello"


def test_an_unknown_certificate_is_explained(monkeypatch):
    """A certificate that nobody vouches for is refused in one line that names ca_file, and a variable that misses."""
    monkeypatch.setenv("SSL_CERT_FILE", "/nonexistent/ca.pem")
    with RawServer(_secure("server")) as server:
        answer = _ask(server)
    assert isinstance(answer.error, ServerUnreachable)
    assert one_readable(answer.line)
    assert "not trusted" in answer.line
    assert "OllamaMagic.ca_file" in answer.line
    assert "SSL_CERT_FILE" in answer.line


def test_a_certificate_for_another_host_is_explained():
    """A certificate for another name is refused, and the line says so."""
    with RawServer(_secure("elsewhere")) as server:
        answer = _ask(server, ca_file=CA)
    assert isinstance(answer.error, ServerUnreachable)
    assert "not valid for '127.0.0.1'" in answer.line


def _closed(connection: Connection) -> None:
    connection.close()


def _plain_http(connection: Connection) -> None:
    connection.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
    connection.until_left()


PHASES = {
    "plain HTTP": (_plain_http, "does not speak TLS; write http://"),
    "closed in the handshake": (_closed, "cannot be reached|No secure connection"),
    "reset in the handshake": (Connection.reset, "cannot be reached|No secure connection"),
    "silent in the handshake": (Connection.until_left, "nobody answered within 2 s"),
    "closed after the handshake": (_secure("server", _closed), "hung up"),
    "reset in the answer": (_secure("server", lambda c: (c.request(), c.reset())), "hung up"),
}


@pytest.mark.parametrize(("script", "says"), PHASES.values(), ids=PHASES.keys())
def test_each_phase_of_tls_fails_in_one_line(script, says):
    """Whatever breaks a secure connection is one readable line."""
    with RawServer(script) as server:
        answer = _ask(server, ca_file=CA)
    assert answer.state == "failed"
    assert one_readable(answer.line)
    assert re.search(says, answer.line), answer.line


@pytest.mark.parametrize(
    ("ca_file", "says"),
    [("/nonexistent.pem", "There is no file"), (__file__, "holds no certificate"), (str(FOLDER), "cannot be read")],
)
def test_a_wrong_ca_file_is_one_line(ca_file, says):
    """A ca_file that is missing, no certificate, or a folder, is named in one line before anything is sent."""
    with RawServer(_secure("server")) as server:
        answer = _ask(server, ca_file=ca_file)
        assert server.connections == 0
    assert isinstance(answer.error, InputError)
    assert answer.line.startswith(says) or says in answer.line
    assert one_readable(answer.line)


def test_a_key_log_that_cannot_be_written_does_not_disturb(monkeypatch):
    """SSLKEYLOGFILE in a folder that is not there stops no secure chat."""
    monkeypatch.setenv("SSLKEYLOGFILE", "/nonexistent/keys")
    with RawServer(_secure("server")) as server:
        assert _ask(server, ca_file=CA).text == "hello"


def test_plain_http_loads_no_store(monkeypatch):
    """A chat over http:// never builds a store of certificates, and does not look at ca_file."""
    monkeypatch.setattr(tls.httpx, "create_ssl_context", lambda **_: pytest.fail("a store was loaded"))
    monkeypatch.setattr("ollama_magic.ollama.sender.tls_context", lambda *_: pytest.fail("a store was loaded"))
    with RawServer(answering(line("plain"), END)) as server:
        assert ask(server.address, SHORT, ca_file="/nonexistent.pem").text == "plain"
