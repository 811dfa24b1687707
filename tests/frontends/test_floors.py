"""The oldest versions that we promise to run on, in a kernel of their own environment."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.answers import chats, paragraphs, sent, words
from tests.frontends.floors import FLOORS, WIDGETS, floors_python
from tests.kernel.kernel import Kernel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.double import ScriptedServer

    Servers = Callable[..., ScriptedServer]
    Kernels = Callable[[ScriptedServer], Kernel]

# The one warning of theirs: ipywidgets 7 opens its comms by a name that ipykernel 6 has deprecated.
STRICT = """
import warnings
warnings.simplefilter("error")
warnings.filterwarnings("ignore", "The `ipykernel.comm.Comm` class has been deprecated", DeprecationWarning)
%load_ext ollama_magic
"""
VERSIONS = """
from importlib.metadata import version
print(*(f"{name}=={version(name)}" for name in %r))
"""


@pytest.fixture(scope="module")
def spare_kernels(bare_machine: object) -> Iterator[list[Kernel]]:
    """Kernels of the floors that a test has left as good as new."""
    kernels: list[Kernel] = []
    yield kernels
    for kernel in kernels:
        kernel.stop()


@pytest.fixture
def floors(spare_kernels: list[Kernel]) -> Iterator[Kernels]:
    """Starts a kernel of the floors, in which every warning but one is an error, with the extension loaded."""
    started: list[Kernel] = []

    def start(server: ScriptedServer) -> Kernel:
        started.append(spare_kernels.pop() if spare_kernels else Kernel({}, str(floors_python())))
        started[-1].run(f"import os; os.environ['OLLAMA_HOST'] = {server.url!r}")
        loaded = started[-1].run(STRICT, "load")
        assert (loaded.status, "".join(loaded.plain)) == ("ok", "")
        return started[-1]

    yield start
    for kernel in started:
        if kernel.cleared():
            spare_kernels.append(kernel)
        else:
            kernel.stop()


def test_versions(demo_server: Servers, floors: Kernels) -> None:
    """The environment holds the versions of the floors and nothing newer."""
    names = [floor.partition("==")[0] for floor in (*FLOORS, WIDGETS)]
    assert floors(demo_server()).run(VERSIONS % names).printed.split() == [*FLOORS, WIDGETS]


def test_a_chat_cell_on_the_floors(demo_server: Servers, floors: Kernels) -> None:
    """On the oldest versions a chat cell grows in widgets, settles to HTML and text, and says nothing else."""
    server = demo_server(pace=200, answers=lambda _: words(paragraphs(12)))
    shell = floors(server)
    cell = shell.run("%%chat\nTell me.", "a")
    assert cell.status == "ok"
    (output,) = cell.outputs
    assert set(output["data"]) == {"text/html", "text/plain"}
    assert cell.plain == [paragraphs(12)]
    assert output["metadata"]["ollama_magic"]["state"] == "complete"
    assert {"comm_open", "comm_msg"} <= {message["msg_type"] for message in cell.messages}
    assert "p3" in cell.live
    assert shell.run("%ollama", "b").plain[0].startswith("ollama_magic\n")
    again = shell.run("%%chat\nAnd then?", "a")
    assert (again.status, again.plain) == ("ok", [paragraphs(12)])


def test_interrupt_on_the_floors(demo_server: Servers, floors: Kernels) -> None:
    """On the oldest versions ■ hangs up, keeps the text, aborts the queue, and the next turn works."""
    texts = iter([paragraphs(400), "Fine."])
    server = demo_server(pace=40, answers=lambda _: words(next(texts)))
    shell = floors(server)
    chat, queued = shell.start("%%chat\nGo on.", "a"), shell.start("print('queued')", "b")
    shell.wait_until(lambda: "p0" in shell.cell(chat).live)
    shell.interrupt()
    stopped = shell.wait(chat)
    assert (stopped.reply["ename"], shell.wait(queued).status) == ("TurnStopped", "aborted")
    assert stopped.traceback == ["Stopped; the text so far is kept."]
    assert stopped.plain[0].endswith("\n\n[stopped]")
    assert chats(server)[0].ended.wait(30)
    assert chats(server)[0].closed_early
    assert shell.run("%%chat\nAnd now?", "c").plain == ["Fine."]
    assert sent(chats(server)[1])[0] == ("user", "Go on.")


def test_background_on_the_floors(demo_server: Servers, floors: Kernels) -> None:
    """On the oldest versions a background answer finds its place by its display id while other cells run."""
    texts = iter([paragraphs(6), "Fine."])
    server = demo_server(pace=60, answers=lambda _: words(next(texts)))
    shell = floors(server)
    asked = shell.run("%%chat -b\nTell me.", "a")
    assert not chats(server) or not chats(server)[0].ended.is_set()
    other = shell.start("print('mine')", "b")
    shell.wait_until(lambda: updates(shell, asked.outputs[0]))
    assert updates(shell, asked.outputs[0]) == [paragraphs(6)]
    assert [output["kind"] for output in shell.wait(other).outputs] == ["stream"]
    assert shell.cell(other).printed == "mine\n"
    assert shell.run("%%chat\nAnd you?", "b").plain == ["Fine."]


def updates(shell: Kernel, output: dict[str, Any]) -> list[str]:
    """The text/plain of every update of an output; ipykernel 6 sends them in the name of the cell that runs."""
    messages = [message for of_cell in list(shell.messages.values()) for message in of_cell]
    contents = [one["content"] for one in messages if one["msg_type"] == "update_display_data"]
    return [one["data"]["text/plain"] for one in contents if one["transient"] == output["transient"]]


@pytest.mark.parametrize("cell", [None, "a"], ids=["nbclient", "HTML"])
def test_without_widgets_on_the_floors(demo_server: Servers, floors: Kernels, cell: str | None) -> None:
    """On the oldest versions an answer without widgets opens no comm and settles the same."""
    shell = floors(demo_server(pace=0, answers=lambda _: words(paragraphs(3))))
    if cell:
        assert shell.run("%config OllamaMagic.display = 'html'", "set").status == "ok"
    chat = shell.run("%%chat\nTell me.", cell)
    assert chat.plain == [paragraphs(3)]
    assert "<strong>p2</strong>" in json.dumps(chat.outputs)
    assert not {message["msg_type"] for message in chat.messages} & {"comm_open", "comm_msg", "stream"}
