"""The names of a server's models for Tab, fetched in the background with a short wait."""

from __future__ import annotations

import importlib
import sys
import time
from concurrent.futures import CancelledError, Future, TimeoutError as NotYet
from contextlib import suppress
from typing import TYPE_CHECKING

from ollama_magic.errors import OllamaMagicError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ollama_magic.conversation.session import Session
    from ollama_magic.ollama.protocol import ModelSummary

WAIT_S = 0.09  # of the 100 ms that Tab may take, including the first imports
FRESH_S = 10.0
CLIENT = "ollama_magic.ollama.client"


class ModelNames:
    """The models of a session's servers, as last known."""

    def __init__(self, session: Session, clock: Callable[[], float] = time.monotonic) -> None:
        self._session, self._clock = session, clock
        self._known: dict[str, list[ModelSummary]] = {}
        self._asked: dict[str, tuple[Future[list[ModelSummary]], float]] = {}
        self._importing: Future[None] | None = None
        self._end: float | None = None

    def begin(self, at: float | None = None) -> None:
        """Start the time limit of a Tab that was pressed at this time, by default now."""
        self._end = (self._clock() if at is None else at) + WAIT_S

    @property
    def _left(self) -> float:
        return max(0.0, (self._end or 0.0) - self._clock())

    def warm(self) -> Future[None] | None:
        """Import the client in the background; return None once it is imported."""
        if CLIENT in sys.modules and (self._importing is None or self._importing.done()):
            return None
        if self._importing is None:
            self._importing = self._session.loop_thread.start(_import_client())
        return self._importing

    def get(self, host: str | None = None) -> list[ModelSummary]:
        """Return the known models, newest first; none if the server does not answer."""
        if self._end is None:
            self.begin()
        try:
            importing = self.warm()
            if importing is not None:
                importing.result(self._left)
            return self._answer(host, self._left)
        except (OllamaMagicError, NotYet, CancelledError, OSError):
            return []

    def _answer(self, host: str | None, seconds: float) -> list[ModelSummary]:
        server = self._session.server(host)
        place = server.client.address.url
        future, since = self._asked.get(place, (None, 0.0))
        waited = future is not None and not future.done()  # an earlier Tab has waited for it
        if future is None or (future.done() and self._clock() - since > FRESH_S) or _failed(future):
            future = self._session.loop_thread.start(server.client.tags())
            self._asked[place] = future, self._clock()
        with suppress(NotYet, CancelledError, OllamaMagicError):
            self._known[place] = future.result(0 if waited else seconds)
        return self._known.get(place, [])


def _failed(future: Future[list[ModelSummary]]) -> bool:
    return future.done() and (future.cancelled() or future.exception() is not None)


async def _import_client() -> None:
    import asyncio

    await asyncio.to_thread(importlib.import_module, CLIENT)
