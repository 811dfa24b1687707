"""The demo server: a real socket on loopback, a thread for each connection, and a record of what was asked."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import weakref
from collections import deque
from typing import TYPE_CHECKING

from ollama_magic.demo.recordings.replay import read_replay
from tests.double.library.library import Library
from tests.double.library.scripted_models import DEMO, PULLABLE, DemoModel
from tests.double.routes import dispatch
from tests.double.scripted_state import Answers, ScriptedState
from tests.double.slots import Slots
from tests.double.wire.http import BadRequest, ClientLeft, Connection, Exchange, RecordedRequest

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from types import TracebackType

    from tests.double.faults import Fault

_LOOPBACK = "127.0.0.1"
_PULL = 6.0  # seconds that a pull takes at the usual pace
_alive: weakref.WeakSet[ScriptedServer] = weakref.WeakSet()


class ScriptedServer:
    """Speaks Ollama's protocol with scripted replies; dies with its process.

    `pace` is in tokens/s: None is a small model's pace, 0 as fast as possible. `answers` gives the text instead of
    the scripts: it gets the request's body and returns pieces (`str` or `Delta`); a list is sent in large writes, an
    iterator piece by piece. `faults` are used up in order, each by the first request for its path; more may be
    appended to `server.faults`. `load_seconds` is how long a model takes to load, `pull_seconds` how long one of the
    `pullable` models takes to come (None: 6, or nothing at a pace of 0). `version` takes away what came later.
    `late_calls`: calls of tools come together in the line that says done, as from llama-server, not in lines of
    their own. `replay` is a file whose answers are given to its prompts; NoReplay, a ValueError, if it cannot be.
    Of one model `parallel` answers are made at a time and `queue` requests may wait; None is no limit.
    `segment` bytes are sent at a time, so that lines come in parts; `any_host` lets every Host and Origin in.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        pace: float | None = None,
        faults: Iterable[Fault] = (),
        models: Iterable[DemoModel] = (DEMO,),
        answers: Answers | None = None,
        load_seconds: float = 0.0,
        version: str = "0.32.15",
        pullable: Iterable[DemoModel] = PULLABLE,
        pull_seconds: float | None = None,
        late_calls: bool = False,
        replay: str | Path | None = None,
        parallel: int | None = None,
        queue: int | None = None,
        segment: int = 0,
        any_host: bool = False,
    ) -> None:
        self.requests: list[RecordedRequest] = []
        self.faults: deque[Fault] = deque(faults)
        self.state = ScriptedState(Library(models), version, pace, load_seconds, answers, self.faults, tuple(pullable))
        self.state.pull_seconds = (0.0 if pace == 0 else _PULL) if pull_seconds is None else pull_seconds
        self.state.replay = read_replay(replay) if replay is not None else None
        self.state.slots = Slots(parallel, queue)
        self.state.late_calls, self.state.any_host = late_calls, any_host
        self._port, self._segment = port, segment
        self._listener: socket.socket | None = None
        self._connections: set[Connection] = set()
        self._changed = threading.Condition()

    @property
    def url(self) -> str:
        """Where it answers; known once it has been started."""
        if self._listener is None:
            raise RuntimeError("the demo server has not been started")
        return f"http://{_LOOPBACK}:{self._listener.getsockname()[1]}"

    @property
    def running(self) -> bool:
        """Whether it listens."""
        return self._listener is not None

    @property
    def pullable(self) -> tuple[str, ...]:
        """The names of the invented models that can be pulled."""
        return tuple(model.name for model in self.state.pullable)

    def start(self) -> ScriptedServer:
        """Listen; OSError if the port is taken."""
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            if os.name != "nt":
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((_LOOPBACK, self._port))
            listener.listen(128)
        except OSError:
            listener.close()
            raise
        self._listener = listener
        _alive.add(self)
        self._accepting = threading.Thread(target=self._accept, args=(listener,), name="ollama-magic demo", daemon=True)
        self._accepting.start()
        return self

    def stop(self) -> None:
        """Stop listening and close every connection; may be called twice."""
        listener, self._listener = self._listener, None
        if listener is None:
            return
        address = listener.getsockname()
        with contextlib.suppress(OSError):
            socket.create_connection(address, 1).close()  # wakes the accepting thread on every platform
        self._accepting.join(2)
        listener.close()
        with self._changed:
            for connection in self._connections:
                connection.close()

    def __enter__(self) -> ScriptedServer:  # noqa: PYI034 — Self needs Python 3.11
        return self.start() if self._listener is None else self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def wait_for_requests(self, count: int = 1, path: str = "/api/chat", seconds: float = 5.0) -> list[RecordedRequest]:
        """The requests for a path, as soon as there are so many; TimeoutError if there never are."""

        def found() -> list[RecordedRequest]:
            return [request for request in self.requests if request.path == path]

        with self._changed:
            if not self._changed.wait_for(lambda: len(found()) >= count, seconds):
                raise TimeoutError(f"{len(found())} of {count} requests for {path} in {seconds} s")
            return found()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            if self._listener is not listener:
                sock.close()
                return
            threading.Thread(target=self._serve, args=(Connection(sock, self._segment),), daemon=True).start()

    def _serve(self, connection: Connection) -> None:
        with self._changed:
            self._connections.add(connection)
        try:
            while self._serve_one(connection):
                pass
        except (ClientLeft, ConnectionError):
            pass
        finally:
            connection.close()
            with self._changed:
                self._connections.discard(connection)
            connection.release()

    def _serve_one(self, connection: Connection) -> bool:
        """One request and its reply; True if the connection stays open for the next."""
        try:
            request = connection.read_request()
        except BadRequest as bad:
            head = f"HTTP/1.1 {bad}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n{bad}"
            connection.send(head.encode())
            return False
        if request is None or self._listener is None:
            return False
        with self._changed:
            self.requests.append(request)
            self._changed.notify_all()
        exchange = Exchange(connection, request)
        try:
            dispatch(self.state, exchange)
        except ClientLeft:
            request.closed_early = self._listener is not None
            return False
        finally:
            request.ended.set()
        return exchange.keeps_open

    def _forget(self) -> None:
        """In a forked child: the parent's sockets are not ours."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        for connection in self._connections:
            connection.release()


def _after_fork() -> None:
    for server in list(_alive):
        server._forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
