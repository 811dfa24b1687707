"""A shell with the extension loaded; what answers it is the `server` that a file of tests makes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.shells import loaded_shell

if TYPE_CHECKING:
    from collections.abc import Iterator

    from IPython.core.interactiveshell import InteractiveShell

    from ollama_magic.demo.demo_server import DemoServer
    from tests.double import ScriptedServer


@pytest.fixture
def shell(server: DemoServer | ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[InteractiveShell]:
    """The shell; it ends with the test."""
    monkeypatch.setenv("OLLAMA_HOST", server.url)
    with loaded_shell() as shell:
        yield shell
