"""A demo server that the environment names, and functions that begin and end without a session."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ollama_magic.functions import sessions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.double import ScriptedServer


@pytest.fixture(autouse=True)
def no_session() -> Iterator[None]:
    """The functions' own session ends with the test."""
    sessions._own_session.cache_clear()
    yield
    if sessions._own_session.cache_info().currsize:
        sessions._own_session().close()
        sessions._own_session.cache_clear()


@pytest.fixture
def start(demo_server: Callable[..., ScriptedServer], monkeypatch: pytest.MonkeyPatch) -> Callable[..., ScriptedServer]:
    """Start a demo server that OLLAMA_HOST names; as fast as possible, if nothing else is said."""

    def started(**options: object) -> ScriptedServer:
        server = demo_server(**{"pace": 0, **options})
        monkeypatch.setenv("OLLAMA_HOST", server.url)
        return server

    return started
