"""Answers as models write them: the cases of ten kinds, settled and growing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .growing import Screen, rendered, streamed
from .strict import Strict

CASES = [json.loads(line) for line in Path(__file__).with_name("answers.jsonl").read_text("utf-8").splitlines()]
COMPOSITE = Path(__file__).with_name("composite.md").read_text("utf-8")


def growing(text: str) -> str:
    """What stands on the screen while the answer goes on behind this text."""
    screen = Screen()
    screen.feed(text)
    return "".join(block.html for block in (*screen.blocks, screen.tail))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_an_answer_reads_as_it_was_meant(case: dict) -> None:
    """Each case shows what it must, and nothing that it must not."""
    html = growing(case["text"]) if case.get("mode") == "live-prefix" else rendered(case["text"])
    assert [part for part in case["must_contain"] if part not in html] == []
    assert [part for part in case["must_not_contain"] if part in html] == []
    assert Strict(html).wrong == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
@pytest.mark.parametrize("step", [1, 3])
def test_an_answer_ends_as_one_render(case: dict, step: int) -> None:
    """Letter by letter, or in pieces, each case ends exactly as one render; on the way it is strict."""
    text = case["text"]
    assert streamed(text, step) == rendered(text)
    assert [cut for cut in range(0, len(text), 2) if Strict(growing(text[:cut])).wrong] == []


def test_a_page_of_all_kinds_ends_as_one_render() -> None:
    """A long answer with every kind ends as one render, whatever the pieces."""
    once = rendered(COMPOSITE)
    assert Strict(once).wrong == []
    for step in (1, 7, 40):
        assert streamed(COMPOSITE, step) == once
