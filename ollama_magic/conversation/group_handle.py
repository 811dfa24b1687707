"""Starts one prompt with several models at once; the handle stops and awaits all of their turns."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from ollama_magic.conversation.reply import COMPLETE, STOPPED, Reply
from ollama_magic.conversation.turn_group import Beside, TurnGroup
from ollama_magic.errors import TurnStopped
from ollama_magic.loop_thread import FINISH_S, interrupts_held

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ollama_magic.conversation.cell_run import Origin
    from ollama_magic.conversation.handle import TurnHandle
    from ollama_magic.conversation.interfaces import View
    from ollama_magic.conversation.request import Plan
    from ollama_magic.conversation.session import Session


class Asked(NamedTuple):
    """A plan, the host that it goes to (None: the session's own), and the view of its answer."""

    plan: Plan
    host: str | None
    view: View


def start_group(
    session: Session,
    columns: Sequence[Asked],
    origin: Origin,
    refresh: Callable[[], None],
    *,
    conversation: str | None,
    waited_for: bool,
) -> GroupHandle:
    """Start a turn for each of these, side by side; ■ is held back until all have started.

    `refresh` shows the settled answers once more, when another one is remembered.
    """
    group = TurnGroup(len(columns), refresh)
    for column in columns:
        session.server(column.host)  # an address that is none is refused before anything is sent
    handles: list[TurnHandle] = []
    more: dict[str, Any] = {"conversation": conversation, "waited_for": waited_for}
    with interrupts_held():
        try:
            for place, (plan, host, view) in enumerate(columns, 1):
                beside = Beside(group, place)
                handles.append(session.start_turn(plan, view, origin, host=host, beside=beside, **more))
        except BaseException:
            for handle in handles:
                handle.stop()
            session.loop_thread.call_soon(group.shrink, len(handles))
            raise
    return GroupHandle(group, handles)


class GroupHandle:
    """Stops and awaits turns that were asked side by side."""

    def __init__(self, group: TurnGroup, handles: Sequence[TurnHandle]) -> None:
        self._group = group
        self._handles = handles

    @property
    def replies(self) -> list[Reply]:
        """The replies, in the order in which they were asked."""
        return [handle.reply for handle in self._handles]

    def refresh(self) -> None:
        """Show the settled answers once more, with what was noted since."""
        self._group.refresh()

    def stop(self) -> None:
        """Stop all of them, from any thread; their texts so far are saved."""
        for handle in self._handles:
            handle.stop()

    def settle(self, seconds: float = FINISH_S) -> None:
        """Wait until all are stored and shown; a second ■ ends the waiting, not the turns."""
        for handle in self._handles:
            handle.settle(seconds)

    def wait(self) -> list[Reply]:
        """Wait until all have ended; one complete answer is enough, else the first error is raised, or TurnStopped."""
        try:
            for handle in self._handles:
                handle.join()
        except KeyboardInterrupt:
            self.stop()
            with suppress(KeyboardInterrupt):
                self.settle()
        else:
            if any(reply.state == COMPLETE for reply in self.replies):
                return self.replies
            for reply in self.replies:
                if reply.error is not None:
                    raise reply.error
        raise self._stopped()

    def _stopped(self) -> TurnStopped:
        if all(reply.state != STOPPED for reply in self.replies):
            return TurnStopped("Stopped; the answers were complete by then.")
        saved = "no text had arrived, so nothing is stored" if self._group.empty else "the texts so far are kept"
        return TurnStopped(f"Stopped; {saved}.")
