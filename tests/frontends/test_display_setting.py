"""`OllamaMagic.display` forced in a kernel whose front end could show widgets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.answers import chats, paragraphs, words
from tests.double import Fault

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.double import ScriptedServer
    from tests.kernel.kernel import Cell, Kernel

    Servers = Callable[..., ScriptedServer]
    Kernels = Callable[..., Kernel]

WIDGETS = {"comm_open", "comm_msg", "comm_close"}


def kinds(cell: Cell) -> list[str]:
    """The types of all that the cell has sent, in order."""
    return [message["msg_type"] for message in cell.messages]


def forced(kernel: Kernels, server: ScriptedServer, display: str) -> Kernel:
    shell = kernel(server)
    assert shell.run(f"%config OllamaMagic.display = {display!r}", "set").status == "ok"
    return shell


def test_html(demo_server: Servers, kernel: Kernels) -> None:
    """With display = "html" the answer grows in few updates of one output, without widgets, and settles the same."""
    server = demo_server(pace=60, answers=lambda _: words(paragraphs(8)))
    cell = forced(kernel, server, "html").run("%%chat\nTell me.", "a")
    assert cell.status == "ok"
    assert cell.plain == [paragraphs(8)]
    assert set(cell.outputs[0]["data"]) == {"text/html", "text/plain"}
    assert cell.outputs[0]["metadata"]["ollama_magic"]["slot"] == "a/1"
    assert kinds(cell).count("display_data") == 1
    assert 2 <= kinds(cell).count("update_display_data") <= len(words(paragraphs(8))) / 4
    assert not WIDGETS & set(kinds(cell))


def test_html_grows(demo_server: Servers, kernel: Kernels) -> None:
    """With display = "html" the first words are shown while the server still speaks, as rendered Markdown."""
    server = demo_server(pace=40, answers=lambda _: words(paragraphs(400)))
    shell = forced(kernel, server, "html")
    asked = shell.start("%%chat\nTell me.", "a")
    shell.wait_until(
        lambda: any("<strong>p1</strong>" in one["data"]["text/html"] for one in shell.cell(asked).outputs)
    )
    assert not chats(server)[0].ended.is_set()
    assert "run this cell again" in shell.cell(asked).plain[0]
    shell.interrupt()
    stopped = shell.wait(asked)
    assert stopped.plain[0].endswith("\n\n[stopped]")
    assert stopped.traceback == ["Stopped; the text so far is kept."]


def test_text(demo_server: Servers, kernel: Kernels) -> None:
    """With display = "text" the answer is printed as plain text and nothing more."""
    server = demo_server(pace=60, answers=lambda _: words(paragraphs(8)))
    cell = forced(kernel, server, "text").run("%%chat\nTell me.", "a")
    assert (cell.status, cell.printed) == ("ok", paragraphs(8) + "\n")
    assert {output["kind"] for output in cell.outputs} == {"stream"}
    assert not WIDGETS & set(kinds(cell))


def test_text_that_is_cut(demo_server: Servers, kernel: Kernels) -> None:
    """With display = "text" an answer that breaks off keeps its text and says so."""
    server = demo_server(pace=0, answers=lambda _: words(paragraphs(8)), faults=[Fault("no_done", after=9)])
    cell = forced(kernel, server, "text").run("%%chat\nTell me.", "a")
    assert (cell.reply["ename"], len(cell.traceback)) == ("AnswerCut", 1)
    assert cell.printed == "".join(words(paragraphs(8))[:9]) + "\n\n[cut]\n"


def test_text_in_the_background(demo_server: Servers, kernel: Kernels) -> None:
    """With display = "text" a background answer is printed in its own cell."""
    shell = forced(kernel, demo_server(pace=60, answers=lambda _: words(paragraphs(2))), "text")
    asked = shell.start("%%chat -b\nTell me.", "a")
    other = shell.run("'mine'", "b")
    shell.wait_until(lambda: shell.cell(asked).printed == paragraphs(2) + "\n")
    assert not other.printed


def test_widget(demo_server: Servers, kernel: Kernels) -> None:
    """With display = "widget" a front end that names no cell gets widgets too."""
    server = demo_server(pace=0, answers=lambda _: words(paragraphs(3)))
    cell = forced(kernel, server, "widget").run("%%chat\nTell me.")
    assert cell.plain == [paragraphs(3)]
    assert set(kinds(cell)) >= WIDGETS
