"""Pulling a model from Python: it returns at success, tells its progress, and never calls half of it done."""

from __future__ import annotations

import asyncio

import pytest

import ollama_magic
from ollama_magic.errors import AnswerCut, InputError, OllamaMagicError
from tests.double import Fault

MODEL = "demo-small:latest"


def test_pull_returns_at_success(start) -> None:
    """A model that was pulled is listed, and can be asked."""
    start()
    assert ollama_magic.pull(MODEL) is None
    assert MODEL in [model.name for model in ollama_magic.list()]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"model": ""}, "An empty text is not a model's name; name one such as"),
        ({"model": None}, "An empty text is not a model's name"),
        ({"model": "a b"}, "a b is not a model's name"),
        ({"model": MODEL, "insecure": 5}, "insecure is True or False, not int"),
    ],
)
def test_what_cannot_be_pulled_is_refused_here(start, arguments, says) -> None:
    """The line says what to write; the server's would be a riddle."""
    server = start()
    with pytest.raises(InputError, match=says):
        ollama_magic.pull(**arguments)
    assert not server.requests


def test_pull_tells_its_progress(start) -> None:
    """With stream=True every line comes, the last one says success, in either kind of loop."""
    start()
    lines = list(ollama_magic.pull(MODEL, stream=True))
    assert lines[-1].done
    assert any(line.total for line in lines)

    async def main() -> bool:
        return [line async for line in ollama_magic.pull(MODEL, stream=True)][-1].done

    assert asyncio.run(main())


@pytest.mark.parametrize("kind", ["no_done", "close", "error_line"])
def test_a_pull_that_breaks_off_is_not_done(start, kind) -> None:
    """A pull without its last line raises one line, even where the server says nothing of it."""
    start(faults=[Fault(kind, after=2, path="/api/pull")])
    with pytest.raises(OllamaMagicError) as caught:
        ollama_magic.pull(MODEL)
    assert "\n" not in str(caught.value)
    assert isinstance(caught.value, AnswerCut) == (kind != "error_line")


def test_leaving_a_pull_hangs_up(start) -> None:
    """Breaking off a download closes its connection."""
    server = start(pull_seconds=20)
    for line in ollama_magic.pull(MODEL, stream=True):
        if line.total:
            break
    asked = next(request for request in server.requests if request.path == "/api/pull")
    assert asked.ended.wait(30)
    assert asked.closed_early
