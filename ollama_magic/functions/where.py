"""Whom the functions ask: the loaded extension's session, else one of their own that the environment sets up."""

from __future__ import annotations

import atexit
import os
import sys
from contextlib import asynccontextmanager
from functools import cache
from threading import RLock
from typing import TYPE_CHECKING

from ollama_magic.conversation.server import Server
from ollama_magic.conversation.session import Session, Settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ollama_magic.line.loaded import LoadedMagics

_lock = RLock()


def loaded_magics() -> LoadedMagics | None:
    """The magics of this kernel; a script that never loaded them does not import IPython for this."""
    loaded = sys.modules.get("ollama_magic.line.loaded")
    found: LoadedMagics | None = loaded.loaded_magics() if loaded is not None else None
    return found


def session() -> Session:
    """The session whose server, keys and limits count now, and on whose loop a blocking call waits."""
    magics = loaded_magics()
    if magics is not None:
        return magics.session
    with _lock:
        return _own_session()


@asynccontextmanager
async def server_of_this_loop(host: str | None) -> AsyncIterator[Server]:
    """A server whose connections belong to the running loop, and are gone with the block."""
    from ollama_magic.ollama.client import Limits, OllamaClient

    ours = session()
    settings, address = ours.settings(), ours.server(host).client.address
    client = OllamaClient(address, ours.secrets(), Limits(**settings.limits), settings.ca_file or None)
    try:
        yield Server(client)
    finally:
        await client.aclose()


@cache
def _own_session() -> Session:
    own = Session(lambda: Settings(environ=dict(os.environ)))
    atexit.register(own.close)
    return own


def _after_fork() -> None:
    """In a child the loop's thread is not there."""
    global _lock  # noqa: PLW0603 - a lock that another thread held would never be free
    _lock = RLock()
    _own_session.cache_clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
