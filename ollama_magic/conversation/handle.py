"""A turn on its way, as the main thread and the Stop button hold it."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ollama_magic.conversation.reply import COMPLETE, RUNNING, Reply
from ollama_magic.errors import TurnStopped
from ollama_magic.loop_thread import FINISH_S, Stoppable

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from ollama_magic.conversation.turn import RunningTurn
    from ollama_magic.loop_thread import LoopThread


class TurnHandle:
    """A turn on its way, as the main thread and the Stop button hold it."""

    def __init__(self, reply: Reply, loop_thread: LoopThread, cell: str | None = None) -> None:
        self.reply = reply
        self.cell = cell
        self.turn: RunningTurn | None = None  # from the moment that it is on its way
        self._task = Stoppable[Reply](loop_thread, lambda: reply.state == RUNNING)

    def run(self, coroutine: Coroutine[Any, Any, Reply]) -> None:
        """Start the turn."""
        self._task.start(coroutine)

    def stop(self) -> None:
        """Stop the turn, from any thread; the text so far is kept. A second call changes nothing."""
        self._task.stop()

    def wait(self) -> Reply:
        """Wait for a complete reply; raise TurnStopped, or the one line that says why there is none.

        After ■ that is TurnStopped even if the answer was complete by then, so that queued cells are aborted.
        """
        try:
            self._task.wait()
        except KeyboardInterrupt:
            self.stop()
            with suppress(KeyboardInterrupt):
                self.settle()
        else:
            if self.reply.state == COMPLETE:
                return self.reply
        raise self.reply.error or self._stopped()

    def settle(self, seconds: float = FINISH_S) -> None:
        """Wait until the turn is remembered and shown; a second ■ gives up waiting, not the turn."""
        self._task.settle(seconds)

    def _stopped(self) -> TurnStopped:
        if self.reply.state == COMPLETE:
            return TurnStopped("Stopped; the answer was complete by then.")
        kept = "the text so far is kept" if self.reply.text_parts else "no text had come, so nothing is remembered"
        return TurnStopped(f"Stopped; {kept}.")
