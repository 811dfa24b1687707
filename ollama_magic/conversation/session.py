"""The session: the one owner of a kernel's conversations, servers and running turns."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import Future, TimeoutError as NotYet
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from ollama_magic.conversation.conversation import Conversation
from ollama_magic.conversation.journal import Journal
from ollama_magic.conversation.reply import COMPLETE, RUNNING, STOPPED, Reply
from ollama_magic.conversation.server import Server
from ollama_magic.conversation.turn import Plan, RunningTurn, View, run_turn
from ollama_magic.errors import TurnStopped
from ollama_magic.loop_thread import LoopThread, interrupts_held, wait_for
from ollama_magic.ollama.address import Address, parse_address
from ollama_magic.ollama.secrets import Secrets

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Coroutine, Mapping

T = TypeVar("T")

MAIN = "main"
FINISH_S = 0.8  # how long ■ waits for a stopped turn to settle: the prompt is promised within 1 s (design §7.2)
CLOSE_S = 2.0  # how long the kernel's end waits for the turns that it stops
AGAIN_S = 0.2  # until a stop that was not heard is said again


@dataclass(frozen=True)
class Settings:
    """What traits and environment say, as plain values; `limits` are fields of `Limits`, in seconds and bytes."""

    host: str = ""
    ca_file: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    limits: Mapping[str, Any] = field(default_factory=dict)
    environ: Mapping[str, str] = field(default_factory=dict)
    model: str = ""
    system: str = ""
    options: Mapping[str, object] = field(default_factory=dict)


class Stoppable(Protocol):
    """Something that the session ends when it ends itself."""

    def stop(self) -> None:
        """End it."""


class TurnHandle:
    """A turn on its way, as the main thread and the Stop button hold it."""

    def __init__(self, reply: Reply, loop_thread: LoopThread) -> None:
        self.reply = reply
        self._loop_thread = loop_thread
        self._stopping = False
        self._task: asyncio.Task[Any] | None = None
        self._future: Future[Reply] | None = None

    def run(self, coroutine: Coroutine[Any, Any, Reply]) -> None:
        """Start the turn; a stop cancels its task and never the future, which would not let it finish (style.md §3)."""
        self._future = self._loop_thread.start(self._known(coroutine))

    def stop(self) -> None:
        """Stop the turn, from any thread; the text so far is kept. A second call changes nothing."""
        if not self._stopping:
            self._stopping = True
            self._loop_thread.call_soon(self._cancel)

    def wait(self) -> Reply:
        """Wait for a complete reply; raise TurnStopped, or the one line that says why there is none.

        After ■ that is TurnStopped even if the answer was complete by then, so that queued cells are aborted.
        """
        try:
            wait_for(self._running())
        except KeyboardInterrupt:
            self.stop()
            with suppress(KeyboardInterrupt):
                self.settle()
        else:
            if self.reply.state == COMPLETE:
                return self.reply
        raise self.reply.error or self._stopped()

    def settle(self, seconds: float = FINISH_S) -> None:
        """Wait until the turn is remembered and shown; a second ■ gives up waiting, not the turn."""
        with suppress(NotYet):
            self._running().result(timeout=seconds)

    def _stopped(self) -> TurnStopped:
        if self.reply.state == COMPLETE:
            return TurnStopped("Stopped; the answer was complete by then.")
        kept = "the text so far is kept" if self.reply.text_parts else "no text had come, so nothing is remembered"
        return TurnStopped(f"Stopped; {kept}.")

    def _running(self) -> Future[Reply]:
        assert self._future is not None, "a handle waits only for a turn that runs"
        return self._future

    async def _known(self, coroutine: Coroutine[Any, Any, Reply]) -> Reply:
        self._task = asyncio.current_task()
        if self._stopping:
            self._cancel()
        return await coroutine

    def _cancel(self) -> None:
        """Cancel until it is heard: before Python 3.12 `wait_for` loses a cancellation that comes with its result."""
        if self._task is not None and not self._task.done() and self.reply.state == RUNNING:
            self._task.cancel()
            self._task.get_loop().call_later(AGAIN_S, self._cancel)


class Session:
    """Everything that lives as long as the extension is loaded."""

    def __init__(self, settings: Callable[[], Settings]) -> None:
        self.settings = settings
        self.host = ""  # told by `%ollama host`; belongs to the session
        self.kept: dict[str, Stoppable] = {}  # what ends with the session, such as a server that it started
        self.last: Reply | None = None
        self.current = MAIN
        self.loop_thread = LoopThread()
        self._journal = Journal()
        self._conversations: dict[str, Conversation] = {}
        self._servers: dict[tuple[object, ...], Server] = {}
        self._turns: set[TurnHandle] = set()

    def conversation(self, name: str | None = None) -> Conversation:
        """Return a conversation, the current one by default; it is made at first mention."""
        name = name or self.current
        if name not in self._conversations:
            self._conversations[name] = Conversation(name, self._journal)
        return self._conversations[name]

    def address(self) -> Address:
        """Where this session's server is: told, then the setting, then OLLAMA_HOST. Raises InputError."""
        settings = self.settings()
        return parse_address(self.host or settings.host or settings.environ.get("OLLAMA_HOST"))

    def secrets(self) -> Secrets:
        """The keys, as the environment holds them now; they belong to the session's own origin (design §2)."""
        settings = self.settings()
        return Secrets.from_environment(self.address(), settings.environ, settings.headers)

    def server(self, host: str | None = None) -> Server:
        """Return the server at a host, the session's own by default."""
        from ollama_magic.ollama.client import Limits, OllamaClient

        settings, secrets = self.settings(), self.secrets()
        address = parse_address(host) if host else self.address()
        key = (address, settings.ca_file, tuple(settings.limits.items()), tuple(secrets.headers_for(address).items()))
        if key not in self._servers:
            limits = Limits(**settings.limits)
            self._servers[key] = Server(OllamaClient(address, secrets, limits, settings.ca_file or None))
        return self._servers[key]

    def call(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run something short on the loop and wait for it; ■ cancels it."""
        return self.loop_thread.run(coroutine)

    def start_turn(self, plan: Plan, view: View, host: str | None = None, before: tuple[str, ...] = ()) -> TurnHandle:
        """Open the view in this cell, start the turn on the loop, and return at once; ■ is heard behind all that."""
        conversation, server = self.conversation(), self.server(host)
        reply = Reply(model=plan.model or "", conversation=None if plan.once else conversation.name, before=before)
        handle = TurnHandle(reply, self.loop_thread)
        with interrupts_held():
            view.begin(reply, handle.stop)
            self.last = reply
            self._turns.add(handle)
            handle.run(self._owned(handle, RunningTurn(plan, conversation, server, view, reply)))
        return handle

    def running(self) -> list[TurnHandle]:
        """The turns on their way."""
        return list(self._turns)

    def stop_all(self) -> int:
        """Stop every running turn and wait until each has settled; return how many there were."""
        return self.stop(self.running())

    def stop(self, handles: Collection[TurnHandle], seconds: float = FINISH_S) -> int:
        """Stop these turns and wait so many seconds for all of them; return how many were stopped."""
        for handle in handles:
            handle.stop()
        end = time.monotonic() + seconds
        for handle in handles:
            handle.settle(max(0.0, end - time.monotonic()))
        return sum(handle.reply.state == STOPPED for handle in handles)

    def close(self) -> None:
        """Stop what runs, hang up, and end the loop."""
        with suppress(KeyboardInterrupt):
            self.stop(self.running(), CLOSE_S)
        if self._servers:
            with suppress(NotYet):
                self.loop_thread.start(self._hang_up()).result(timeout=1)
        self._servers.clear()
        for thing in self.kept.values():
            thing.stop()
        self.kept.clear()
        self.loop_thread.close()

    async def _hang_up(self) -> None:
        await asyncio.gather(*(server.client.aclose() for server in self._servers.values()), return_exceptions=True)

    async def _owned(self, handle: TurnHandle, turn: RunningTurn) -> Reply:
        try:
            return await run_turn(turn)
        finally:
            self._turns.discard(handle)
