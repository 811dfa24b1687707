"""How turns that were asked side by side are written to the journal: each for itself, and their end together."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ollama_magic.conversation.record import REUSED, NoRecord, Record
from ollama_magic.conversation.side_by_side import main_of
from ollama_magic.turns.turn_value import COMPLETE, Turn

if TYPE_CHECKING:
    from ollama_magic.conversation.cell_run import CellRun
    from ollama_magic.conversation.conversation import Conversation
    from ollama_magic.conversation.reply import Reply
    from ollama_magic.conversation.request import Plan
    from ollama_magic.conversation.sent_requests import SentRequests
    from ollama_magic.conversation.turn_group import Beside


def record_for(
    plan: Plan, conversation: Conversation, run: CellRun, reply: Reply, sent: SentRequests, beside: Beside | None
) -> Record:
    """Return what writes a turn down: alone or in a group, and nothing of it if it is asked once."""
    if beside is None:
        return (NoRecord if plan.once else Record)(conversation, run, reply, sent)
    return (NoGroupRecord if plan.once else GroupRecord)(conversation, run, reply, sent, beside)


class GroupRecord(Record):
    """Writes one turn of a group; the last one to end sees to what the group has come to."""

    def __init__(
        self, conversation: Conversation, run: CellRun, reply: Reply, sent: SentRequests, beside: Beside
    ) -> None:
        super().__init__(conversation, run, reply, sent)
        self._group, self._column = beside.group, beside.column

    def history(self) -> list[Turn]:
        """The turns that this one is sent after, without the others of its group."""
        return [turn for turn in super().history() if not turn.group or turn.group != self._group.number]

    def begin(self, fingerprint: str) -> None:
        """Note that the turn begins beside the others."""
        super().begin(fingerprint)
        if self._turn is not None:
            self._group.number = self._turn.group

    def reuse(self, fingerprint: str) -> bool:
        """Begin the turn with the stored answer of the cell's previous run to the same request, if it is complete."""
        stored = self._saved_answer(fingerprint)
        if stored is None:
            return False
        self.begin(fingerprint)
        self._reply.text_parts.append(stored.text)
        if stored.thinking:
            self._reply.thinking_parts.append(stored.thinking)
        self._reply.stats, self._reply.done_reason = stored.outcome.stats, stored.outcome.done_reason
        self._reply.notes = (REUSED,)
        return True

    def end(self) -> None:
        """Note how the turn ended; after the last one, which is remembered."""
        if self._turn is not None:
            self.grow()
            self._journal.end(self._turn, self._reply.turn.outcome)
        if self._group.end_one():
            self._end_group()

    def _saved_answer(self, fingerprint: str) -> Turn | None:
        """Return the answer of this column's host; that of a host which is not in the group counts as well."""
        columns = (column for old in self._run.replaced for column in old.columns)
        found = [old for old in columns if old.fingerprint == fingerprint and old.state == COMPLETE]
        others = {reply.host.url for reply in self._group.replies if reply.host} - {self._reply.settings.host}
        possible = [old for old in found if old.settings.host not in others]
        return max(possible, key=lambda old: old.settings.host == self._reply.settings.host, default=None)

    def _asked(self, fingerprint: str) -> Turn:
        return replace(super()._asked(fingerprint), group=self._group.number, column=self._column)

    def _end_group(self) -> None:
        with self._journal.transaction() as fold:
            first = fold.turn(self._group.number)
            main = main_of(fold.group_of(first)) if first is not None else None
        if main is None or main.empty:
            self._run.came_to_nothing()
            return
        self._conversation.begin_with(main, main.step)
        self._note_older_answers(main, self._group.remember(main.column))


class NoGroupRecord(NoRecord):
    """A turn of a group that sends no history and is not stored."""

    def __init__(
        self, conversation: Conversation, run: CellRun, reply: Reply, sent: SentRequests, beside: Beside
    ) -> None:
        super().__init__(conversation, run, reply, sent)
        self._group = beside.group

    def end(self) -> None:
        """Mark a run of which nothing came as refused, so that the cell's earlier turns still count."""
        if self._group.end_one() and self._group.empty:
            self._run.refused = True
