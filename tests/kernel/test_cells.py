"""Where output lands and how cells end, in a real kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.answers import chats, paragraphs, sent, words
from tests.double import Fault, nobody

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.double import ScriptedServer
    from tests.kernel.kernel import Kernel


def test_a_chat_cell(demo_server: Callable[..., ScriptedServer], kernel: Callable[..., Kernel]) -> None:
    """A chat cell ends well, holds one output with HTML and text, and shows the text while it grows."""
    server = demo_server(pace=200, faults=[Fault("script", script=words(paragraphs(12)))])
    cell = kernel(server).run("%%chat\nTell me.", "a")
    assert cell.status == "ok"
    assert cell.plain == [paragraphs(12)]
    assert set(cell.outputs[0]["data"]) == {"text/html", "text/plain"}
    assert cell.outputs[0]["metadata"]["ollama_magic"]["state"] == "complete"
    assert "p3" in cell.live


def test_cells_make_a_conversation(demo_server: Callable[..., ScriptedServer], kernel: Callable[..., Kernel]) -> None:
    """Two cells that were queued together are two turns of one conversation, in order."""
    server = demo_server(pace=0, faults=[Fault("script", script=["one"]), Fault("script", script=["two"])])
    shell = kernel(server)
    first, second = shell.start("%%chat\nFirst?", "a"), shell.start("%%chat\nSecond?", "b")
    assert [shell.wait(first).plain, shell.wait(second).plain] == [["one"], ["two"]]
    assert sent(chats(server)[1]) == [("user", "First?"), ("assistant", "one"), ("user", "Second?")]


def test_background_output_stays_at_home(
    demo_server: Callable[..., ScriptedServer], kernel: Callable[..., Kernel]
) -> None:
    """A background answer lands in the cell that asked, and what other cells print meanwhile in theirs."""
    server = demo_server(pace=100, faults=[Fault("script", script=words(paragraphs(20)))])
    shell = kernel(server)
    asked = shell.start("%%chat --background\nTell me.", "a")
    assert shell.wait(asked).status == "ok"
    (request,) = server.wait_for_requests(1)
    other = shell.run("print('mine')\ndisplay('shown')", "b")
    assert not request.ended.is_set()
    shell.wait_until(lambda: shell.cell(asked).plain == [paragraphs(20)])
    assert other.printed == "mine\n"
    assert other.plain == ["'shown'"]
    assert not shell.cell(asked).printed


@pytest.mark.parametrize(
    ("fault", "state"),
    [
        (Fault("error_first", status=500), None),
        (Fault("error_line"), "failed"),
        (Fault("no_done"), "cut"),
        (Fault("drop"), "cut"),
    ],
    ids=lambda value: getattr(value, "kind", value),
)
def test_a_failed_turn_fails_its_cell(
    demo_server: Callable[..., ScriptedServer], kernel: Callable[..., Kernel], fault: Fault, state: str | None
) -> None:
    """A turn that is not complete fails its cell with one line, so that «Run all» stops."""
    shell = kernel(demo_server(pace=0, faults=[fault]))
    chat, queued = shell.start("%%chat\nHello?", "a"), shell.start("print('queued')", "b")
    assert (shell.wait(chat).status, shell.wait(queued).status) == ("error", "aborted")
    cell = shell.cell(chat)
    assert len(cell.traceback) == 1
    assert "\n" not in cell.traceback[0].strip()
    if state:
        assert cell.outputs[0]["metadata"]["ollama_magic"]["state"] == state
        assert f"\n\n[{state}" in cell.plain[0]


def test_nobody_answers(kernel: Callable[..., Kernel], demo_server: Callable[..., ScriptedServer]) -> None:
    """Where nobody listens, one line says so and what to do."""
    shell = kernel(demo_server())
    cell = shell.run(f"%chat --host {nobody()} Anybody?", "a")
    assert cell.reply["ename"] == "ServerUnreachable"
    assert len(cell.traceback) == 1


def test_load_unload_reload(demo_server: Callable[..., ScriptedServer], kernel: Callable[..., Kernel]) -> None:
    """Loading twice is harmless, unloading takes everything out, and loading again works."""
    shell = kernel(demo_server(pace=0))
    hooks = "i = get_ipython(); print(len(i.input_transformers_cleanup), i.find_cell_magic('chat') is not None)"
    loaded = shell.run(hooks).printed
    assert shell.run("%load_ext ollama_magic").status == "ok"
    assert shell.run("%reload_ext ollama_magic").status == "ok"
    assert shell.run(hooks).printed == loaded
    assert shell.run("%unload_ext ollama_magic").status == "ok"
    hooks_left, registered = shell.run(hooks).printed.split()
    assert (int(hooks_left), registered) == (int(loaded.split()[0]) - 1, "False")
    assert shell.run("%load_ext ollama_magic").status == "ok"
    assert shell.run("%%chat\nHello?", "a").status == "ok"


def test_loading_again_is_no_mistake(demo_server: Callable[..., ScriptedServer], kernel: Callable[..., Kernel]) -> None:
    """Where the extension is loaded already, `%load_ext` says nothing of that, and it can still be unloaded."""
    shell = kernel(demo_server(pace=0))
    assert "already" not in shell.run("%load_ext ollama_magic", "again").printed
    assert shell.run("%unload_ext ollama_magic").status == "ok"
    assert shell.run("print(get_ipython().find_line_magic('ollama'))").printed.strip() == "None"
