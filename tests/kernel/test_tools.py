"""Tools in a real kernel: the main thread runs them, ■ and Stop reach them, and buttons ask before they run."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.answers import chats
from tests.double import SMALL, ScriptedServer
from tests.kernel.stopping_kernel import StoppingKernel
from tests.tools.dialogues import call, rounds

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(os.name == "nt", reason="a kernel is interrupted by SIGINT here")

DEFINED = """
import asyncio, threading, time
import ollama_magic
ran = []

def hang() -> str:
    "Wait."
    print("hanging")
    time.sleep(60)
    return "never"

def where(step: int = 0) -> str:
    "Say which thread runs."
    ran.append(threading.current_thread() is threading.main_thread())
    return f"main: {ran[-1]}"

async def later() -> str:
    "Wait a moment."
    await asyncio.sleep(0.01)
    return f"awaited in the main thread: {threading.current_thread() is threading.main_thread()}"

@ollama_magic.tool(confirm=True)
def delete(name: str) -> str:
    "Delete a file."
    ran.append(name)
    return f"{name} is gone"
"""


class Answers:
    """What the server says, which each test sets."""

    def __init__(self) -> None:
        self.rounds: tuple[list[Any], ...] = ()

    def __call__(self, body: dict[str, Any]) -> list[Any]:
        return rounds(*self.rounds)(body)


@pytest.fixture(scope="module")
def answers() -> Answers:
    return Answers()


@pytest.fixture(scope="module")
def kernel(bare_machine: Path, answers: Answers) -> Iterator[tuple[StoppingKernel, ScriptedServer]]:
    """A kernel with the functions above, and the server that it asks."""
    with ScriptedServer(pace=0, models=[SMALL], answers=answers) as server:
        kernel = StoppingKernel({"OLLAMA_HOST": server.url}, python=sys.executable)
        assert kernel.run("%load_ext ollama_magic", "load").status == "ok"
        assert kernel.run(DEFINED, "define").status == "ok"
        yield kernel, server
        kernel.stop()


def steps_of(kernel: StoppingKernel, ask: str) -> list[dict[str, Any]]:
    """The steps in the metadata of a cell's settled answer."""
    shown = [one["metadata"] for one in kernel.cell(ask).outputs if "metadata" in one]
    found: list[dict[str, Any]] = shown[-1].get("ollama_magic", {}).get("steps", [])
    return found


@pytest.mark.parametrize("press", ["■", "Stop"])
def test_a_stop_reaches_a_tool(kernel: tuple[StoppingKernel, ScriptedServer], answers: Answers, press: str) -> None:
    """■ and Stop end a tool that hangs: the cell is back, the step says so, and the next turn works."""
    shell, server = kernel
    answers.rounds = ([call("hang")], ["Never."])
    ask = shell.start("%%chat -t hang\nGo.", "hang")
    shell.wait_until(lambda: "running hang" in shell.cell(ask).live)
    shell.press(press, ask)
    cell = shell.wait(ask)
    assert (cell.status, cell.reply["ename"], len(cell.traceback)) == ("error", "TurnStopped", 1)
    (step,) = steps_of(shell, ask)
    assert (step["name"], step["error"], step["output"]) == ("hang", "it was stopped by the user", "hanging\n")
    answers.rounds = (["Fine."],)
    assert shell.run("%%chat\nAnd now?", "next").plain == ["Fine."]
    assert chats(server)[-1].json["messages"][-2]["content"] == "Error: it was stopped by the user"
    shell.run("%ollama clear", "clear")


def test_an_asynchronous_tool_is_awaited(kernel: tuple[StoppingKernel, ScriptedServer], answers: Answers) -> None:
    """An asynchronous tool of a blocking cell runs to its end in the main thread, though a loop runs there."""
    shell, _ = kernel
    answers.rounds = ([call("later")], ["Fine."])
    ask = shell.start("%%chat -t later\nGo.", "later")
    assert shell.wait(ask).status == "ok"
    assert steps_of(shell, ask)[0]["result"] == "awaited in the main thread: True"
    assert shell.run("await asyncio.sleep(0.01); print('the loop goes on')", "loop").printed == "the loop goes on\n"


def test_a_tool_of_a_background_turn(kernel: tuple[StoppingKernel, ScriptedServer], answers: Answers) -> None:
    """It waits, visibly, until the main thread is free, and runs there."""
    shell, _ = kernel
    answers.rounds = ([call("where")], ["Fine."])
    code = "ran.clear()\nfrom IPython import get_ipython\nget_ipython().run_cell_magic('chat', '-b -t where', 'Go.')\n"
    busy = shell.run(code + "time.sleep(1.5)\nprint(ran)", "back")
    assert busy.printed == "[]\n"
    assert "where waits for the main thread" in busy.live
    shell.wait_until(lambda: any("Fine." in str(one["data"].get("text/plain")) for one in shell.updates()))
    assert shell.run("print(ran)", "ran").printed == "[True]\n"


@pytest.mark.parametrize(("button", "said"), [("Run", "notes.txt is gone"), ("Refuse", "the user did not allow it")])
def test_a_confirmation(
    kernel: tuple[StoppingKernel, ScriptedServer], answers: Answers, button: str, said: str
) -> None:
    """Two buttons in the live answer ask before the tool runs, while the cell blocks; the click decides."""
    shell, _ = kernel
    answers.rounds = ([call("delete", name="notes.txt")], ["Fine."])
    shell.run("ran.clear()", "clear")
    ask = shell.start("%%chat -t delete\nTidy up.", "tidy")
    shell.wait_until(lambda: "Run delete(name=&quot;notes.txt&quot;)?" in shell.cell(ask).live)
    shell.wait_until(lambda: button_of(shell, ask, button))
    shell.click(button_of(shell, ask, button), shell.subshell())
    assert shell.wait(ask).status == "ok"
    (step,) = steps_of(shell, ask)
    assert said in (step.get("result") or step.get("error"))
    assert shell.run("print(ran)", "ran").printed == f"{['notes.txt'] if button == 'Run' else []}\n"


def button_of(shell: StoppingKernel, ask: str, text: str) -> str:
    """The comm of a button of a cell's answer; empty if there is none yet."""
    opened = [one["content"] for one in shell.messages[ask] if one["msg_type"] == "comm_open"]
    found = [content["comm_id"] for content in opened if content["data"]["state"].get("description") == text]
    return found[-1] if found else ""
