"""A kernel whose folder was deleted or replaced while it ran, as by a checkout of another branch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import ollama_magic
from ollama_magic.errors import InputError
from tests.double import ScriptedServer
from tests.shells import run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif("sys.platform == 'win32'", reason="Windows does not delete a folder that is in use")


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer(pace=0) as running:
        yield running


@pytest.fixture(autouse=True)
def folder_gone(shell: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel's folder is gone."""
    assert run(shell, "%chat Hi")[1] is None
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()


def test_a_file_elsewhere_is_saved(shell: Any, tmp_path: Path) -> None:
    """A conversation is saved in another folder, and opened from there."""
    shown, error = run(shell, f"%ollama save {tmp_path / 'chat.json'}")
    assert (error, str(tmp_path / "chat.json") in shown) == (None, True)
    assert run(shell, f"%ollama open {tmp_path / 'chat.json'}")[1] is None


@pytest.mark.parametrize("cell", ["%ollama save chat.json", "%ollama open chat.json"])
def test_a_name_without_a_folder_is_refused(shell: Any, cell: str) -> None:
    """A name without a folder leads nowhere, and the line says why."""
    assert str(run(shell, cell)[1]).startswith("The kernel's folder is gone; change it with `%cd`")


def test_a_store_without_a_folder(shell: Any, tmp_path: Path) -> None:
    """A store whose path begins in that folder leaves the conversation in memory; answers of a map need another."""
    run(shell, f"%config OllamaMagic.notebook = {str(tmp_path / 'n.ipynb')!r}")
    run(shell, "%config OllamaMagic.store = 'store.sqlite'")
    shown, error = run(shell, "%reload_ext ollama_magic")
    assert (error, "The kernel's folder is gone" in shown) == (None, True)
    assert run(shell, "%chat Hi")[1] is None
    with pytest.raises(InputError, match="The kernel's folder is gone"):
        ollama_magic.map("Say {{text}}", ["a"], cache="answers.sqlite")
