"""The list of turns in a panel, of which only the newest are built as widgets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ollama_magic.conversation.reply import COMPLETE, RUNNING
from ollama_magic.panel.turn_widgets import TurnWidgets
from ollama_magic.turns.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ollama_magic.conversation.conversation import Conversation
    from ollama_magic.conversation.handle import TurnHandle
    from ollama_magic.display.widget_factory import WidgetFactory
    from ollama_magic.turns.turn_value import Turn

PORTION = 20  # turns that are built at once
LIMIT = 3 * PORTION  # most turns to build
LIVE = 6  # settled answers that keep their live widgets, because nothing should move while it is read

EMPTY = (
    '<div class="ollama-magic-empty"><p><strong>This conversation has no turns yet.</strong></p>'
    "<p>Ask below, or in a cell that begins with <code>%%chat</code>: it is one conversation.</p></div>"
)


class TurnList:
    """Shows the turns of one conversation; to be used on the loop, or before the panel listens."""

    def __init__(
        self,
        factory: WidgetFactory,
        ask: Callable[[TurnWidgets, str], None],
        keep: Callable[[TurnWidgets, Turn], None],
        wake: Callable[[], None],
    ) -> None:
        self._factory, self._ask, self._keep, self._wake = factory, ask, keep, wake
        self._name = ""
        self._hidden, self._limit = 0, LIMIT
        self._built: list[TurnWidgets] = []
        self._sent: list[TurnHandle] = []
        self._empty = factory.html(EMPTY)
        self._earlier = factory.button("", "Show earlier turns", "ollama-magic-earlier")
        self._earlier.on_click(lambda _: self._show_more())
        self._inner = factory.box([self._empty], "ollama-magic-inner")
        self.box: Any = factory.box([self._inner], "ollama-magic-turns")

    def sent(self, handle: TurnHandle) -> None:
        """Show this turn, even if it ends before the next update."""
        self._sent.append(handle)

    def refresh(self, conversation: Conversation, running: Sequence[TurnHandle]) -> None:
        """Update the list."""
        if conversation.name != self._name:
            self._name, self._hidden, self._limit = conversation.name, len(conversation.turns), LIMIT
            self._drop(self._built)
            self._built = []
        rows = self._rows(conversation, running)
        self._hide(len(rows))
        wanted = [self._turn(*row) for row in rows[self._hidden :]]
        self._thin(wanted, conversation)
        gone = [one for one in self._built if one not in wanted]
        self._built = wanted
        self._arrange(self._hidden)
        self._drop(gone)

    @property
    def turns(self) -> list[TurnWidgets]:
        """The built turns, in order."""
        return list(self._built)

    def close(self) -> None:
        """Close the widgets of all turns."""
        self._drop(self._built)

    def _rows(
        self, conversation: Conversation, running: Sequence[TurnHandle]
    ) -> list[tuple[Turn | None, TurnHandle | None, TurnWidgets | None]]:
        """Return turn, handle and widgets of each row.

        A turn that failed before any text is not stored, but shown until it is retried or another turn succeeds.
        """
        sent, self._sent = self._sent, []
        mine = [*running, *(one for one in sent if one not in running and not one.reply.text_parts)]
        mine = [one for one in mine if one.reply.conversation == conversation.name and one.turn is not None]
        begun = {one.turn.record.number: one for one in mine if one.turn and one.turn.record.number}
        turns = [turn for turn in conversation.turns if not turn.empty]
        known = {turn.number for turn in turns}
        rows: list[tuple[Turn | None, TurnHandle | None, TurnWidgets | None]] = [
            (turn, begun.get(turn.number), None) for turn in turns
        ]
        newest = turns[-1] if turns else None
        rows += [(None, None, one) for one in self._built if _came_to_nothing(one, known, mine, newest)]
        for handle in sorted(mine, key=lambda one: one.reply.status.started_at):
            if handle.turn and handle.turn.record.number not in known and _stands_alone(handle):
                rows.append((None, handle, None))
        return rows

    def _turn(self, turn: Turn | None, handle: TurnHandle | None, built: TurnWidgets | None) -> TurnWidgets:
        for one in self._built:
            if (
                one is built
                or (handle is not None and one.handle is handle)
                or (turn and one.turn.number == turn.number)
            ):
                one.update(turn)
                return one
        if handle is not None:
            made = TurnWidgets.running(handle, self._ask, self._keep)
            made.update(turn)
            return made
        assert turn is not None, "a turn that is not running is stored"
        return TurnWidgets(turn, self._ask, self._keep)

    def _thin(self, wanted: Sequence[TurnWidgets], conversation: Conversation) -> None:
        settled = [one for one in wanted if one.live and one.handle and one.handle.reply.state != RUNNING]
        for one in settled[:-LIVE]:
            turn = conversation.journal.turn(one.turn.number)
            if turn is not None and turn.state != RUNNING:
                one.thin(turn)

    def _arrange(self, hidden: int) -> None:
        children = [one.root for one in self._built] or [self._empty]
        if hidden:
            self._factory.set(self._earlier, "description", counted(hidden, "earlier turn"))
            children.insert(0, self._earlier)
        self._factory.set(self._inner, "children", tuple(children))

    def _hide(self, count: int) -> None:
        """Decide how many turns to hide; built turns stay until there are too many."""
        self._hidden = max(0, min(self._hidden, count - PORTION))
        if count - self._hidden > self._limit:
            self._hidden = count - self._limit + PORTION

    def _show_more(self) -> None:
        self._hidden = max(0, self._hidden - PORTION)
        self._limit = max(LIMIT, len(self._built) + 2 * PORTION)
        self._wake()

    @staticmethod
    def _drop(gone: Sequence[TurnWidgets]) -> None:
        for one in gone:
            one.close()


def _stands_alone(handle: TurnHandle) -> bool:
    """Whether a turn is asked alone, or is the first of those that are asked side by side."""
    group = handle.turn.group
    return group is None or (group.replies[0] is handle.reply and not group.number)


def _came_to_nothing(one: TurnWidgets, known: set[int], running: Sequence[TurnHandle], newest: Turn | None) -> bool:
    """Whether a panel's turn failed or was stopped before any text, and no other turn came since."""
    handle = one.handle
    if handle is None or handle in running or one.turn.number in known or handle.cell is not None or one.retried:
        return False
    if handle.reply.state in (RUNNING, COMPLETE) or handle.reply.text_parts:
        return False
    return newest is None or newest.number <= max(one.since, one.turn.number)
