"""How one turn is written to the journal: its beginning, its text as it arrives, its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ollama_magic.turns.turn_value import COMPLETE, Turn
from ollama_magic.turns.wording import counted

if TYPE_CHECKING:
    from ollama_magic.conversation.cell_run import CellRun, Origin
    from ollama_magic.conversation.conversation import Conversation
    from ollama_magic.conversation.reply import Reply
    from ollama_magic.conversation.sent_requests import SentRequests
    from ollama_magic.turns.tool_steps import ToolStep


OLDER = "older than this"
REUSED = "kept answer: nothing it depends on has changed"


class Record:
    """Writes one turn to its conversation's journal."""

    def __init__(self, conversation: Conversation, run: CellRun, reply: Reply, sent: SentRequests) -> None:
        self._conversation = conversation
        self._journal = conversation.journal
        self._run = run
        self._reply = reply
        self._sent = sent
        self._turn: Turn | None = None  # as it began
        self._reused = False
        self._rewritten = 0
        self._steps: list[ToolStep] = []  # as the journal has them
        self._texts = self._thoughts = 0

    @property
    def origin(self) -> Origin:
        """The execution that asked."""
        return self._run.origin

    @property
    def cell(self) -> str | None:
        """The cell that asked, None without one."""
        return self.origin.cell

    @property
    def number(self) -> int:
        """The turn's number in the notebook, 0 before it has begun."""
        return self._turn.number if self._turn is not None else 0

    def history(self) -> list[Turn]:
        """The turns that this one is sent after."""
        return self._conversation.above(self.cell)

    def begin(self, fingerprint: str) -> None:
        """Note that the turn begins, with what its request depends on."""
        self._turn = self._journal.begin(self._asked(fingerprint), self._run.step)
        self._sent.note(self._turn.number, self._reply)

    def _asked(self, fingerprint: str) -> Turn:
        return Turn(
            self._reply.prompt,
            settings=self._reply.settings,
            conversation=self._conversation.name,
            cell=self.cell,
            fingerprint=fingerprint,
            attachments=self._reply.attachments,
        )

    def reuse(self, fingerprint: str) -> bool:
        """Use the stored answer of the cell's previous run, if it is complete and its request was the same."""
        replaced = self._run.replaced
        stored = next((old for old in replaced if old.fingerprint == fingerprint and old.state == COMPLETE), None)
        if stored is None:
            return False
        self._run.take_back(stored)
        self._turn, self._reused = stored, True
        self._sent.note(stored.number, self._reply)
        self._reply.text_parts.append(stored.text)
        self._reply.steps += stored.steps
        if stored.thinking:
            self._reply.thinking_parts.append(stored.thinking)
        self._reply.stats, self._reply.done_reason = stored.outcome.stats, stored.outcome.done_reason
        self._reply.notes = (REUSED,)
        return True

    def grow(self) -> None:
        """Append what has arrived since the last call."""
        if self._turn is None or self._reused:
            return
        texts, thoughts = self._reply.text_parts[self._texts :], self._reply.thinking_parts[self._thoughts :]
        self._texts, self._thoughts = self._texts + len(texts), self._thoughts + len(thoughts)
        self._note_steps(self._turn)
        if self._reply.status.rewritten > self._rewritten:
            self._rewritten = self._reply.status.rewritten
            now = self._reply.turn
            self._journal.rewrite(self._turn, now.text, now.thinking)
        else:
            self._journal.grow(self._turn, "".join(texts), "".join(thoughts))

    def _note_steps(self, turn: Turn) -> None:
        for place, step in enumerate(list(self._reply.steps)):
            if self._steps[place : place + 1] != [step]:
                self._steps[place : place + 1] = [step]
                self._journal.note_step(turn, place, step)

    def end(self) -> None:
        """Note how the turn ended; if nothing of it is stored, the cell's earlier turns are restored."""
        if self._reused:
            return
        if self._turn is not None:
            self.grow()
            self._conversation.end(self._turn, self._reply.turn)
        turn = self._journal.turn(self.number)
        if turn is None or turn.empty:
            self._run.came_to_nothing()
        else:
            self._note_older_answers(turn, self._reply)

    def _note_older_answers(self, turn: Turn, reply: Reply) -> None:
        """Note how many later answers did not see this turn, if it differs from the one that it replaces."""
        said = (turn.prompt, turn.attachments, turn.text)
        same = any((old.prompt, old.attachments, old.text) == said for old in self._run.replaced)
        older = [one for one in self._conversation.behind(turn) if one.number < turn.number]
        if older and not same:
            reply.notes = (*reply.notes, older_note(len(older)))


def older_note(count: int) -> str:
    """Return the note that so many later answers have not seen this one."""
    return f"{counted(count, 'later answer')} {'is' if count == 1 else 'are'} {OLDER}"


class NoRecord(Record):
    """A turn that sends no history and is not stored."""

    def history(self) -> list[Turn]:
        """Nothing stands above."""
        return []

    def begin(self, fingerprint: str) -> None:
        """Remember only that this was sent last."""
        del fingerprint
        self._sent.newest = self._reply.request

    def reuse(self, fingerprint: str) -> bool:
        """Nothing was stored."""
        del fingerprint
        return False

    def end(self) -> None:
        """Mark a run without any text as refused, so that the cell's earlier turns still count."""
        if self._reply.state != COMPLETE and not self._reply.text_parts and not self._reply.steps:
            self._run.refused = True
