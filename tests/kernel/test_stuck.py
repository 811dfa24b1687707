"""A model that a stopped turn may have left stuck: the line that says so, and the way out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.answers import chats, paragraphs, words
from tests.double import Fault

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.double import ScriptedServer
    from tests.kernel.kernel import Kernel

SOON = "import ollama_magic.conversation.turn as t; t.STUCK_S = 0.3"
LINE = "stuck? ■, then `%ollama stop demo:latest`, then run again"


def stopped_in_the_middle(shell: Kernel) -> None:
    ask = shell.start("%%chat\nGo on.", "a")
    shell.wait_until(lambda: "p0" in shell.cell(ask).live)
    shell.interrupt()
    assert shell.wait(ask).reply["ename"] == "TurnStopped"


def test_a_stuck_model(demo_server: Callable[..., ScriptedServer], kernel: Callable[..., Kernel]) -> None:
    """After a stop a loaded model that stays silent is told in the status line, and what the line says helps."""
    faults = [Fault("silence", after=12), Fault("silence_first")]
    server = demo_server(pace=0, answers=lambda _: words(paragraphs(2)), faults=faults)
    shell = kernel(server)
    shell.run(SOON)
    stopped_in_the_middle(shell)
    ask = shell.start("%%chat\nAnd now?", "b")
    shell.wait_until(lambda: LINE in shell.cell(ask).live)
    shell.interrupt()
    assert shell.wait(ask).reply["ename"] == "TurnStopped"
    assert shell.run("%ollama stop demo:latest", "c").status == "ok"
    assert [request.json["keep_alive"] for request in chats(server)[2:]] == [0]
    again = shell.run("%%chat\nAnd now?", "b")
    assert again.plain == [paragraphs(2)]
    assert LINE not in again.live


@pytest.mark.parametrize("story", ["not stopped before", "stopped while it was looked up", "freed"])
def test_silence_alone_is_not_stuck(
    demo_server: Callable[..., ScriptedServer], kernel: Callable[..., Kernel], story: str
) -> None:
    """A model that nobody left in mid-answer may be silent as long as it likes."""
    silent = Fault("silence_first")
    faults = {
        "not stopped before": [silent],
        "stopped while it was looked up": [Fault("silence_first", path="/api/show"), silent],
        "freed": [Fault("silence", after=12)],
    }[story]
    server = demo_server(pace=0, answers=lambda _: words(paragraphs(2)), faults=faults)
    shell = kernel(server)
    shell.run(SOON)
    if story == "freed":
        stopped_in_the_middle(shell)
        shell.run("%ollama stop demo")
        server.faults.append(silent)
    elif story.startswith("stopped"):
        ask = shell.start("%%chat\nGo on.", "a")
        shell.wait_until(lambda: any(request.path == "/api/show" for request in server.requests))
        shell.interrupt()
        shell.wait(ask)
    ask = shell.start("%%chat\nAnd now?", "b")
    shell.wait_until(lambda: "2 s" in shell.cell(ask).live)
    assert "stuck" not in shell.cell(ask).live
    shell.interrupt()
    shell.wait(ask)
