"""Answers of several models as text: one below the other, each below its heading, the current one streamed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ollama_magic.display.settled import state_mark
from ollama_magic.display.settled_columns import titles
from ollama_magic.display.terminal import FASTEST_S, TerminalView

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ollama_magic.conversation.reply import Reply


class TerminalColumns:
    """Which answer is printed now; the later ones wait for it.

    Args:
        before: The lines above all of them.
    """

    def __init__(self, before: Sequence[str]) -> None:
        self.before = before
        self.replies: list[Reply] = []
        self.current = 0
        self.ended: dict[int, Callable[[], None]] = {}

    def end(self, place: int, print_rest: Callable[[], None]) -> None:
        """Note that an answer has ended, and print the rest of all whose turn it is."""
        self.ended[place] = print_rest
        while self.current in self.ended:
            self.ended[self.current]()
            self.current += 1


class TerminalColumn(TerminalView):
    """Shows one reply below its heading."""

    def __init__(self, columns: TerminalColumns, place: int, *, background: bool = False) -> None:
        super().__init__(background=background)
        self._columns, self._place = columns, place
        self._headed = False

    def begin(self, reply: Reply, stop: Callable[[], None]) -> None:
        """Print the lines before all answers, once."""
        del stop
        self._columns.replies.append(reply)
        self._open()
        self._print_lines(self._columns.before if self._place == 0 else ())

    def show(self, reply: Reply) -> float:
        """Print what is new, if it is this answer's turn."""
        if self._columns.current != self._place or not reply.model:
            return FASTEST_S
        self._head(reply)
        return super().show(reply)

    def finish(self, reply: Reply) -> None:
        """Print the rest when it is this answer's turn; an answer without text says why."""

        def print_rest() -> None:
            self._head(reply)
            super(TerminalColumn, self).finish(reply)
            if not reply.text_parts and not self._background and (mark := state_mark(reply)):
                self._write(mark + "\n")

        self._columns.end(self._place, print_rest)

    def _head(self, reply: Reply) -> None:
        if not self._headed:
            self._headed = True
            self._write("\n" * (self._place > 0) + f"## {titles(self._columns.replies)[self._place]}\n\n")
            self._print_lines(reply.status.before)
