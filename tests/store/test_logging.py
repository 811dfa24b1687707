"""What the store says in the log: what happened to which file, and no text."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from ollama_magic.store.store import Store, this_process

from .rows import WAIT_S, row, rows, until

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_what_happens_to_a_file_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Opening, claiming and renaming are logged with the paths, and nothing of what is stored."""
    caplog.set_level(logging.DEBUG, "ollama_magic.store")
    store = Store(tmp_path / "store.sqlite")
    assert store.claim("n", this_process(), WAIT_S)
    store.append("n", rows("n", 3)).result(WAIT_S)
    store._found_damaged(store.path)
    store.append("n", [row("n", 4)]).result(WAIT_S)
    store.close()
    lines = [record.getMessage() for record in caplog.records if record.name == "ollama_magic.store"]
    for words in (f"opened {store.path}", "notebook n is claimed", f"renamed to {tmp_path / 'store.damaged-1.sqlite'}"):
        assert any(words in line for line in lines), words
    assert not any(each.body[:20] in line for each in rows("n", 4) for line in lines)


def test_trouble_is_logged_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store that cannot be written is logged once, however often it is tried."""
    monkeypatch.setattr("ollama_magic.store.writer.RETRY_S", 0.001)
    (tmp_path / "data").write_text("a file")
    store = Store(tmp_path / "data" / "store.sqlite")
    for counter in range(1, 6):
        store.append("n", [row("n", counter)])
        until(lambda: store.problem)
    store.close()
    assert len([record for record in caplog.records if "is not written" in record.getMessage()]) == 1
