"""A kernel and the two ways to stop what it does: ■, and the Stop button as JupyterLab sends its clicks."""

from __future__ import annotations

import time
from typing import Any

import zmq

from tests.kernel.kernel import Kernel

INTERRUPT, BUTTON = "■", "Stop"
GUARD_S = 20  # against hangs; what is promised is measured by the benchmark


class StoppingKernel(Kernel):
    """A kernel that can be stopped, and that notes when its replies come."""

    def __init__(self, environ: dict[str, str], **options: Any) -> None:
        super().__init__(environ, **options)
        self.replied_at: dict[str, float] = {}
        self._subshell = ""

    def listen(self) -> None:
        """Take in what has come, at the moment when it comes."""
        shell, iopub = self.client.shell_channel.socket, self.client.iopub_channel.socket
        ready, _, _ = zmq.select([shell, iopub], [], [], 0.02)
        while iopub in ready and iopub.poll(0):
            message = self.client.get_iopub_msg(timeout=0)
            self.messages[message["parent_header"].get("msg_id", "")].append(message)
        while shell in ready and shell.poll(0):
            reply = self.client.get_shell_msg(timeout=0)
            self.replied_at.setdefault(reply["parent_header"]["msg_id"], time.monotonic())
            self.replies[reply["parent_header"]["msg_id"]] = reply["content"]

    def updates(self) -> list[dict[str, Any]]:
        """Every update of a slot, whichever request ipykernel took for its cause."""
        sent = [message for messages in self.messages.values() for message in messages]
        return [message["content"] for message in sent if message["msg_type"] == "update_display_data"]

    def press(self, what: str, ask: str) -> None:
        """Press ■, or the Stop button of a cell's answer."""
        if what == INTERRUPT:
            self.interrupt()
        else:
            self.click(self.button(ask), self.subshell())

    def button(self, ask: str) -> str:
        """The comm of the Stop button; empty if the answer has none."""
        opened = [one["content"] for one in self.messages[ask] if one["msg_type"] == "comm_open"]
        states = [(content["comm_id"], content["data"]["state"]) for content in opened]
        return next((comm for comm, state in states if state.get("_model_name") == "ButtonModel"), "")

    def subshell(self) -> str:
        """JupyterLab keeps one subshell for all widgets of a kernel; its id stands in the header of their messages."""
        if not self._subshell:
            self.client.control_channel.send(self.client.session.msg("create_subshell_request", {}))
            self._subshell = self.client.get_control_msg(timeout=GUARD_S)["content"]["subshell_id"]
        return self._subshell

    def click(self, comm: str, subshell: str | None = None) -> None:
        """Send what JupyterLab sends when a button is clicked."""
        assert comm, "the answer has no Stop button"
        content = {"comm_id": comm, "data": {"method": "custom", "content": {"event": "click"}}}
        message = self.client.session.msg("comm_msg", content)
        if subshell:
            message["header"]["subshell_id"] = subshell
        self.client.shell_channel.send(message)
