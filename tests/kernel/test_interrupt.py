"""■ in a real kernel: the turn ends, its text stays, and the kernel goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.answers import chats, paragraphs, sent, words
from tests.double import Fault

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.double import ScriptedServer
    from tests.kernel.kernel import Cell, Kernel

BUSY = Fault("script", script=words(paragraphs(400)))
SILENT = Fault("silence", after=12)


def interrupted(kernel: Kernel) -> tuple[Cell, Cell]:
    """A chat cell that got ■ once its first words were on screen, and the cell that was queued behind it."""
    chat, queued = kernel.start("%%chat\nGo on.", "a"), kernel.start("print('queued')", "b")
    kernel.wait_until(lambda: "p0" in kernel.cell(chat).live)
    kernel.interrupt()
    return kernel.wait(chat), kernel.wait(queued)


@pytest.mark.parametrize("fault", [BUSY, SILENT], ids=["busy", "silent"])
def test_interrupt(demo_server: Callable[..., ScriptedServer], kernel: Callable[..., Kernel], fault: Fault) -> None:
    """■ in a busy or a silent stream hangs up, keeps the text, aborts the queue, and the next turn works."""
    server = demo_server(pace=40, answers=lambda _: words(paragraphs(2)), faults=[fault])
    shell = kernel(server)
    chat, queued = interrupted(shell)
    shell.wait_until(lambda: chats(server)[0].closed_early)
    assert (chat.status, queued.status) == ("error", "aborted")
    assert chat.reply["ename"] == "TurnStopped"
    assert len(chat.traceback) == 1
    assert chat.plain[0].endswith("\n\n[stopped]")
    again = shell.run("%%chat\nAnd now?", "c")
    assert again.status == "ok"
    kept = chat.plain[0].removesuffix("\n\n[stopped]")
    assert sent(chats(server)[1]) == [("user", "Go on."), ("assistant", kept), ("user", "And now?")]


def test_interrupt_before_the_first_byte(
    demo_server: Callable[..., ScriptedServer], kernel: Callable[..., Kernel]
) -> None:
    """■ while the server is still silent hangs up, and the turn is not remembered."""
    server = demo_server(pace=0, faults=[Fault("silence_first")])
    shell = kernel(server)
    chat = shell.start("%%chat\nAnybody?", "a")
    shell.wait_until(lambda: chats(server))
    shell.interrupt()
    assert shell.wait(chat).status == "error"
    shell.wait_until(lambda: chats(server)[0].closed_early)
    assert shell.run("%%chat\nAnd now?", "b").status == "ok"
    assert sent(chats(server)[1]) == [("user", "And now?")]
