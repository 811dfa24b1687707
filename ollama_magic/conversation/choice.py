"""Chooses another one of the answers that stand side by side: that one is remembered from then on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ollama_magic.conversation.changes import BEGAN_WITH
from ollama_magic.conversation.record import OLDER, older_note
from ollama_magic.errors import InputError
from ollama_magic.turns.turn_value import RUNNING

if TYPE_CHECKING:
    from ollama_magic.conversation.conversation import Conversation
    from ollama_magic.conversation.session import Session
    from ollama_magic.turns.turn_value import Turn


def choose(session: Session, turn: Turn, column: Turn) -> int:
    """Let one of a turn's alternatives count instead of it, as a step; return how many later answers are older.

    Raises:
        InputError: One of the answers is still running, or they are not part of the conversation.
    """
    conversation = session.conversation(turn.conversation)
    if any(one.state == RUNNING for one in turn.columns):
        raise InputError("That turn is still running; `%ollama stop` ends it, then choose again.")
    if not turn.counts:
        raise InputError("These answers are no longer part of the conversation; run their cell again.")
    older = _choose(conversation, turn, column)
    group = next((group for group in session.groups if group.number == turn.group), None)
    if group is not None:
        for reply in group.replies:
            reply.notes = tuple(note for note in reply.notes if not note.endswith(OLDER))
        chosen = group.remember(column.column)
        chosen.notes += (older_note(older),) if older else ()
        session.last = chosen if session.last in group.replies else session.last
        group.refresh()
    session.journal.notify()
    return older


def follow_choice(session: Session, turn: Turn) -> None:
    """Let `last` be the reply that counts, after undo or redo of a choice in this turn's group."""
    group = next((group for group in session.groups if group.number == turn.group), None)
    turns = session.conversation(turn.conversation).turns
    counting = next((one for one in turns if one.group == turn.group), None)
    if group is None or counting is None:
        return
    remembered = group.remember(counting.column)
    session.last = remembered if session.last in group.replies else session.last


def _choose(conversation: Conversation, turn: Turn, column: Turn) -> int:
    journal = conversation.journal
    with journal.transaction():
        step = journal.new_step()
        journal.choose(column, step)
        first = conversation.turns[0]
        if first.group == turn.group and conversation.setting(BEGAN_WITH) == turn.model:
            conversation.set_setting(BEGAN_WITH, column.model, step)
        now = next(one for one in conversation.turns if one.number == column.number)
        return sum(one.number < now.since for one in conversation.behind(now))
