"""Images and files of rows: what is sent with each prompt, and what a row without them is."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest

import ollama_magic
from ollama_magic.errors import InputError
from tests.double.library.scripted_models import DemoModel

if TYPE_CHECKING:
    from pathlib import Path

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
RED = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
)


@pytest.fixture
def seeing(start):
    """A server whose model sees."""
    return start(models=[DemoModel("eye:latest", capabilities=("completion", "vision"))], answers=lambda _: ["a dot"])


def sent(server) -> list[tuple[str, int]]:
    """The prompts, and how many images went along with each."""
    asked = [request.json for request in server.requests if request.path == "/api/generate"]
    return sorted((body["prompt"], len(body.get("images", []))) for body in asked)


def test_a_column_of_paths_is_attached(seeing, tmp_path: Path) -> None:
    """`-a {{photo}}` reads each row's file; one that is not there fails alone, a text file stands in the prompt."""
    (tmp_path / "dot.png").write_bytes(PNG)
    (tmp_path / "notes.txt").write_text("some words")
    rows = [{"photo": str(tmp_path / name), "what": name} for name in ("dot.png", "gone.png", "notes.txt")]
    results = ollama_magic.map("What is on {{what}}?", rows, attach=["{{photo}}"])
    assert [row.state for row in (results.wait()[0], results[1], results[2])] == ["complete", "failed", "complete"]
    assert "gone.png" in results.errors[0].error
    (first, images), (second, none) = sent(seeing)
    assert (first, images, none) == ("What is on dot.png?", 1, 0)
    assert second.startswith("What is on notes.txt?\n\n```")
    assert "some words" in second


def test_a_changed_image_is_asked_for(seeing, tmp_path: Path, cache) -> None:
    """An answer depends on the bytes of its image, not on its name."""
    path = tmp_path / "dot.png"
    path.write_bytes(PNG)
    for _ in range(2):
        ollama_magic.map("What? {{n}}", [{"n": 1, "photo": path}], attach=["{{photo}}"], cache=cache).wait()
    assert len(sent(seeing)) == 1
    path.write_bytes(RED)
    ollama_magic.map("What? {{n}}", [{"n": 1, "photo": path}], attach=["{{photo}}"], cache=cache).wait()
    assert len(sent(seeing)) == 2


def test_what_every_row_has_goes_along_with_each(seeing, tmp_path: Path) -> None:
    """A file that is no column is read once and sent with every row; a column that is none is refused."""
    (tmp_path / "dot.png").write_bytes(PNG)
    ollama_magic.map("What? {{n}}", range(2), attach=[str(tmp_path / "dot.png")]).wait()
    assert sent(seeing) == [("What? 0", 1), ("What? 1", 1)]
    with pytest.raises(InputError, match=r"\{\{photo\}\} is no column"):
        ollama_magic.map("What? {{n}}", range(2), attach=["{{photo}}"])


def test_a_model_that_does_not_see_is_refused(start, tmp_path: Path) -> None:
    """One line before anything is sent, not one for each row."""
    server = start(answers=lambda _: ["nothing"])
    (tmp_path / "dot.png").write_bytes(PNG)
    rows = [{"n": 1, "photo": tmp_path / "dot.png"}]
    with pytest.raises(InputError, match="cannot see images"):
        ollama_magic.map("What? {{n}}", rows, attach=["{{photo}}"]).frame()
    assert sent(server) == []


@pytest.mark.parametrize("first", [None, "no photo"])
def test_an_image_of_a_later_row_goes_along(seeing, first) -> None:
    """The first row need not have an image for the others to be sent theirs."""
    ollama_magic.map("See {{photo}}", [{"photo": first}, {"photo": PNG}]).wait()
    assert sent(seeing) == [("See [image 1: photo]", 1), *([("See no photo", 0)] if first else [])]


@pytest.mark.parametrize(
    ("prompt", "attach", "first"), [("{{n}}", ["{{photo}}"], None), ("{{n}}: {{photo}}", None, "no photo")]
)
def test_a_later_row_shows_that_the_model_must_see(start, prompt, attach, first) -> None:
    """A model that does not see is refused before anything is sent, whichever row has the first image."""
    server = start(answers=lambda _: ["nothing"])
    rows = [{"n": 1, "photo": first}, {"n": 2, "photo": PNG}]
    with pytest.raises(InputError, match="cannot see images"):
        ollama_magic.map(prompt, rows, attach=attach).frame()
    assert sent(server) == []
