"""Stops in every phase of a turn: how the phase is brought about, who presses what, and what must hold afterwards."""

from __future__ import annotations

import contextlib
import itertools
import socket
import tempfile
import threading
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from tests.answers import chats, paragraphs, sent, words
from tests.double import Fault, ScriptedServer
from tests.kernel.stopping_kernel import BUTTON, GUARD_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.kernel.kernel import Cell
    from tests.kernel.stopping_kernel import StoppingKernel

HUGE = "\n\n".join(f"**p{n}** " + "and so on, with `code` and _words_, " * 8 for n in range(1000))[:300_000]
NEXT = itertools.count()  # the next turn stands in a new cell, below all others
MARK = "\n\n[stopped]"


@dataclass
class Scene:
    """One stop on its way."""

    kernel: StoppingKernel
    server: ScriptedServer
    host: str
    ask: str = ""
    background: str = ""
    flag: Path = Path()
    half_open: int = 0

    @property
    def live(self) -> str:
        return self.kernel.cell(self.ask).live


@dataclass(frozen=True)
class Phase:
    """A moment of a turn; `left` tells when the server has seen the client go, None where nobody has to."""

    name: str
    reached: Callable[[Scene], object]
    fault: Fault | None = None
    text: bool = False
    left: Callable[[Scene], bool] | None = None
    setting: Callable[[Scene], contextlib.AbstractContextManager[object]] = lambda _: contextlib.nullcontext()


@dataclass
class Stop:
    """What came of a stop: times in seconds from the press, and whatever was not as promised."""

    reply: float = 0.0
    left: float | None = None
    problems: list[str] = field(default_factory=list)

    def expect(self, holds: object, problem: str) -> None:
        if not holds:
            self.problems.append(problem)


def stop_once(kernel: StoppingKernel, phase: Phase, press: str, again: bool = False) -> Stop:
    """Bring a turn into the phase, press once (or twice), and look at everything that was promised."""
    stop = Stop()
    kernel.run("%ollama clear", "clear")
    faults = [phase.fault] if phase.fault else []
    with ScriptedServer(pace=0, answers=lambda _: words(paragraphs(2)), faults=faults) as server:
        scene = Scene(kernel, server, server.url)
        with phase.setting(scene):
            chat, queued = _stopped(scene, phase, press, stop, again=again)
            _look_at_cells(stop, phase, press, chat, queued)
            if not again:  # a second ■ may meet IPython while it prints the line of the first
                _look_at_line(stop, chat)
        _look_at_next_turn(stop, scene, chat)
    return stop


def _stopped(scene: Scene, phase: Phase, press: str, stop: Stop, *, again: bool) -> tuple[Cell, Cell]:
    kernel = scene.kernel
    scene.ask = kernel.start(f"%%chat --host {scene.host}\nGo on.", "a")
    queued = kernel.start("print('queued')", "b")
    kernel.wait_until(lambda: phase.reached(scene) and (press != BUTTON or kernel.button(scene.ask)), GUARD_S)
    if press == BUTTON:
        kernel.subshell()
    gone: list[float] = []
    watch = threading.Thread(target=_watch, args=(phase, scene, gone), daemon=True)
    watch.start()
    pressed = time.monotonic()
    kernel.press(press, scene.ask)
    if again:  # once the turn is being settled: elsewhere it might meet ipykernel between two cells
        kernel.wait_until(scene.flag.exists, GUARD_S)
        kernel.listen()
        kernel.press(press, scene.ask)
    kernel.wait_until(lambda: kernel.replies.get(scene.ask) and kernel.idle(scene.ask), GUARD_S)
    kernel.wait(queued)
    watch.join()
    stop.reply = kernel.replied_at[scene.ask] - pressed
    if phase.left:
        stop.left = gone[0] - pressed if gone else None
        stop.expect(gone, "the server did not see the client go")
    with contextlib.suppress(TimeoutError):
        kernel.wait_until(lambda: not _unsettled(kernel.cell(scene.ask)), 5)
    return kernel.cell(scene.ask), kernel.cell(queued)


def _watch(phase: Phase, scene: Scene, gone: list[float]) -> None:
    end = time.monotonic() + 10
    while phase.left and time.monotonic() < end:
        if phase.left(scene):
            gone.append(time.monotonic())
            return
        time.sleep(0.001)


def _unsettled(cell: Cell) -> bool:
    return any("application/vnd.jupyter.widget-view+json" in one.get("data", {}) for one in cell.outputs)


def _look_at_cells(stop: Stop, phase: Phase, press: str, chat: Cell, queued: Cell) -> None:
    stop.expect(not _unsettled(chat), "the answer is not settled")
    state = chat.outputs[0].get("metadata", {}).get("ollama_magic", {}).get("state") if chat.outputs else None
    if press == BUTTON and state == "complete":  # the button ends the answer and not the queue
        stop.expect((chat.status, queued.status) == ("ok", "ok"), f"{chat.status}, then {queued.status}")
        return
    stop.expect((chat.status, queued.status) == ("error", "aborted"), f"{chat.status}, then {queued.status}")
    if phase.text and state != "complete":
        stop.expect(chat.plain and chat.plain[0].endswith(MARK), "no partial text with its mark")
    elif not phase.text:
        stop.expect(chat.plain in ([], [MARK.strip()]), f"shows {chat.plain!r}")


def _look_at_line(stop: Stop, chat: Cell) -> None:
    stop.expect(not any(one["kind"] == "stream" for one in chat.outputs), f"printed: {chat.printed!r}")
    if chat.status == "error":
        stop.expect(chat.reply.get("ename") == "TurnStopped", f"raised {chat.reply.get('ename')}")
        one_line = len(chat.traceback) == 1 and "\n" not in chat.traceback[0].strip()
        stop.expect(one_line, f"{len(chat.traceback)} lines: {chat.traceback!r}")


def _look_at_next_turn(stop: Stop, scene: Scene, chat: Cell) -> None:
    """The next turn works and sends what was kept."""
    kernel = scene.kernel
    if scene.background:
        kernel.run("%ollama stop", "stop")
    next_turn = kernel.run(f"%%chat --host {scene.server.url}\nAnd now?", f"next {next(NEXT)}")
    stop.expect(next_turn.status == "ok", f"the next turn: {next_turn.traceback}")
    if scene.background:
        first = [prompt for role, prompt in sent(chats(scene.server)[-1]) if role == "user"]
        stop.expect(first == ["First.", "And now?"], f"the next turn sent {first}")
        return
    kept = chat.plain[0].removesuffix(MARK) if chat.plain and chat.plain[0] != MARK.strip() else ""
    history = [("user", "Go on."), ("assistant", kept)] if kept else []
    messages = sent(chats(scene.server)[-1]) if chats(scene.server) else []
    stop.expect(messages == [*history, ("user", "And now?")], f"the next turn sent {str(messages)[:300]}")


def _asked(path: str) -> Callable[[Scene], bool]:
    return lambda scene: any(request.path == path for request in scene.server.requests)


def _left(path: str) -> Callable[[Scene], bool]:
    return lambda scene: any(one.path == path and one.closed_early for one in scene.server.requests)


def _shows(text: str) -> Callable[[Scene], bool]:
    return lambda scene: text in scene.live


@contextlib.contextmanager
def _nobody_accepts(scene: Scene) -> Iterator[None]:
    """An address whose connections stay half open: a listening socket with a full backlog."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(3):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        scene.host = f"http://127.0.0.1:{listener.getsockname()[1]}"
        scene.half_open = _half_open(scene)
        yield


def _half_open(scene: Scene) -> int:
    port = f":{int(scene.host.rpartition(':')[2]):04X}"
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(row[2].endswith(port) and row[3] == "02" for row in rows)


def _connecting(scene: Scene) -> bool:
    return _half_open(scene) > scene.half_open


@contextlib.contextmanager
def _turn_before(scene: Scene) -> Iterator[None]:
    """A background turn of the same conversation, which runs."""
    scene.background = scene.kernel.start(f"%%chat -b --host {scene.host}\nFirst.", "before")
    scene.kernel.wait_until(lambda: "p0" in scene.kernel.cell(scene.background).live, GUARD_S)
    yield
    assert _unsettled(scene.kernel.cell(scene.background)), "the turn before is none of this stop's business"


@contextlib.contextmanager
def _slow_finish(scene: Scene) -> Iterator[None]:
    """A view whose last paint takes 0.4 s, and that tells when it begins."""
    with tempfile.TemporaryDirectory() as folder:
        scene.flag = Path(folder) / "finishing"
        scene.kernel.run(SLOW.format(flag=str(scene.flag)))
        yield
        scene.kernel.run("LiveView.finish = finish")


def _ended(scene: Scene) -> bool:
    """The server has sent all of it, and the page has not got all of it."""
    return any(request.ended.is_set() for request in chats(scene.server))


SLOW = """
import pathlib, time
from ollama_magic.display.live import LiveView
finish = LiveView.finish
def slow(self, reply):
    pathlib.Path({flag!r}).touch()
    time.sleep(0.4)
    finish(self, reply)
LiveView.finish = slow
"""

PHASES = {
    phase.name: phase
    for phase in (
        Phase("connect", _connecting, setting=_nobody_accepts, left=lambda scene: not _connecting(scene)),
        Phase("look-up", _asked("/api/show"), Fault("silence_first", path="/api/show"), left=_left("/api/show")),
        Phase("headers", _asked("/api/chat"), Fault("silence_first"), left=_left("/api/chat")),
        Phase("silent", _shows("p0"), Fault("silence", after=12), text=True, left=_left("/api/chat")),
        Phase("busy", _shows("again"), Fault("endless"), text=True, left=_left("/api/chat")),
        Phase("waiting", _shows("waiting for the turn before"), Fault("silence", after=12), setting=_turn_before),
        Phase("settling", lambda scene: scene.flag.exists(), text=True, setting=_slow_finish),
        Phase("huge", _ended, Fault("script", script=words(HUGE)), text=True),
    )
}

# Phases in which settling takes long enough for a second press.
TWICE = {"complete": PHASES["settling"], "stopped": replace(PHASES["silent"], setting=_slow_finish)}
