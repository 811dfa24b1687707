"""The log: silent by default, on request to stderr or a file, and never with a key in it."""

from __future__ import annotations

import doctest
import io
import logging
import os
import pickle
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from ollama_magic import log
from ollama_magic.errors import InputError
from ollama_magic.ollama.address import parse_address
from ollama_magic.ollama.secrets import Secrets

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LOGGER = logging.getLogger("ollama_magic.tests")


@pytest.fixture(autouse=True)
def _off() -> Iterator[None]:
    yield
    log.configure("off")


def _fault(key: str) -> KeyError:
    with pytest.raises(KeyError) as caught:
        {}[key]
    return caught.value


def test_silent_by_default(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a setting nothing is written, not even an error."""
    log.configure("")
    LOGGER.error("nobody reads this")
    LOGGER.debug("nor this")
    assert capsys.readouterr() == ("", "")
    assert log.describe() == "off; OLLAMA_MAGIC_LOG=debug, or debug:FILE, turns it on"


def test_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    """A level alone logs to stderr, one line a record, from that level on."""
    log.configure("info")
    LOGGER.info("POST /api/chat\n200")
    LOGGER.debug("too small")
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith("INFO    ollama_magic.tests: POST /api/chat 200")
    assert log.describe() == "info, to stderr"


def test_to_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A level and a path append to a file that only its owner can read, also when the folder changes meanwhile."""
    monkeypatch.chdir(tmp_path)
    log.configure("DEBUG: chat.log")
    monkeypatch.chdir("/")
    LOGGER.debug("one")
    log.configure(f"warning:{tmp_path}/chat.log")
    LOGGER.warning("two \ud800 \x1b[31m")
    lines = (tmp_path / "chat.log").read_text("utf8").splitlines()
    assert [line.split("tests: ")[1] for line in lines] == ["one", "two \ufffd"]
    if os.name == "posix":
        assert stat.S_IMODE((tmp_path / "chat.log").stat().st_mode) == 0o600
    assert capsys.readouterr() == ("", "")
    assert log.describe() == f"warning, to {tmp_path}/chat.log"


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("loud", "loud is not a log level; use off, debug, info, warning, error, or a level and a file"),
        ("debug:/nowhere/at/all.log", "The log cannot be written to /nowhere/at/all.log: No such file or directory."),
        ("debug:/", "The log cannot be written to /: Is a directory."),
        ("debug:a\0b", "The log cannot be written to "),
    ],
)
def test_a_bad_setting(setting: str, says: str) -> None:
    """A level or a file that cannot be used is refused in one line, and the log stays as it was."""
    log.configure("error")
    with pytest.raises(InputError) as refused:
        log.configure(setting)
    assert str(refused.value).startswith(says)
    assert log.describe() == "error, to stderr"


def _run(code: str, setting: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "OLLAMA_MAGIC_LOG": setting}
    return subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True)


def test_the_environment() -> None:
    """OLLAMA_MAGIC_LOG is followed from the import on; a value that cannot be used is one line, and no failure."""
    code = "import logging, ollama_magic; logging.getLogger('ollama_magic.x').debug('seen')"
    assert "ollama_magic.x: seen" in _run(code, "debug").stderr
    assert _run(code, "").stderr == ""
    assert _run(code, "loud").stderr.startswith("OLLAMA_MAGIC_LOG: loud is not a log level")


def test_keys_are_masked(capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
    """A key that we hold stands in no record and no traceback, in no shape, also for the user's own handlers."""
    key = 'k3y"with/quotes'
    Secrets.from_environment(parse_address("https://example.org"), {"OLLAMA_API_KEY": key}, {})
    log.configure("debug")
    LOGGER.info("the header %r of %s", key, f"https://example.org/{key}")
    line = log.log_fault(LOGGER, _fault(key))
    written = capsys.readouterr().err + caplog.text + line
    assert "k3y" not in written
    assert "quotes" not in written
    assert "Traceback (most recent call last)" in written
    assert "•••" in written


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("Authorization: Bearer abc.def-123=", "Authorization: Bearer •••"),
        ('{"authorization": "Bearer abcdef"}', '{"authorization": •••}'),
        ("basic dXNlcjpwYXNz", "basic •••"),
        ("api_key=abc123&model=m", "api_key=•••&model=m"),
        ("X-Api-Key: abc123", "X-Api-Key: •••"),
        ("http://user:pass@proxy:3128/", "http://•••@proxy:3128/"),
        ("tokens: 12, a token of text, POST /api/chat 200", "tokens: 12, a token of text, POST /api/chat 200"),
    ],
)
def test_what_looks_like_a_key_is_masked(text: str, masked: str) -> None:
    """Headers, fields and addresses that look like a key are masked although nobody registered them."""
    assert log.masked(text) == masked


def test_a_copy_of_secrets_registers_nothing() -> None:
    """An empty holder of secrets leaves ordinary text alone."""
    pickle.loads(pickle.dumps(Secrets()))
    assert log.masked("ordinary text") == "ordinary text"


def test_a_fault(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A fault of our own is one line that says how to see more, and its whole traceback in the log."""
    assert log.log_fault(LOGGER, _fault("name")) == (
        "ollama_magic itself failed (KeyError: 'name'); "
        "set OLLAMA_MAGIC_LOG=debug and run again to see where, and please report it."
    )
    assert capsys.readouterr() == ("", "")
    log.configure(f"error:{tmp_path}/log")
    assert f"its log (error, to {tmp_path}/log) has the traceback" in log.log_fault(LOGGER, _fault("name"))
    written = (tmp_path / "log").read_text("utf8")
    assert "Traceback (most recent call last)" in written
    assert written.endswith("KeyError: 'name'\n")


class _Speechless(Exception):
    def __str__(self) -> str:
        raise ValueError


def test_a_fault_that_cannot_say_what_it_is() -> None:
    """An error whose text raises another one is told by its name."""
    assert log.log_fault(LOGGER, _Speechless()).startswith("ollama_magic itself failed (_Speechless); set OLLAMA_")


class _Full(io.StringIO):
    def write(self, _: str) -> int:
        raise OSError(28, "No space left on device")


def test_a_fault_of_the_log_ends_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A format that does not fit, or a full disk, raises nothing and prints nothing."""
    log.configure(f"debug:{tmp_path}/log")
    LOGGER.info("%d of them", "many")
    assert "cannot be formatted" in (tmp_path / "log").read_text("utf8")
    log.configure("debug")
    monkeypatch.setattr("sys.stderr", _Full())
    LOGGER.info("into a stream that takes nothing")
    log.log_fault(LOGGER, _fault("name"))
    assert capsys.readouterr() == ("", "")


def test_the_example() -> None:
    """The example in the docstring holds."""
    assert doctest.testmod(log).failed == 0
