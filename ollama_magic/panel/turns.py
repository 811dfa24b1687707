"""The list of turns in a panel: only what is near its end is built; what comes, goes or moves is fitted in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ollama_magic.conversation.reply import COMPLETE, RUNNING
from ollama_magic.panel.turn import PanelTurn

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ollama_magic.conversation.conversation import Conversation
    from ollama_magic.conversation.handle import TurnHandle
    from ollama_magic.conversation.remembered import Turn
    from ollama_magic.display.kit import WidgetKit

PORTION = 20  # turns that are built at once
MOST = 3 * PORTION  # turns that are kept built
LIVE = 6  # settled answers that keep their live widgets: the reader is there, and nothing is to move

EMPTY = (
    '<div class="ollama-magic-empty"><p><strong>Nothing has been said here yet.</strong></p>'
    "<p>Ask below, or in a cell that begins with <code>%%chat</code>: it is one conversation.</p></div>"
)


class TurnList:
    """Shows the turns of one conversation; all of it happens on the loop, or before anybody listens."""

    def __init__(self, kit: WidgetKit, ask: Callable[[PanelTurn, str], None], wake: Callable[[], None]) -> None:
        self._kit, self._ask, self._wake = kit, ask, wake
        self._name = ""
        self._hidden, self._most = 0, MOST
        self._built: list[PanelTurn] = []
        self._sent: list[TurnHandle] = []
        self._empty = kit.html(EMPTY)
        self._earlier = kit.button("", "Show what was said before", "ollama-magic-earlier")
        self._earlier.on_click(lambda _: self._show_more())
        self._inner = kit.box([self._empty], "ollama-magic-inner")
        self.box: Any = kit.box([self._inner], "ollama-magic-turns")

    def sent(self, handle: TurnHandle) -> None:
        """Show this turn, even if it is over before anybody looks."""
        self._sent.append(handle)

    def refresh(self, talk: Conversation, running: Sequence[TurnHandle]) -> None:
        """Show the conversation as it is now."""
        if talk.name != self._name:
            self._name, self._hidden, self._most = talk.name, len(talk.turns), MOST
            self._drop(self._built)
            self._built = []
        rows = self._rows(talk, running)
        self._hide(len(rows))
        wanted = [self._turn(*row) for row in rows[self._hidden :]]
        self._thin(wanted, talk)
        gone = [one for one in self._built if one not in wanted]
        self._built = wanted
        self._arrange(self._hidden)
        self._drop(gone)

    @property
    def turns(self) -> list[PanelTurn]:
        """The turns that are built, in their order."""
        return list(self._built)

    def close(self) -> None:
        """Close the widgets of all turns."""
        self._drop(self._built)

    def _rows(
        self, talk: Conversation, running: Sequence[TurnHandle]
    ) -> list[tuple[Turn | None, TurnHandle | None, PanelTurn | None]]:
        """Turn, handle and widgets of all that is to be seen.

        What failed before any text is seen until it is asked again or another turn goes well; nothing remembers it.
        """
        sent, self._sent = self._sent, []
        mine = [*running, *(one for one in sent if one not in running and not one.reply.text_parts)]
        mine = [one for one in mine if one.reply.conversation == talk.name and one.turn is not None]
        begun = {one.turn.record.number: one for one in mine if one.turn and one.turn.record.number}
        turns = [turn for turn in talk.turns if not turn.empty]
        known = {turn.number for turn in turns}
        rows: list[tuple[Turn | None, TurnHandle | None, PanelTurn | None]] = [
            (turn, begun.get(turn.number), None) for turn in turns
        ]
        newest = turns[-1] if turns else None
        rows += [(None, None, one) for one in self._built if _came_to_nothing(one, known, mine, newest)]
        for handle in sorted(mine, key=lambda one: one.reply.started_at):
            if handle.turn and handle.turn.record.number not in known:
                rows.append((None, handle, None))
        return rows

    def _turn(self, turn: Turn | None, handle: TurnHandle | None, built: PanelTurn | None) -> PanelTurn:
        for one in self._built:
            if one is built or (handle is not None and one.handle is handle) or (turn and one.number == turn.number):
                one.tell(turn)
                return one
        if handle is not None:
            made = PanelTurn.running(handle, self._ask)
            made.tell(turn)
            return made
        assert turn is not None, "what is not on its way is remembered"
        return PanelTurn.settled(turn, self._ask)

    def _thin(self, wanted: Sequence[PanelTurn], talk: Conversation) -> None:
        settled = [one for one in wanted if one.live and one.handle and one.handle.reply.state != RUNNING]
        for one in settled[:-LIVE]:
            turn = talk.journal.fold.turn(one.number)
            if turn is not None and turn.state != RUNNING:
                one.thin(turn)

    def _arrange(self, hidden: int) -> None:
        children = [one.root for one in self._built] or [self._empty]
        if hidden:
            text = f"{hidden:,} earlier turn{'s' * (hidden != 1)}"
            if self._earlier.description != text:
                self._kit.set(self._earlier, "description", text)
            children.insert(0, self._earlier)
        if self._inner.children != tuple(children):
            self._kit.set(self._inner, "children", tuple(children))

    def _hide(self, count: int) -> None:
        """Build what is near the end; what is built stays, until it is too much."""
        self._hidden = max(0, min(self._hidden, count - PORTION))
        if count - self._hidden > self._most:
            self._hidden = count - self._most + PORTION

    def _show_more(self) -> None:
        self._hidden = max(0, self._hidden - PORTION)
        self._most = max(MOST, len(self._built) + 2 * PORTION)
        self._wake()

    @staticmethod
    def _drop(gone: Sequence[PanelTurn]) -> None:
        for one in gone:
            one.close()


def _came_to_nothing(one: PanelTurn, known: set[int], running: Sequence[TurnHandle], newest: Turn | None) -> bool:
    """Whether this is a turn of a panel that has failed or was stopped before any text, and nothing came since."""
    handle = one.handle
    if handle is None or handle in running or one.number in known or handle.cell is not None or one.asked_again:
        return False
    if handle.reply.state in (RUNNING, COMPLETE) or handle.reply.text_parts:
        return False
    return newest is None or newest.number <= max(one.since, one.number)
