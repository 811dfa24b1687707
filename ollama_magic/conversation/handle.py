"""The handle of a running turn, for the main thread and the Stop button."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ollama_magic.conversation.reply import COMPLETE, RUNNING, Reply
from ollama_magic.errors import TurnStopped
from ollama_magic.loop_thread import FINISH_S, Stoppable

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from ollama_magic.conversation.running_turn import RunningTurn
    from ollama_magic.loop_thread import LoopThread


class TurnHandle:
    """Starts, stops and awaits one turn."""

    def __init__(self, turn: RunningTurn, loop_thread: LoopThread) -> None:
        self.turn = turn
        self.reply = turn.reply
        self._task = Stoppable[Reply](loop_thread, lambda: turn.reply.state == RUNNING)

    @property
    def cell(self) -> str | None:
        """The cell that asked, None without one."""
        return self.turn.record.cell

    def start(self, coroutine: Coroutine[Any, Any, Reply]) -> None:
        """Start the turn."""
        self._task.start(coroutine)

    def stop(self) -> None:
        """Stop the turn from any thread; its text so far is saved. A second call does nothing."""
        self._task.stop()

    def wait(self) -> Reply:
        """Wait for a complete reply, and run its tools in this thread; raise the reply's error, or TurnStopped.

        After ■ it raises TurnStopped even if the answer was complete by then, so that queued cells are aborted.
        """
        try:
            self.join()
        except KeyboardInterrupt:
            self.stop()
            with suppress(KeyboardInterrupt):
                self.settle()
        else:
            if self.reply.state == COMPLETE:
                return self.reply
        raise self.reply.error or self._stopped()

    def join(self) -> None:
        """Wait for the end, however it ends, and run the turn's tools in this thread; ■ stops nothing but the wait."""
        self.turn.main.wait(self.turn, self._task.future)

    def serve(self) -> None:
        """Run in this thread the tools that wait for it: for threads that wait for the turn in their own way."""
        self.turn.main.serve_turn(self.turn)

    def settle(self, seconds: float = FINISH_S) -> None:
        """Wait until the turn is stored and shown; a second ■ ends the waiting, not the turn."""
        self._task.settle(seconds)

    def _stopped(self) -> TurnStopped:
        if self.reply.state == COMPLETE:
            return TurnStopped("Stopped; the answer was complete by then.")
        begun = self.reply.text_parts or self.reply.steps
        saved = "the text so far is kept" if begun else "no text had arrived, so nothing is stored"
        return TurnStopped(f"Stopped; {saved}.")
