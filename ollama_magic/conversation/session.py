"""The session: the one owner of a kernel's conversations, servers and running turns.

What only a turn needs is imported with the first one, because loading the extension waits for this module.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from concurrent.futures import CancelledError, TimeoutError as NotYet
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from ollama_magic.conversation.cell_run import CellRun, Origin
from ollama_magic.conversation.conversation import Conversation
from ollama_magic.conversation.journal import Journal
from ollama_magic.conversation.main_thread import MainThread
from ollama_magic.conversation.sent_requests import SentRequests
from ollama_magic.errors import AnswerCut
from ollama_magic.loop_thread import FINISH_S, LoopThread, interrupts_held
from ollama_magic.turns.turn_value import COMPLETE, MAIN, STOPPED

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Coroutine
    from concurrent.futures import Future

    from ollama_magic.conversation.changes import Entry
    from ollama_magic.conversation.handle import TurnHandle
    from ollama_magic.conversation.interfaces import View
    from ollama_magic.conversation.persistence import Persistence
    from ollama_magic.conversation.reply import Reply
    from ollama_magic.conversation.request import Plan
    from ollama_magic.conversation.running_turn import RunningTurn
    from ollama_magic.conversation.server import Server
    from ollama_magic.conversation.settings import Settings
    from ollama_magic.conversation.turn_group import Beside, TurnGroup
    from ollama_magic.ollama.address import Address, ConfiguredAddress
    from ollama_magic.ollama.secrets import Secrets
    from ollama_magic.turns.turn_value import Turn

T = TypeVar("T")

RUNS = 200  # most cell executions to remember, for threads that outlive them
GROUPS = 50  # groups whose outputs can still show another choice
CLOSE_S = 2.0  # how long a closing kernel waits for the turns that it stops


class Stoppable(Protocol):
    """A resource that the session stops when it closes."""

    def stop(self) -> None:
        """Stop it."""


class Session:
    """Owns everything that exists while the extension is loaded."""

    def __init__(self, settings: Callable[[], Settings]) -> None:
        self.settings = settings
        self.host = ""  # set by `%ollama host`; belongs to the session
        self.owned_resources: dict[str, Stoppable] = {}  # such as a server that it started
        self.last: Reply | None = None
        self.sent = SentRequests()
        self.groups: deque[TurnGroup] = deque(maxlen=GROUPS)
        self.current = MAIN
        self.loop_thread = LoopThread()
        self.main = MainThread()
        self.journal = Journal()
        self.persistence: Persistence | None = None
        self.on_settled: Callable[[], None] = lambda: None
        self.on_found: Callable[[], None] = lambda: None  # after loading, when a known cell runs
        self._problem = ""
        self._runs: dict[Origin, CellRun] = {}
        self._conversations: dict[str, Conversation] = {}
        self._servers: dict[tuple[object, ...], Server] = {}
        self._turns: set[TurnHandle] = set()
        self._asides: set[asyncio.Task[None]] = set()

    def conversation(self, name: str | None = None) -> Conversation:
        """Return a conversation, the current one by default; it is created on first use."""
        name = name or self.current
        found = self._conversations.get(name)
        # `setdefault`: of two threads that ask for a new one, both get the same, whose turns wait for each other.
        return found or self._conversations.setdefault(name, Conversation(name, self.journal))

    def configured_address(self) -> ConfiguredAddress:
        """The address from `%ollama host`, else the setting, else OLLAMA_HOST."""
        from ollama_magic.ollama.address import configured_address

        settings = self.settings()
        return configured_address(settings.environ, config=settings.host, session=self.host)

    def address(self) -> Address:
        """The address of this session's server; raises InputError."""
        return self.configured_address().parsed()

    def secrets(self) -> Secrets:
        """The keys from the current environment, for the session's own server only (design.md §2)."""
        from ollama_magic.ollama.secrets import Secrets

        settings = self.settings()
        return Secrets.from_environment(self.address(), settings.environ, settings.headers)

    def server(self, host: str | None = None) -> Server:
        """Return the server at a host, the session's own by default."""
        from ollama_magic.conversation.server import Server
        from ollama_magic.ollama.address import parse_address
        from ollama_magic.ollama.client import Limits, OllamaClient

        settings, secrets = self.settings(), self.secrets()
        unnamed = host is None or (isinstance(host, str) and not host)  # the truth of an array would raise
        address = self.address() if unnamed else parse_address(host)
        key = (address, settings.ca_file, tuple(settings.limits.items()), tuple(secrets.headers_for(address).items()))
        if key not in self._servers:
            limits = Limits(**settings.limits)
            self._servers[key] = Server(OllamaClient(address, secrets, limits, settings.ca_file or None))
        return self._servers[key]

    def call(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a short coroutine on the loop and wait for it; ■ cancels it."""
        try:
            return self.loop_thread.run(coroutine)
        except CancelledError:  # the loop was closed meanwhile
            raise AnswerCut("Stopped: ollama_magic was unloaded meanwhile; run this again.") from None

    def persist(self, persistence: Persistence, running_cell: str | None, aside_days: float) -> None:
        """Continue from the stored turns of this notebook, and store all that follow."""
        self.persistence = persistence
        found = persistence.find(running_cell)
        self.journal.write = persistence.save
        self._continue_from(found)
        late = time.time() - aside_days * 86400
        self.erase([turn for turn in self.journal.all_turns() if turn.aside and 0 < turn.aside_at < late])

    def stop_persisting(self) -> None:
        """Store no further turns; those that are stored stay."""
        persistence, self.persistence, self.journal.write = self.persistence, None, None
        if persistence is not None:
            persistence.close()

    def erase(self, turns: Collection[Turn]) -> Future[None] | None:
        """Erase turns from the journal and the store; None if there is nothing to wait for."""
        if not turns:
            return None
        with self.journal.transaction() as fold:
            numbers = {one.number for turn in turns for one in fold.group_of(turn)}
        self.sent.erase(numbers)
        counters = self.journal.erase(numbers)
        return self.persistence.erase(counters) if self.persistence else None

    def cell_runs(self, cell: str | None) -> None:
        """Note that a cell runs, which may identify the notebook."""
        if self.persistence is not None:
            found = self.persistence.ran(cell)
            if found and not self.journal.entries:
                self._continue_from(found)
                self.on_found()

    def cells_saved(self, since: float) -> frozenset[str]:
        """The cells in the notebook's file, if it was saved after `since`."""
        return self.persistence.cells_saved(since) if self.persistence is not None else frozenset()

    def _continue_from(self, entries: list[Entry]) -> None:
        """Adopt stored changes; a turn that was running is cut, because its kernel is gone."""
        self.journal.adopt(entries)
        self.journal.cut_running_turns()
        self.journal.notify()

    def run_of(self, origin: Origin) -> CellRun:
        """Return the run of an execution; a thread may continue in an older one."""
        run = self._runs.pop(origin, None) or CellRun(self.journal, origin)
        self._runs[origin] = run
        for old in list(self._runs)[:-RUNS]:
            del self._runs[old]
        return run

    def start_turn(
        self,
        plan: Plan,
        view: View,
        origin: Origin | None = None,
        *,
        conversation: str | None = None,
        host: str | None = None,
        before: tuple[str, ...] = (),
        run: CellRun | None = None,
        waited_for: bool = False,
        beside: Beside | None = None,
    ) -> TurnHandle:
        """Open the view in this cell, start the turn on the loop, and return at once; ■ is held back meanwhile.

        `waited_for` says that the calling thread will wait for it: it can be asked for a confirmation then. `beside`
        is its place among turns of other models to the same prompt.
        """
        from ollama_magic.conversation.handle import TurnHandle
        from ollama_magic.conversation.new_turn import new_turn
        from ollama_magic.conversation.turn import run_turn

        asked, server, run = self.conversation(conversation), self.server(host), run or self.run_of(origin or Origin())
        turn = new_turn(plan, asked, server, view, run, self.sent, self.main, self.mask, beside, waited_for=waited_for)
        turn.reply.status.before = (*before, *turn.reply.status.before, *self._new_problem())
        handle = TurnHandle(turn, self.loop_thread)
        self.stop_of_cell(run)
        with interrupts_held():
            if not plan.once:
                run.first_turn()
            view.begin(turn.reply, handle.stop)
            self._note(handle)
            handle.start(self._owned(handle, run_turn))
        self.journal.notify()
        return handle

    def _note(self, handle: TurnHandle) -> None:
        """Remember a turn that begins: as the newest one, and with its group."""
        group = handle.turn.group
        if group is not None and group not in self.groups:
            self.groups.append(group)
        self.last = group.replies[0] if group is not None else handle.turn.reply
        self._turns.add(handle)

    def mask(self, text: str) -> str:
        """Return the text with each key in it hidden."""
        return self.secrets().mask(text)

    def running(self) -> list[TurnHandle]:
        """The handles of the running turns."""
        return list(self._turns)

    def stop_all(self) -> int:
        """Stop every running turn and wait until each has settled; return how many there were."""
        return self.stop(self.running())

    def stop(self, handles: Collection[TurnHandle], seconds: float = FINISH_S) -> int:
        """Stop these turns and wait `seconds` in total for them; return how many were stopped."""
        for handle in handles:
            handle.stop()
        end = time.monotonic() + seconds
        for handle in handles:
            handle.settle(max(0.0, end - time.monotonic()))
        return sum(handle.reply.state == STOPPED for handle in handles)

    def close(self) -> None:
        """Stop the running turns, close the connections, and end the loop."""
        with suppress(KeyboardInterrupt):
            self.stop(self.running(), CLOSE_S)
        for name in list(self.owned_resources):  # a map that stops takes itself out
            if (resource := self.owned_resources.pop(name, None)) is not None:
                resource.stop()
        if self._servers:
            with suppress(NotYet):
                self.loop_thread.start(self._hang_up()).result(timeout=1)
        self._servers.clear()
        if self.persistence is not None:
            self.persistence.close()
        self.loop_thread.close()

    def _learn(self, turn: RunningTurn) -> None:
        """Look up the context window of a model that has answered, in the background, for the next turn."""
        from ollama_magic.conversation.server import Server

        server, request = turn.server, turn.reply.request
        if not isinstance(server, Server) or request is None or turn.reply.state != COMPLETE:
            return
        if not server.window_known(request):
            self._asides.add(task := asyncio.create_task(server.learn_window(request)))
            task.add_done_callback(self._asides.discard)
            task.add_done_callback(lambda _: self.journal.notify())

    def _new_problem(self) -> tuple[str, ...]:
        """Return news about another kernel and about the store, each once."""
        news = self.persistence.news() if self.persistence else ""
        problem = self.persistence.store.problem if self.persistence else ""
        known, self._problem = self._problem, problem
        return tuple(filter(None, (news, problem if problem != known else "")))

    def stop_of_cell(self, run: CellRun) -> None:
        """Stop a background turn of the cell's previous run, unless this run has a turn already."""
        if run.origin.cell is not None and not run.begun:
            earlier = (one for one in self.running() if one.turn.record.origin != run.origin)  # its own go on beside it
            self.stop([handle for handle in earlier if handle.cell == run.origin.cell])

    async def _hang_up(self) -> None:
        for aside in self._asides:
            aside.cancel()  # else it could open a connection that is never closed
        await asyncio.gather(*self._asides, return_exceptions=True)
        await asyncio.gather(*(server.client.aclose() for server in self._servers.values()), return_exceptions=True)

    async def _owned(self, handle: TurnHandle, run: Callable[[RunningTurn], Awaitable[Reply]]) -> Reply:
        try:
            return await run(handle.turn)
        finally:
            self._turns.discard(handle)
            self.on_settled()
            self.journal.notify()
            self._learn(handle.turn)
            group = handle.turn.group
            if group is not None and self.last in group.replies:
                self.last = group.remembered or self.last
