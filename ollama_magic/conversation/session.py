"""The session: the one owner of a kernel's conversations, servers and running turns."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import TimeoutError as NotYet
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from ollama_magic.conversation.cell_run import CellRun
from ollama_magic.conversation.context_window import Window, window_note
from ollama_magic.conversation.conversation import Conversation
from ollama_magic.conversation.fold import after_a_crash
from ollama_magic.conversation.handle import TurnHandle
from ollama_magic.conversation.journal import Journal, Origin
from ollama_magic.conversation.record import NoRecord, Record
from ollama_magic.conversation.reply import CHAT, COMPLETE, GENERATE, STOPPED, Reply
from ollama_magic.conversation.request import model_asked
from ollama_magic.conversation.sent import SentTurns
from ollama_magic.conversation.server import Server
from ollama_magic.conversation.turn import RunningTurn, run_turn
from ollama_magic.loop_thread import FINISH_S, LoopThread, interrupts_held
from ollama_magic.ollama.address import Address, parse_address
from ollama_magic.ollama.secrets import Secrets

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Coroutine, Mapping
    from concurrent.futures import Future

    from ollama_magic.conversation.changes import Change, Entry
    from ollama_magic.conversation.keeping import Keeping
    from ollama_magic.conversation.remembered import Turn
    from ollama_magic.conversation.request import Plan
    from ollama_magic.conversation.seams import View

T = TypeVar("T")

MAIN = "main"
RUNS = 200  # executions of cells that are remembered, for threads that outlive them
CLOSE_S = 2.0  # how long the kernel's end waits for the turns that it stops


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
    think: bool | str | None = None
    keep_alive: float | str = ""
    turns: int | None = None


class Stoppable(Protocol):
    """Something that the session ends when it ends itself."""

    def stop(self) -> None:
        """End it."""


class Session:
    """Everything that lives as long as the extension is loaded."""

    def __init__(self, settings: Callable[[], Settings]) -> None:
        self.settings = settings
        self.host = ""  # told by `%ollama host`; belongs to the session
        self.kept: dict[str, Stoppable] = {}  # what ends with the session, such as a server that it started
        self.last: Reply | None = None
        self.sent = SentTurns()
        self.current = MAIN
        self.loop_thread = LoopThread()
        self.journal = Journal()
        self.keeping: Keeping | None = None
        self.on_settled: Callable[[], None] = lambda: None
        self.on_found: Callable[[], None] = lambda: None  # after loading, when a known cell runs
        self._problem = ""
        self._runs: dict[Origin, CellRun] = {}
        self._conversations: dict[str, Conversation] = {}
        self._servers: dict[tuple[object, ...], Server] = {}
        self._turns: set[TurnHandle] = set()
        self._asides: set[asyncio.Task[None]] = set()

    def conversation(self, name: str | None = None) -> Conversation:
        """Return a conversation, the current one by default; it is made at first mention."""
        name = name or self.current
        if name not in self._conversations:
            self._conversations[name] = Conversation(name, self.journal)
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

    def keep(self, keeping: Keeping, running_cell: str | None, aside_days: float) -> None:
        """Go on from what is kept of this notebook, and have what comes kept too."""
        self.keeping = keeping
        found = keeping.find(running_cell)
        self.journal.keep = keeping.keep
        self._go_on_from(found)
        late = time.time() - aside_days * 86400
        self.erase([turn for turn in self.journal.fold.set_aside if turn.aside_at and turn.aside_at < late])

    def stop_keeping(self) -> None:
        """Have nothing that comes kept; what is kept already stays."""
        keeping, self.keeping, self.journal.keep = self.keeping, None, None
        if keeping is not None:
            keeping.close()

    def erase(self, turns: Collection[Turn]) -> Future[None] | None:
        """Take turns out of the journal so that no byte of them is left; a purge is the same."""
        if not turns:
            return None
        numbers = {turn.number for turn in turns}
        self.sent.erase(numbers)
        counters = self.journal.erase(numbers)
        return self.keeping.erase(counters) if self.keeping else None

    def cell_runs(self, cell: str | None) -> None:
        """Note that a cell runs: it tells which notebook this is."""
        if self.keeping is not None:
            found = self.keeping.ran(cell)
            if found and not self.journal.entries:
                self._go_on_from(found)
                self.on_found()

    def cells_saved(self, since: float) -> frozenset[str]:
        """The cells in the notebook's file, if it was saved after a time."""
        return self.keeping.cells_saved(since) if self.keeping is not None else frozenset()

    def _go_on_from(self, entries: list[Entry]) -> None:
        """Take over what is kept; a turn that was running is cut, for its kernel is gone."""
        self.journal.adopt(entries)
        self.journal.tell()
        for change in after_a_crash(self.journal.fold):
            self.journal.append(_conversation_of(self.journal, change), change, 0)

    def run_of(self, origin: Origin) -> CellRun:
        """The run of an execution; a thread may go on in one that others have followed."""
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
    ) -> TurnHandle:
        """Open the view in this cell, start the turn on the loop, and return at once; ■ is heard behind all that."""
        talk, server, run = self.conversation(conversation), self.server(host), run or self.run_of(origin or Origin())
        before = (*before, *_window_note(plan, talk, server, run.origin.cell), *self._new_problem())
        kind = GENERATE if plan.single else CHAT
        name = None if plan.once else talk.name
        reply = Reply(plan.model or "", name, before, kind, plan.form, host=server.client.address)
        record = (NoRecord if plan.once else Record)(talk, run, reply, self.sent)
        handle = TurnHandle(reply, self.loop_thread, run.origin.cell)
        self._stop_of_cell(run)
        with interrupts_held():
            if not plan.once:
                run.first_turn()
            view.begin(reply, handle.stop)
            self.last = reply
            self._turns.add(handle)
            handle.turn = RunningTurn(plan, talk, server, view, reply, record)
            handle.run(self._owned(handle, handle.turn))
        self.journal.tell()
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
        if self.keeping is not None:
            self.keeping.close()
        self.loop_thread.close()

    def _learn(self, turn: RunningTurn) -> None:
        """Ask for the window of a model that has answered, for the next turn's sake; nobody waits for it."""
        server, request = turn.server, turn.reply.request
        if not isinstance(server, Server) or request is None or turn.reply.state != COMPLETE:
            return
        if not server.window_known(request):
            self._asides.add(task := asyncio.create_task(server.learn_window(request)))
            task.add_done_callback(self._asides.discard)
            task.add_done_callback(lambda _: self.journal.tell())

    def _new_problem(self) -> tuple[str, ...]:
        """What is wrong with the store, and that another kernel was quicker; each told once."""
        news = self.keeping.news() if self.keeping else ""
        problem = self.keeping.store.problem if self.keeping else ""
        told, self._problem = self._problem, problem
        return tuple(filter(None, (news, problem if problem != told else "")))

    def _stop_of_cell(self, run: CellRun) -> None:
        """A background turn of the cell's previous run is stopped first."""
        if run.origin.cell is not None and not run.begun:
            self.stop([handle for handle in self._turns if handle.cell == run.origin.cell])

    async def _hang_up(self) -> None:
        for aside in self._asides:
            aside.cancel()  # one that went on would open a connection that nobody closes
        await asyncio.gather(*self._asides, return_exceptions=True)
        await asyncio.gather(*(server.client.aclose() for server in self._servers.values()), return_exceptions=True)

    async def _owned(self, handle: TurnHandle, turn: RunningTurn) -> Reply:
        try:
            return await run_turn(turn)
        finally:
            self._turns.discard(handle)
            self.on_settled()
            self.journal.tell()
            self._learn(turn)


def _window_note(plan: Plan, talk: Conversation, server: Server, cell: str | None) -> tuple[str, ...]:
    above = [] if plan.once else talk.above(cell)
    if plan.turns is not None and plan.turns < len(above):
        return ()
    window = server.windows.get(str(model_asked(plan, talk)), Window())
    told = plan.options.get("num_ctx")
    window = Window(told, window.most) if isinstance(told, int) else window
    return window_note(above, plan.prompt, window)


def _conversation_of(journal: Journal, change: Change) -> str:
    """The conversation of the turn that a change is about."""
    number = getattr(change, "number", 0) or next(iter(getattr(change, "numbers", ())), 0)
    turn = journal.fold.turn(number)
    return turn.conversation if turn is not None else MAIN
