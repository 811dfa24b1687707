"""A real ipykernel, and what it sends, sorted by the cell that asked for it."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections import defaultdict
from pathlib import Path
from queue import Empty
from typing import TYPE_CHECKING, Any

from jupyter_client.manager import KernelManager

from tests.machine.environments import PYTHONPATH

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parent.parent.parent
ATTEMPTS = 3  # a port that is free when it is chosen may be taken before the kernel binds it
CLEAR, CLEAR_S = "%ollama clear\n%unload_ext ollama_magic\n%reset -f", 10
WAIT_S = 60  # a guard against hangs, generous to a machine that others use


class Kernel:
    """A kernel of its own; cells are run as JupyterLab does it, with their id in the request's metadata."""

    def __init__(self, environ: dict[str, str], python: str = sys.executable) -> None:
        for attempts_left in reversed(range(ATTEMPTS)):
            self._start({**os.environ, "PYTHONPATH": PYTHONPATH, "PYTHONFAULTHANDLER": "1", **environ}, python)
            try:
                self.client.wait_for_ready(timeout=WAIT_S)
                break
            except RuntimeError:
                self.stop()
                if not attempts_left:
                    raise
        self.messages: dict[str, list[dict[str, Any]]] = defaultdict(list)  # what came on iopub, by parent
        self.replies: dict[str, dict[str, Any]] = {}

    def _start(self, environ: dict[str, str], python: str) -> None:
        self.manager = KernelManager(kernel_name="python3")
        spec = self.manager.kernel_spec
        assert spec is not None
        spec.argv = [python, *spec.argv[1:]]
        self.manager.start_kernel(env=environ)
        self.client = self.manager.blocking_client()
        self.client.start_channels()

    def start(self, code: str, cell: str | None = None) -> str:
        """Ask for an execution and return its message id; `cell` is the cell's id."""
        content = {"code": code, "silent": False, "store_history": True, "allow_stdin": False, "stop_on_error": True}
        message = self.client.session.msg("execute_request", content, metadata={"cellId": cell} if cell else {})
        self.client.shell_channel.send(message)
        return str(message["header"]["msg_id"])

    def run(self, code: str, cell: str | None = None) -> Cell:
        """Run code and wait until the kernel is done with it."""
        return self.wait(self.start(code, cell))

    def wait(self, ask: str, seconds: float = WAIT_S) -> Cell:
        """Wait for the reply to an execution and for all that it sent."""
        self.wait_until(lambda: self.replies.get(ask) and self.idle(ask), seconds)
        return self.cell(ask)

    def wait_until(self, happened: Callable[[], object], seconds: float = WAIT_S) -> None:
        """Listen to the kernel until something has happened; the condition is asked again at every message."""
        end = time.monotonic() + seconds
        while not happened():
            if time.monotonic() > end:
                if os.name != "nt":
                    self.manager.signal_kernel(signal.SIGABRT)  # stderr then has what each of its threads was at
                    time.sleep(1)
                raise TimeoutError("the kernel did not do it in time")
            self.listen()

    def listen(self) -> None:
        """Take in what the kernel has sent, waiting at most a tenth of a second for it."""
        try:
            message = self.client.get_iopub_msg(timeout=0.1)
            self.messages[message["parent_header"].get("msg_id", "")].append(message)
        except Empty:
            pass
        try:
            reply = self.client.get_shell_msg(timeout=0)
            self.replies[reply["parent_header"]["msg_id"]] = reply["content"]
        except Empty:
            pass

    def idle(self, ask: str) -> bool:
        states = [one["content"]["execution_state"] for one in self.messages[ask] if one["msg_type"] == "status"]
        return "idle" in states

    def cell(self, ask: str) -> Cell:
        """What the cell shows by now."""
        return Cell(self.replies.get(ask, {}), self.messages[ask])

    def cleared(self) -> bool:
        """Take the extension and all names out; whether the kernel is as good as a new one then."""
        try:
            cleared = self.wait(self.start(CLEAR), CLEAR_S)
        except TimeoutError:
            return False
        self.messages.clear()
        self.replies.clear()
        return cleared.status == "ok"

    def interrupt(self) -> None:
        self.manager.interrupt_kernel()

    def stop(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)
        self.manager.cleanup_resources()


class Cell:
    """One execution: the kernel's reply and the outputs as a front end would hold them."""

    def __init__(self, reply: dict[str, Any], messages: list[dict[str, Any]]) -> None:
        self.reply = reply
        self.messages = messages
        self.outputs: list[dict[str, Any]] = []
        for message in messages:
            self._take(message["msg_type"], message["content"])

    def _take(self, kind: str, content: dict[str, Any]) -> None:
        if kind == "update_display_data":
            mine = [one for one in self.outputs if self._slot(one) == self._slot(content)]
            for output in mine:
                output.update(content)
        elif kind in ("display_data", "execute_result", "stream", "error"):
            self.outputs.append({"kind": kind, **content})

    @staticmethod
    def _slot(content: dict[str, Any]) -> str | None:
        slot = content.get("transient", {}).get("display_id")
        return str(slot) if slot else None

    @property
    def status(self) -> str:
        """`ok`, `error` or `aborted`; empty while it runs."""
        return str(self.reply.get("status", ""))

    @property
    def printed(self) -> str:
        return "".join(one["text"] for one in self.outputs if one["kind"] == "stream")

    @property
    def plain(self) -> list[str]:
        """The text/plain of every output that has one."""
        return ["".join(one["data"].get("text/plain", "")) for one in self.outputs if "data" in one]

    @property
    def traceback(self) -> list[str]:
        return [line for one in self.outputs if one["kind"] == "error" for line in one["traceback"]]

    @property
    def live(self) -> str:
        """Every widget text sent so far, as one string: what a person has seen growing."""
        states = [one["content"]["data"] for one in self.messages if one["msg_type"] in ("comm_open", "comm_msg")]
        return "\n".join(str(state.get("state", {}).get("value", "")) for state in states)
