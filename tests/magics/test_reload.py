"""`%reload_ext` in a shell that no notebook is known of: nothing is on the disk, and nothing is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.answers import chats, sent
from tests.shells import loaded_shell, run

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.double import ScriptedServer


@pytest.mark.parametrize("cell", ["%reload_ext ollama_magic", "%unload_ext ollama_magic\n%load_ext ollama_magic"])
def test_turns_outlive_a_reload(
    demo_server: Callable[..., ScriptedServer], monkeypatch: pytest.MonkeyPatch, cell: str
) -> None:
    """After `%reload_ext` the turns from before are sent as they were, and can be undone; a line says so."""
    server = demo_server(pace=0)
    monkeypatch.setenv("OLLAMA_HOST", server.url)
    with loaded_shell() as shell:
        for prompt in ("one", "two"):
            run(shell, f"%chat {prompt}")
        shown, error = run(shell, cell)
        assert error is None
        assert "2 turns with demo:latest" in shown
        run(shell, "%chat three")
        assert [text for role, text in sent(chats(server)[-1]) if role == "user"] == ["one", "two", "three"]
        run(shell, "%ollama undo\n%ollama undo")
        run(shell, "%chat four")
        assert [text for role, text in sent(chats(server)[-1]) if role == "user"] == ["one", "four"]


def test_another_shell_begins_empty(
    demo_server: Callable[..., ScriptedServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What one shell left behind is not another's."""
    server = demo_server(pace=0)
    monkeypatch.setenv("OLLAMA_HOST", server.url)
    with loaded_shell() as shell:
        run(shell, "%chat one")
    with loaded_shell() as shell:
        run(shell, "%chat two")
    assert [text for role, text in sent(chats(server)[-1]) if role == "user"] == ["two"]
