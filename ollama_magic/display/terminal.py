"""Plain text for a terminal, a script or a thread: the answer is streamed to stdout."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

from ollama_magic.conversation.reply import RUNNING, STOPPED
from ollama_magic.display.settled import state_mark
from ollama_magic.display.stdout import write
from ollama_magic.display.steps import step_line
from ollama_magic.foreign import one_line, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ollama_magic.conversation.reply import Reply

FASTEST_S = 1 / 30
_DIM, _PLAIN = "\x1b[2m", "\x1b[22m"
# An incomplete character, such as an emoji with a joiner, waits for its rest; so does half an escape.
_UNFINISHED = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*\Z"
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x90\x98\x9c-\x9f\n]{0,1024}\x1b?\Z"
    r"|\x1b[ -/]*\Z|[^\x00-\x7f]{1,12}\Z|\r\Z"
)
_HALF_A_LINE = re.compile(r"(?<![^\n])[^\n]+\Z")  # beside a prompt: a terminal draws the prompt over half a line


class _Stream:
    """Returns the new text of a list of parts, printable in a terminal."""

    def __init__(self, unfinished: re.Pattern[str] = _UNFINISHED) -> None:
        self._seen = 0
        self._held = ""
        self._unfinished = unfinished

    def take(self, parts: list[str], *, last: bool = False) -> str:
        new = parts[self._seen :]
        self._seen += len(new)
        text, self._held = self._held + "".join(new), ""
        unfinished = None if last else self._unfinished.search(text)
        if unfinished:
            text, self._held = text[: unfinished.start()], unfinished[0]
        return printable(text)


class TerminalView:
    """Shows one reply as text; thinking only in an interactive terminal, dimmed."""

    asks = False  # it has no buttons

    def __init__(self, *, background: bool = False) -> None:
        self._background = background
        unfinished = _HALF_A_LINE if background else _UNFINISHED
        self._text = _Stream(unfinished)
        self._thinking = _Stream(unfinished)
        self._waiting = ""
        self._dimmed = False
        self._wrote = ""
        self._steps = 0

    def begin(self, reply: Reply, stop: Callable[[], None]) -> None:  # noqa: ARG002 (■ and Ctrl-C stop a terminal's turn)
        """Print the line before."""
        self._open()
        self._print_lines(reply.status.before)

    def show(self, reply: Reply) -> float:
        """Print what is new."""
        self._show(reply, last=False)
        return FASTEST_S

    def finish(self, reply: Reply) -> None:
        """Print the rest, the mark of an answer that is not complete, and a newline."""
        self._show(reply, last=True)
        self._undim()
        text = bool(reply.text_parts)
        mark = state_mark(reply) if text or self._background else ""
        echoed = self._watched and not self._background and reply.state == STOPPED  # ^C, by the terminal itself
        if (text or echoed) and not self._wrote.endswith("\n"):
            self._write("\n")
        if mark:
            self._write(("\n" if text else "") + mark + "\n")
        for note in reply.notes:
            self._write(self._quiet(one_line(note)) + "\n")

    def refresh_settled(self, reply: Reply) -> None:
        """Do nothing: printed text stays."""

    def _show(self, reply: Reply, *, last: bool) -> None:
        if self._watched:
            self._wait(reply)
            if not reply.status.rewritten or reply.steps:  # else it was printed already, as text
                self._think(self._thinking.take(reply.thinking_parts, last=last))
        self._show_steps(reply)
        text = self._text.take(reply.text_parts, last=last)
        if text:
            self._undim()
            self._write(text)

    def _show_steps(self, reply: Reply) -> None:
        """Print each call when it has ended, on a line of its own; all of them in their order."""
        steps = list(reply.steps)
        while self._steps < len(steps) and (steps[self._steps].ended or reply.state != RUNNING):
            self._undim()
            if self._wrote and not self._wrote.endswith("\n"):
                self._write("\n")
            self._write(self._quiet(step_line(steps[self._steps])) + "\n")
            self._steps += 1

    def _wait(self, reply: Reply) -> None:
        if reply.status.waiting != self._waiting:
            self._waiting = reply.status.waiting
            if reply.status.waiting:
                self._write(self._quiet(one_line(reply.status.waiting)) + "\n")

    def _think(self, text: str) -> None:
        if text and not self._dimmed:
            self._dimmed = True
            self._write(_DIM)
        if text:
            self._write(text)

    def _open(self) -> None:
        self._watched = bool(getattr(sys.stdout, "isatty", bool)())

    def _print_lines(self, lines: Sequence[str]) -> None:
        for line in lines:
            self._write(self._quiet(one_line(line)) + "\n")

    def _undim(self) -> None:
        if self._dimmed:
            self._dimmed = False
            self._write(_PLAIN + ("\n" if self._wrote.endswith("\n") else "\n\n"))

    def _quiet(self, line: str) -> str:
        return f"{_DIM}{line}{_PLAIN}" if self._watched else line

    def _write(self, text: str) -> None:
        self._wrote = text
        write(text)
