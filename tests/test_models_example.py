"""The example about models does what it shows, with a real model, and reads well as saved."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests import examples
from tests.engine.local_weights import local_weights

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

NAME = "models.ipynb"
AGES = {"demo", "list", "ps", "left"}  # a port, and how long ago something was
REAL = {"into-memory", "ahoy", "embed"}  # memory, words and numbers that may differ from machine to machine


def test_the_example_runs_and_reads_as_saved(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Run anew, without an Ollama, the example says what is saved in it, and no cell fails."""
    weights = local_weights()
    cache = tmp_path / "cache"
    cache.mkdir()
    (cache / weights.name).symlink_to(weights)
    monkeypatch.setenv("OLLAMA_MAGIC_CACHE", str(cache))
    monkeypatch.setenv("OLLAMA_MAGIC_ENGINE_THREADS", "1")
    notebook = examples.executed(NAME, None, monkeypatch, tmp_path)
    examples.save(notebook, NAME)
    assert examples.errors(notebook) == []
    before, after = examples.said(examples.saved(NAME)), examples.said(notebook)
    assert set(before) == set(after) > AGES | REAL
    for name in set(after) - AGES - REAL:
        assert after[name] == before[name]
    assert after["pull"] == ["`smollm2:135m` is here: 92 MB in 1 layer."]
    assert all("smollm2:135m" in after[name][0] for name in AGES)
    for said in (before, after):
        assert_real(said)


def assert_real(said: dict[str, list[str]]) -> None:
    """The memory is that of a process, the pirate speaks, and of three sentences the two about cats are near."""
    assert re.match(r"`pirate` is loaded: \d{3} MB, 100% CPU, 4,096 tokens of context\.", said["into-memory"][0])
    assert said["ahoy"][0].count(" ") > 10
    pairs = [re.split(r"  +", line) for line in said["embed"][0].splitlines()]
    assert {word for text in pairs[0][1:] for word in text.split()} >= {"cat", "kitten"}
    numbers = [float(pair[0]) for pair in pairs]
    assert 1 > numbers[0] > numbers[1] + 0.05 >= numbers[2] > 0


def test_the_example_is_saved_as_html_and_text() -> None:
    """Every answer that is shown stands in the file as HTML and as plain text, and nothing else."""
    saved = examples.saved(NAME)
    shown = [
        output.data
        for cell in saved.cells
        for output in cell.get("outputs", [])
        if output.output_type == "display_data"
    ]
    assert len(shown) > 10
    assert all(set(data) == {"text/html", "text/plain"} for data in shown)
    assert "widgets" not in saved.metadata
