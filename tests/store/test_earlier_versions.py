"""Stores that earlier versions wrote: every turn in them is found, and goes on being found after new ones.

`fixtures/v1` was written by version 1 of the schema; `turns.json` lists what its notebooks showed: prompt, text, state,
cell, model and system of each turn.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from ollama_magic.conversation.persistence import NotebookContext, Persistence
from ollama_magic.conversation.session import Session
from ollama_magic.conversation.settings import Settings
from ollama_magic.store.store import Store
from tests.notebook.samples import read_cell

V1 = Path(__file__).parent / "fixtures" / "v1"
TURNS = json.loads((V1 / "turns.json").read_text(encoding="utf8"))
NOTEBOOKS = [(name, notebook) for name, notebooks in TURNS.items() for notebook in notebooks]


def copied(name: str, folder: Path) -> Path:
    """A copy of a store, with what lies beside it."""
    for path in V1.glob(f"{name}*.sqlite*"):
        shutil.copyfile(path, folder / path.name)
    return folder / f"{name}.sqlite"


def shown(store: Path, notebook: dict[str, Any]) -> dict[str, list[list[object]]]:
    """What a kernel of this notebook finds."""
    session = Session(Settings)
    session.persist(
        Persistence(Store(store), NotebookContext(notebook["path"], {}, {}, read_cell)), notebook["cell"], 1e6
    )
    turns = {name: session.conversation(name).turns for name in notebook["conversations"]}
    session.close()
    return {
        name: [[turn.prompt, turn.text, turn.state, turn.cell, turn.model, turn.settings.system] for turn in found]
        for name, found in turns.items()
    }


@pytest.mark.parametrize(("name", "notebook"), NOTEBOOKS)
def test_turns_of_version_1(tmp_path: Path, name: str, notebook: dict[str, Any]) -> None:
    """Each notebook of a store of version 1 has the turns that it had; what ran when its kernel died is cut."""
    store, expected = copied(name, tmp_path), notebook["conversations"]
    for _ in range(2):
        assert shown(store, notebook) == expected


def test_a_kernels_own_store_of_version_1(tmp_path: Path) -> None:
    """A file that one kernel of version 1 wrote alone, where the folder had no locks, is read too."""
    path = copied("rollback", tmp_path).rename(tmp_path / "store@host-57-1234.sqlite")
    assert shown(tmp_path / "store.sqlite", TURNS["rollback"][0]) == TURNS["rollback"][0]["conversations"]
    assert path.exists()


def test_a_store_that_took_a_damaged_ones_place(tmp_path: Path) -> None:
    """Where version 1 wrote a second file instead of a damaged one, the second is read, and goes on being written."""
    store = copied("replaced", tmp_path)
    damaged = store.read_bytes()
    whole = TURNS["closed"][1]
    assert shown(store, whole) == shown(store, whole) == whole["conversations"]
    cut = TURNS["closed"][0]
    assert shown(store, cut)["main"] == cut["conversations"]["main"][:3]
    assert store.read_bytes() == damaged
