"""IPython in a pseudo-terminal, as a person at a keyboard has it."""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING

import pexpect

from tests.kernel.kernel import ROOT

if TYPE_CHECKING:
    from pathlib import Path

HANG_S = 40
FLAGS = ("--no-banner", "--no-confirm-exit", "--colors=nocolor")
ENVIRON = {"TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1", "PYTHONIOENCODING": "utf8"}
# IPython's own line editor switches these on when it asks and off when it hands over.
ASKS, HANDS_OVER = "\x1b[?2004h", "\x1b[?2004l"


class Terminal:
    """Types lines and reads what is written between a prompt and the next."""

    def __init__(self, folder: Path) -> None:
        self._count = 1
        self.child = pexpect.spawn(
            sys.executable,
            ["-m", "IPython", *FLAGS],
            env={
                **os.environ,
                "PYTHONPATH": str(ROOT),
                "TERM": "xterm",
                "PROMPT_TOOLKIT_NO_CPR": "1",
                "PYTHONIOENCODING": "utf8",
            },
            cwd=str(folder),
            encoding="utf8",
            timeout=HANG_S,
            dimensions=(50, 200),
        )
        self.child.expect(r"In \[1\]")

    def run(self, *lines: str) -> str:
        """Type lines, wait for the next prompt, and return what was written before it."""
        self.start(*lines)
        return self.wait()

    def start(self, *lines: str) -> None:
        """Type lines, one Return behind each, and wait until they are taken."""
        for line in lines[:-1]:
            self.child.send(f"{line}\r")
            self.child.expect(r"\.\.\.:")
        self.child.send(f"{lines[-1]}\r")
        self.child.expect_exact(HANDS_OVER)

    def wait(self) -> str:
        """Wait for the next prompt; return what was written since the lines were taken, or since the last `expect`."""
        self._count += 1
        self.child.expect_exact(ASKS)
        written = str(self.child.before)
        self.child.expect(rf"In \[{self._count}\]")
        return written.replace("\r\n", "\n")

    def expect(self, text: str) -> None:
        """Wait until the words are on the terminal."""
        self.child.expect(re.escape(text))

    def interrupt(self) -> None:
        """Press Ctrl-C."""
        self.child.sendintr()

    def leave(self) -> str:
        """Type exit; return what is written until the process has ended."""
        self.child.send("exit\r")
        self.child.expect(pexpect.EOF)
        return str(self.child.before)

    def close(self) -> None:
        self.child.close(force=True)
