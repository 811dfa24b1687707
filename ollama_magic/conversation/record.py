"""What one turn leaves in the journal: that it began, its text as it comes, how it ended, whom that makes older."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ollama_magic.conversation.reply import COMPLETE

if TYPE_CHECKING:
    from ollama_magic.conversation.cell_run import CellRun
    from ollama_magic.conversation.conversation import Conversation
    from ollama_magic.conversation.remembered import Turn
    from ollama_magic.conversation.reply import Reply
    from ollama_magic.conversation.sent import SentTurns


class Record:
    """The trace of a turn in its conversation."""

    def __init__(self, conversation: Conversation, run: CellRun, reply: Reply, sent: SentTurns) -> None:
        self._conversation = conversation
        self._run = run
        self._reply = reply
        self._sent = sent
        self._turn: Turn | None = None
        self._reused = False
        self._texts = self._thoughts = 0

    @property
    def number(self) -> int:
        """The turn's number in the notebook, 0 before it has begun."""
        return self._turn.number if self._turn is not None else 0

    def history(self) -> list[Turn]:
        """The turns that this one is sent after."""
        return self._conversation.above(self._run.origin.cell)

    def begin(self, prompt: str, system: str, asked: str) -> None:
        """Note that the turn begins; `asked` is the fingerprint of its request."""
        reply, run = self._reply, self._run
        self._turn = self._conversation.begin(prompt, run.origin.cell, system, asked, reply.form, run.step)
        self._sent.note(self._turn.number, reply)

    def reuse(self, asked: str) -> bool:
        """Take the kept answer of the cell's previous run, if it is complete and was asked for in just this way."""
        kept = next((old for old in self._run.replaced if old.asked == asked and old.state == COMPLETE), None)
        if kept is None:
            return False
        self._run.take_back(kept)
        self._turn, self._reused = kept, True
        self._sent.note(kept.number, self._reply)
        self._reply.text_parts.append(kept.text)
        if kept.thinking:
            self._reply.thinking_parts.append(kept.thinking)
        self._reply.notes = ("kept answer: nothing that it depends on has changed",)
        return True

    def grow(self) -> None:
        """Note what has come since the last time."""
        if self._turn is None or self._reused:
            return
        texts, thoughts = self._reply.text_parts[self._texts :], self._reply.thinking_parts[self._thoughts :]
        self._texts, self._thoughts = self._texts + len(texts), self._thoughts + len(thoughts)
        self._conversation.grow(self._turn, "".join(texts), "".join(thoughts))

    def end(self) -> None:
        """Note how the turn ended; without a trace of it, what the cell had before counts again."""
        if self._reused:
            return
        if self._turn is not None:
            self.grow()
            self._conversation.end(self._turn, self._reply)
        if self._turn is None or self._turn.empty:
            self._run.came_to_nothing()
        else:
            self._tell_what_is_older(self._turn)

    def _tell_what_is_older(self, turn: Turn) -> None:
        """Answers of later cells were made without this one, if it differs from the one that it replaces."""
        same = any(old.prompt == turn.prompt and old.text == turn.text for old in self._run.replaced)
        older = [one for one in self._conversation.behind(turn) if one.number < turn.number]
        if older and not same:
            count = "1 later answer is" if len(older) == 1 else f"{len(older)} later answers are"
            self._reply.notes = (*self._reply.notes, f"{count} older than this")


class NoRecord(Record):
    """The trace of a turn that sends no history and leaves none."""

    def history(self) -> list[Turn]:
        """Nothing stands above."""
        return []

    def begin(self, prompt: str, system: str, asked: str) -> None:
        """Nothing is noted but that this was sent last."""
        del prompt, system, asked
        self._sent.newest = self._reply.request

    def reuse(self, asked: str) -> bool:
        """Nothing was kept."""
        del asked
        return False

    def end(self) -> None:
        """Nothing is noted; what the cell had before counts again if this came to nothing."""
        if self._reply.state != COMPLETE and not self._reply.text_parts:
            self._run.refused = True
