"""■ at nasty moments: before a turn waits, while its widgets are made, in commands; and what a kernel's end leaves."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from tests.answers import chats, paragraphs, sent, words
from tests.double import Fault, nobody
from tests.kernel.stopping_kernel import StoppingKernel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.double import ScriptedServer
    from tests.kernel.kernel import Cell

pytestmark = pytest.mark.skipif(os.name == "nt", reason="a kernel is interrupted by SIGINT here")

# Makes one step of a turn tell when it begins (or has ended), and take a while.
SLOW = """
import pathlib, time
from ollama_magic.conversation.session import Session
from ollama_magic.display.live import LiveView
def slow(owner, name, behind):
    step = getattr(owner, name)
    def slowed(*arguments, **options):
        done = step(*arguments, **options) if behind else None
        pathlib.Path({flag!r}).touch()
        time.sleep(0.3)
        return done if behind else step(*arguments, **options)
    setattr(owner, name, slowed)
slow({owner}, {step!r}, {behind})
"""


@pytest.fixture(scope="module")
def spare_kernels(bare_machine: Path) -> Iterator[list[StoppingKernel]]:
    """Kernels that a test has left as good as new."""
    kernels: list[StoppingKernel] = []
    yield kernels
    for kernel in kernels:
        kernel.stop()


@pytest.fixture
def kernel(spare_kernels: list[StoppingKernel]) -> Iterator[Callable[..., StoppingKernel]]:
    """Starts kernels whose OLLAMA_HOST is the given server; one that will be `spoilt` serves no other test."""
    started: dict[StoppingKernel, bool] = {}

    def start(server: ScriptedServer, *, spoilt: bool = False) -> StoppingKernel:
        spare = spare_kernels and not spoilt
        kernel = spare_kernels.pop() if spare else StoppingKernel({"OLLAMA_HOST": server.url})
        started[kernel] = spoilt
        kernel.run(f"import os; os.environ['OLLAMA_HOST'] = {server.url!r}")
        assert kernel.run("%load_ext ollama_magic").status == "ok"
        return kernel

    yield start
    for one, spoilt in started.items():
        if not spoilt and one.cleared():
            spare_kernels.append(one)
        else:
            one.stop()


def calmly_stopped(cell: Cell) -> bool:
    """The cell failed with one line, and nothing else was printed."""
    one_line = len(cell.traceback) == 1 and "\n" not in cell.traceback[0].strip()
    return cell.reply["ename"] == "TurnStopped" and one_line and not cell.printed


@pytest.mark.parametrize(
    ("owner", "step", "behind"),
    [("LiveView", "begin", False), ("LiveView", "begin", True), ("Session", "start_turn", True)],
)
def test_before_the_wait(
    demo_server: Callable[..., ScriptedServer],
    kernel: Callable[..., StoppingKernel],
    tmp_path: Path,
    owner: str,
    step: str,
    behind: bool,
) -> None:
    """■ while the widgets are made, or before the turn is waited for, ends it calmly, and the slot settles."""
    server = demo_server(pace=0, faults=[Fault("silence_first")])
    shell, flag = kernel(server, spoilt=True), tmp_path / "there"
    shell.run(SLOW.format(flag=str(flag), owner=owner, step=step, behind=behind))
    ask = shell.start("%%chat\nGo on.", "a")
    shell.wait_until(flag.exists)
    shell.interrupt()
    cell = shell.wait(ask)
    shell.wait_until(lambda: shell.cell(ask).plain == ["[stopped]"])
    assert calmly_stopped(cell)
    assert (
        shell.run("print(len(get_ipython().magics_manager.registry['OllamaMagic'].session.running()))").printed == "0\n"
    )
    server.faults.clear()
    assert shell.run("%%chat\nAnd now?", "b").status == "ok"


@pytest.mark.parametrize(
    ("line", "path"),
    [
        ("%ollama list", "/api/tags"),
        ("%ollama", "/api/version"),
        ("%ollama stop demo", "/api/show"),
        ("%ollama stop demo", "/api/chat"),
        ("%ollama model demo", "/api/show"),
    ],
)
def test_commands(
    demo_server: Callable[..., ScriptedServer], kernel: Callable[..., StoppingKernel], line: str, path: str
) -> None:
    """■ in a command to a silent server hangs up and ends with one line."""
    server = demo_server(pace=0, faults=[Fault("silence_first", path=path)])
    shell = kernel(server)
    ask = shell.start(line, "a")
    shell.wait_until(lambda: [request for request in server.requests if request.path == path])
    shell.interrupt()
    assert calmly_stopped(shell.wait(ask))
    shell.wait_until(lambda: server.requests[-1].closed_early)
    assert shell.run(line, "b").status == "ok"
    assert shell.run("import gc; gc.collect()").printed == ""


def test_a_background_error_stays_at_home(
    demo_server: Callable[..., ScriptedServer], kernel: Callable[..., StoppingKernel]
) -> None:
    """What goes wrong in the background is told in its slot alone; the next cell knows nothing of it."""
    shell = kernel(demo_server(pace=0, faults=[Fault("error_line", after=12)]))
    hosts = {"a": "", "nobody": f"--host {nobody()}"}
    asked = [shell.start(f"%%chat -b {host}\nTell me.", cell) for cell, host in hosts.items()]
    other = shell.run("print('mine')", "b")
    shell.wait_until(lambda: all("[failed" in "".join(shell.cell(ask).plain) for ask in asked))
    assert (other.status, other.printed, other.plain) == ("ok", "mine\n", [])
    for ask in asked:
        cell = shell.cell(ask)
        assert (cell.status, cell.traceback, cell.printed) == ("ok", [], "")
    assert shell.run("1", "c").plain == ["1"]


def test_the_kernels_orderly_end(
    demo_server: Callable[..., ScriptedServer], kernel: Callable[..., StoppingKernel]
) -> None:
    """When a kernel is shut down its running answers are stopped and settled, and the server sees it hang up."""
    faults = [Fault("silence", after=12), Fault("silence_first")]
    server = demo_server(pace=0, answers=lambda _: words(paragraphs(2)), faults=faults)
    shell = kernel(server, spoilt=True)
    asks = [shell.start("%%chat -b\nGo on.", "a")]
    shell.wait_until(lambda: "p0" in shell.cell(asks[0]).live)
    asks.append(shell.start("%%chat -b --once\nAnd on.", "b"))
    shell.wait_until(lambda: len(chats(server)) == 2)
    shell.client.shutdown()
    shell.wait_until(lambda: not shell.manager.is_alive())
    with suppress(TimeoutError):
        shell.wait_until(lambda: False, 0.5)
    assert all(request.wait() and request.closed_early for request in chats(server))
    assert shell.cell(asks[0]).plain[0].endswith("\n\n[stopped]")
    assert shell.cell(asks[1]).plain == ["[stopped]"]


@pytest.mark.parametrize("background", ["", "-b"])
def test_a_restart_leaves_nothing(
    demo_server: Callable[..., ScriptedServer], kernel: Callable[..., StoppingKernel], background: str
) -> None:
    """A restart in mid-answer hangs up and leaves no process; the new kernel begins anew."""
    server = demo_server(pace=0, answers=lambda _: words(paragraphs(2)), faults=[Fault("endless")])
    shell = kernel(server, spoilt=True)
    pid = int(shell.run("import os; print(os.getpid())").printed)
    ask = shell.start(f"%%chat {background}\nGo on.", "a")
    shell.wait_until(lambda: "again" in shell.cell(ask).live)
    shell.manager.restart_kernel(now=not background)
    assert chats(server)[0].wait()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    shell.client.wait_for_ready(timeout=30)
    assert shell.run("%load_ext ollama_magic").status == "ok"
    assert shell.run("%%chat\nAnd now?", "b").status == "ok"
    assert sent(chats(server)[1]) == [("user", "And now?")]
