"""A scripted server that the environment names, whose answers depend on the prompt; and a file for saved answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.functions.conftest import no_session, start

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.mapping.quick_server import QuickServer

__all__ = ["cache", "no_session", "quick", "start"]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., QuickServer]]:
    """Start small servers for many rows; the environment names the first."""
    from tests.mapping.quick_server import QuickServer

    servers: list[QuickServer] = []

    def started(*arguments: object, **options: object) -> QuickServer:
        servers.append(QuickServer(*arguments, **options).start())
        if len(servers) == 1:
            monkeypatch.setenv("OLLAMA_HOST", servers[0].url)
        return servers[-1]

    yield started
    for server in servers:
        server.stop()


@pytest.fixture
def cache(tmp_path: Path) -> str:
    """Where answers are saved."""
    return str(tmp_path / "answers.sqlite")
