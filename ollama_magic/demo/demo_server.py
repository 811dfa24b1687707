"""The demo server: a real socket on loopback, and a thread for each connection."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from ollama_magic.demo.engine.local_models import LocalModels, who_answers
from ollama_magic.demo.models.installed_models import InstalledModels
from ollama_magic.demo.models.model_card import DEMO, PULLABLE, DemoModel
from ollama_magic.demo.recordings.recorded_model import Fallback, RecordedModel
from ollama_magic.demo.recordings.replay import read_replay
from ollama_magic.demo.routing import dispatch
from ollama_magic.demo.server_state import ServerState
from ollama_magic.demo.transport.http_server import LOOPBACK, LoopbackServer

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path
    from types import TracebackType

    from ollama_magic.demo.language_model import LanguageModel
    from ollama_magic.demo.transport.exchange import Exchange

_log = logging.getLogger("ollama_magic.demo")
_VERSION = "0.32.15"  # of the Ollama whose protocol this is
_PULL = 6.0  # seconds that a pull takes at the usual pace


class DemoServer:
    """Speaks Ollama's protocol on a loopback port; dies with its process.

    Args:
        port: The port; 0 is a free one.
        pace: Tokens/s of recorded answers and texts; 0 is as fast as possible, None the pace of the recording.
        replay: A file whose answers come first; NoReplay, a ValueError, if it cannot be replayed.
        models: The models that it begins with.
        language_models: What answers for a model, by its name; `demo` hands over to the first of them.
        pullable: Models that can be pulled.
        pull_seconds: How long such a pull takes; None is 6, or nothing at a pace of 0.
        local: The real models of this machine; None for none.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        pace: float | None = None,
        replay: str | Path | None = None,
        models: Iterable[DemoModel] = (DEMO,),
        language_models: Mapping[str, LanguageModel] | None = None,
        pullable: Iterable[DemoModel] = PULLABLE,
        pull_seconds: float | None = None,
        local: LocalModels | None = None,
    ) -> None:
        local = local or LocalModels()
        known = {**(language_models or {}), **local.language_models}
        listed = [*models, *local.cards]
        read = read_replay(replay) if replay is not None else None
        cards = (card for card in listed if card.name in known)
        recorded = RecordedModel(pace, read, next((Fallback.of(card, known[card.name]) for card in cards), None))
        seconds = (0.0 if pace == 0 else _PULL) if pull_seconds is None else pull_seconds
        installed = InstalledModels(listed)
        self.state = ServerState(installed, known, recorded, tuple(pullable), seconds, _VERSION, local.sources)
        self._port, self._missing = port, local.missing
        self._server: LoopbackServer | None = None

    @property
    def url(self) -> str:
        """Where it answers; known once it has been started."""
        if self._server is None:
            raise RuntimeError("the demo server has not been started")
        return f"http://{LOOPBACK}:{self._server.server_address[1]}"

    @property
    def described(self) -> str:
        """Who answers, for one line."""
        return who_answers(self.state.language_models, self._missing)

    @property
    def running(self) -> bool:
        """Whether it listens."""
        return self._server is not None

    def start(self) -> DemoServer:
        """Listen; OSError if the port is taken."""
        self._server = LoopbackServer(self._port, self._respond)
        return self

    def stop(self) -> None:
        """Stop listening, close every connection, unload every model; may be called twice."""
        server, self._server = self._server, None
        if server:
            server.stop()
            self.state.loaded.unload_all()

    def __enter__(self) -> DemoServer:  # noqa: PYI034 — Self needs Python 3.11
        return self.start() if self._server is None else self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _respond(self, exchange: Exchange) -> None:
        """Reply to one request; a fault of our own is logged, and the client gets a 500."""
        try:
            dispatch(self.state, exchange)
        except ConnectionError:
            raise
        except Exception:  # noqa: BLE001 — whatever it is, the client gets a reply and the log its traceback
            _log.exception("%s %s failed", exchange.method, exchange.path)
            exchange.keeps_open = False
            if not exchange.status:
                exchange.error("internal server error", 500)
        finally:
            seconds = (time.monotonic_ns() - exchange.arrived) / 1e9
            _log.debug("%s %s %s %.3f s", exchange.method, exchange.path, exchange.status or "-", seconds)
