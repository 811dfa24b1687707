"""Vectors of thousands of texts: in batches, each text once, saved, in the order of the texts."""

from __future__ import annotations

import time

import numpy as np
import pytest

import ollama_magic
from ollama_magic.errors import InputError, ServerUnreachable
from ollama_magic.store import answers
from tests.double.faults import nobody


def test_thousands_come_in_batches_in_their_order(quick, cache) -> None:
    """Each text has its row, duplicates are asked once, and the second time nothing is asked."""
    server = quick()
    texts = ["x" * (number % 700) + "y" for number in range(2000)]
    found = ollama_magic.embed(texts, cache=cache)
    assert found.array.shape == (2000, 3)
    assert found.array.dtype == np.float32
    assert list(found.array[:, 0]) == [len(text) for text in texts]
    assert found.vectors[699] == [700.0, 1.0, 0.5]
    assert len(found.vectors) == len(found) == 2000
    assert server.total == 700
    assert 11 <= server.batches < 40
    again = ollama_magic.embed(texts, cache=cache)
    assert server.total == 700
    assert np.array_equal(again.array, found.array)
    assert ollama_magic.embed([*texts, "new"], cache=cache, model="quick").array.shape == (2001, 3)
    assert server.total == 701


def test_a_few_have_an_array_too(quick) -> None:
    """A plain request is what it was, and an array is an attribute away."""
    quick()
    found = ollama_magic.embed(["a", "bc"])
    assert found.vectors == [[1.0, 1.0, 0.5], [2.0, 1.0, 0.5]]
    assert found.array.dtype == np.float32
    assert found.array.tolist() == found.vectors


def test_two_hosts_share_the_texts(quick) -> None:
    """Batches go to whichever has room."""
    one, two = quick(latency=0.01), quick(latency=0.01)
    found = ollama_magic.embed([str(number) for number in range(3000)], hosts=[one.url, two.url])
    assert found.array.shape == (3000, 3)
    assert one.total + two.total == 3000
    assert min(one.total, two.total) >= 64


@pytest.mark.parametrize("options", [{}, {"cache": False}])
def test_no_texts_are_no_vectors(quick, options) -> None:
    """An empty list has an empty array, with one request and as a map."""
    quick()
    found = ollama_magic.embed([], **options)
    assert found.vectors == []
    assert found.array.shape == (0, 0)


def test_what_cannot_be_embedded_is_one_error(quick) -> None:
    """No server, a wrong argument, a text that is none: one line."""
    quick()
    with pytest.raises(ServerUnreachable):
        ollama_magic.embed(["a"] * 300, hosts=[nobody()])
    with pytest.raises(InputError, match="concurrency is a number above 0"):
        ollama_magic.embed(["a"], concurrency=-1)
    with pytest.raises(InputError, match="hosts is a list"):
        ollama_magic.embed(["a"], hosts=7)
    with pytest.raises(InputError, match="cache is a path"):
        ollama_magic.embed(["a"], cache="a\0b")
    with pytest.raises(InputError, match=r"not int \(text 2\)"):
        ollama_magic.embed(["a", 1])
    with pytest.raises(InputError, match="did you mean `hosts=`"):
        ollama_magic.embed(["a"], hots=["x"])


def test_every_vector_is_on_the_disk_when_it_returns(quick, cache, monkeypatch) -> None:
    """A disk that takes its time delays the return, so that the next call finds all."""
    server = quick()
    save = answers.save_answers

    def slowly(*arguments, **options) -> None:
        time.sleep(0.3)
        save(*arguments, **options)

    monkeypatch.setattr(answers, "save_answers", slowly)
    ollama_magic.embed([str(number) for number in range(130)], cache=cache)
    ollama_magic.embed([str(number) for number in range(130)], cache=cache)
    assert server.total == 130
