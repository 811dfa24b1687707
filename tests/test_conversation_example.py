"""The example of a conversation does what it shows, and its saved answers are those of the demo server."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

from tests import examples
from tests.answers import chats, sent

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

    from tests.double import ScriptedServer

NAME = "conversation.ipynb"


def test_the_example_runs_and_reads_as_saved(
    demo_server: Callable[..., ScriptedServer], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Run anew, the example gives the very answers that are saved in it, each with its HTML and no widget."""
    server = demo_server()  # at its usual pace, for the figures in the history
    again = examples.executed(NAME, server, monkeypatch, tmp_path)
    examples.save(again, NAME)
    saved = examples.saved(NAME)
    assert len(examples.answers(saved)) == 3
    assert examples.answers(again) == examples.answers(saved)
    assert "widgets" not in saved.metadata
    assert examples.errors(again) == []
    assert [text for role, text in sent(chats(server)[1]) if role == "user"] == ["My name is Ada.", "What is my name?"]
    assert [text for role, text in sent(chats(server)[-1]) if role == "user"] == ["What is my name?"]


def test_the_examples_are_one_story() -> None:
    """Each example says in its first cell what answers without Ollama, and when it did, and leads to its neighbours."""
    story = ("quickstart.ipynb", "conversation.ipynb", "data.ipynb", "tools.ipynb", "models.ipynb", "panel.ipynb")
    names = sorted(path.name for path in (examples.ROOT / "examples").glob("*.ipynb"))
    assert names == sorted(story)
    for name in names:
        first = examples.saved(name).cells[0].source
        assert "Who answers?" in first, name
        assert "scripted" in first, name
        assert re.search(r"saved here are .*of 20\d\d-\d\d-\d\d", first), name
    for earlier, later in pairwise(story):
        assert f"({later})" in examples.saved(earlier).cells[-1].source, earlier
        assert f"({earlier})" in examples.saved(later).cells[0].source, later
