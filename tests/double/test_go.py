"""Go's ways: JSON text, times, durations, decoder errors; and the names of models."""

from __future__ import annotations

import math
from datetime import timedelta, timezone

import pytest

from ollama_magic.demo.models.loaded_models import LoadedModels
from ollama_magic.demo.models.model_reference import read_reference
from ollama_magic.demo.transport.go_format import go_json, go_time
from tests.double import PLAIN
from tests.double.library.names import source_of
from tests.double.wire.go_bodies import Refusal, read_body
from tests.double.wire.go_errors import go_duration, read_json
from tests.double.wire.go_fields import CHAT


def test_json_escapes() -> None:
    """`<`, `>`, `&`, U+2028, controls are escaped, a lone surrogate is replaced, the rest is raw."""
    assert go_json("<&>\u2028\x01\n\u0085é\ud800😊") == '"\\u003c\\u0026\\u003e\\u2028\\u0001\\n\u0085é\ufffd😊"'


def test_times_have_as_many_digits_as_they_need() -> None:
    """Trailing zeros of a fraction are cut, up to the whole fraction; UTC is Z, another zone its offset."""
    assert go_time(0) == "1970-01-01T00:00:00Z"
    assert go_time(1_500_000_000) == "1970-01-01T00:00:01.5Z"
    assert go_time(1_000_000_001) == "1970-01-01T00:00:01.000000001Z"
    assert go_time(0, timezone(timedelta(hours=5, minutes=30))) == "1970-01-01T05:30:00+05:30"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("5m", 300), ("1h30m", 5400), ("300ms", 0.3), ("0", 0), ("-1m", -60), ("+1.5s", 1.5), (".5s", 0.5), ("0s", 0)],
)
def test_durations(text: str, seconds: float) -> None:
    """Go's durations are read."""
    assert go_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", 'time: invalid duration ""'),
        ("-", 'time: invalid duration "-"'),
        ("5", 'time: missing unit in duration "5"'),
        ("1d", 'time: unknown unit "d" in duration "1d"'),
    ],
)
def test_bad_durations(text: str, error: str) -> None:
    """A bad duration is refused in Go's words."""
    with pytest.raises(ValueError) as caught:
        go_duration(text)
    assert str(caught.value) == error


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("", "missing request body"),
        (" \n", "missing request body"),
        ('{"a":', "unexpected EOF"),
        ('{"a":"b', "unexpected EOF"),
        ('{"a" 1}', "invalid character '1' after object key"),
        ('{"a":}', "invalid character '}' looking for beginning of value"),
        ('{"a":1 "b"}', "invalid character '\"' after object key:value pair"),
        ("[1 2]", "invalid character '2' after array element"),
        ('{"a":[1,]}', "invalid character ']' looking for beginning of value"),
        ('{"a":1,}', "invalid character '}' looking for beginning of object key string"),
        ('{"a":"\n"}', "invalid character '\\n' in string literal"),
        ("[" * 100_000, "exceeded max depth"),
    ],
)
def test_broken_json(body: str, error: str) -> None:
    """Broken JSON is refused in Go's words."""
    with pytest.raises(ValueError) as caught:
        read_json(body.encode())
    assert str(caught.value) == error


def test_fields_of_a_body() -> None:
    """Names count in any case, unknown fields and nulls are left out, `keep_alive` becomes seconds."""
    body = read_body(b'{"MODEL":"x","odd":1,"stream":null,"keep_alive":-1} and more', CHAT)
    assert body == {"model": "x", "keep_alive": math.inf}
    with pytest.raises(Refusal, match=r"messages of type api.Message"):
        read_body(b'{"messages":["x"]}', CHAT)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("tiny", "tiny:latest"),
        ("me/tiny:7b", "me/tiny:7b"),
        ("h.example:80/me/tiny", "h.example:80/me/tiny:latest"),
        ("https://registry.ollama.ai/library/tiny:1", "tiny:1"),
        ("sha256:abc", "sha256:abc"),
        *((bad, None) for bad in ("", "a b", "tiny:", "a/b/c/d", "-x", "x@y", "a//b", "/x", "x" * 81)),
    ],
)
def test_names(name: str, shown: str | None) -> None:
    """Names are read by the grammar, shown with their tag, and refused otherwise."""
    read = read_reference(name)
    assert (read.shown if read else None) == shown


def test_sources_of_names() -> None:
    """Only a tag tells where a model runs."""
    assert [source_of(name) for name in ("x", "x-cloud", "x:cloud", "x:20b-cloud", "x:7b:local", "x:cloud:local")] == [
        *("", "", "cloud", "cloud", "local", "both")
    ]


def test_a_duration_is_kept_until_another_is_given() -> None:
    """A request without `keep_alive` keeps what an earlier one set; one with other load options loads anew."""
    runners = LoadedModels(lambda _model: None)
    assert runners.load(PLAIN, {}, math.inf)
    runners.release(PLAIN)
    assert not runners.load(PLAIN, {}, None)
    runners.release(PLAIN)
    (running,) = runners.running(lambda model: model.size)
    assert str(running["expires_at"]) > "2300"
    assert runners.load(PLAIN, {"num_ctx": 8192}, None)
