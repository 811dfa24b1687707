"""The session that the functions use: the loaded extension's, else one configured by the environment."""

from __future__ import annotations

import atexit
import os
import sys
from contextlib import asynccontextmanager
from functools import cache
from threading import RLock
from typing import TYPE_CHECKING

from ollama_magic.conversation.server import Server
from ollama_magic.conversation.session import Session
from ollama_magic.conversation.settings import Settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ollama_magic.line.loaded import LoadedMagics

_lock = RLock()


def loaded_magics() -> LoadedMagics | None:
    """Return the magics of this kernel, without importing IPython in a script that never loaded them."""
    loaded = sys.modules.get("ollama_magic.line.loaded")
    found: LoadedMagics | None = loaded.loaded_magics() if loaded is not None else None
    return found


def session() -> Session:
    """Return the session whose server, keys, limits and loop the functions use."""
    magics = loaded_magics()
    if magics is not None:
        return magics.session
    with _lock:
        return _own_session()


@asynccontextmanager
async def server_of_this_loop(host: str | None) -> AsyncIterator[Server]:
    """Yield a server whose connections belong to the running loop and are closed with the block."""
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
    """Start a new session in a child process, which does not have the loop's thread."""
    global _lock  # noqa: PLW0603 - a lock that another thread held would never be released
    _lock = RLock()
    _own_session.cache_clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
