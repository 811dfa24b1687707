"""The example of the panel does what it shows, and its saved answers are those of the demo server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests import examples
from tests.answers import chats, sent

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

    from tests.double import ScriptedServer

NAME = "panel.ipynb"


def test_the_example_runs_and_reads_as_saved(
    demo_server: Callable[..., ScriptedServer], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Run anew, the example gives the very answers and the transcript that are saved in it, and no widget."""
    server = demo_server(pace=0)
    again = examples.executed(NAME, server, monkeypatch, tmp_path)
    examples.save(again, NAME)
    saved = examples.saved(NAME)
    texts = [bundle["text/plain"] for bundle in examples.shown(again)]
    assert texts == [bundle["text/plain"] for bundle in examples.shown(saved)]
    assert texts[1].count("\n> ") == 2
    assert "What is my name?" in texts[1]
    assert all(set(bundle) == {"text/html", "text/plain"} for bundle in examples.shown(saved))
    assert "widgets" not in saved.metadata
    assert examples.errors(again) == []
    assert [text for role, text in sent(chats(server)[-1]) if role == "user"][-1] == "What is my name?"
    assert "Where there is none" in saved.cells[0].source
