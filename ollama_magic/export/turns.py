"""The request of a turn: as it was sent, where that is still known, else put together again from what is kept."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING

from ollama_magic.conversation.conversation import messages_of
from ollama_magic.conversation.reply import CHAT
from ollama_magic.conversation.request import fingerprint
from ollama_magic.errors import InputError
from ollama_magic.ollama.protocol import ChatRequest

if TYPE_CHECKING:
    from ollama_magic.conversation.conversation import Conversation
    from ollama_magic.conversation.remembered import Turn
    from ollama_magic.conversation.session import Session
    from ollama_magic.ollama.address import Address

REBUILT = "Put together again: the turns that stand above this one now, and the options that are set now."
_THINKS: tuple[bool | str | None, ...] = (None, True, False, "low", "medium", "high", "max")
_FORMATS = (None, "json")


@dataclass(frozen=True)
class Sent:
    """A request, where it went (None: that is not known), and what is to be said about it."""

    request: ChatRequest
    host: Address | None = None
    notes: tuple[str, ...] = ()


def newest(session: Session) -> Sent:
    """The request that was sent last as a turn; raises InputError if there is none."""
    reply = session.last
    if reply is not None and reply.kind == CHAT and isinstance(reply.request, ChatRequest):
        return Sent(reply.request, reply.host)
    talk = session.conversation()
    if not talk.turns:
        raise InputError("Nothing was sent yet; a cell that begins with `%%chat` is the first.")
    turns = list(talk.turns)
    return _kept(session, talk, turns.index(max(turns, key=lambda turn: turn.number)))


def numbered(session: Session, number: int) -> Sent:
    """The request of a turn by its number in the history; raises InputError."""
    talk = session.conversation()
    count = len(talk.turns)
    if not 1 <= number <= count:
        said = f"a number from 1 to {count}; `%ollama history` shows them." if count else "a turn, and there is none."
        raise InputError(f"`%ollama export --turn` needs {said}")
    return _kept(session, talk, number - 1)


def _kept(session: Session, talk: Conversation, place: int) -> Sent:
    turn = talk.turns[place]
    letter = session.sent.of(turn.number)
    if letter is not None and isinstance(letter.request, ChatRequest):
        return Sent(letter.request, letter.host)
    return _put_together(session, talk, turn, list(talk.turns[:place]))


def _put_together(session: Session, talk: Conversation, turn: Turn, above: list[Turn]) -> Sent:
    """Options are not kept with a turn, but a fingerprint of its request is: it tells which likely one it was."""
    messages = messages_of(above, turn.prompt, turn.system)
    now = {**session.settings().options, **(talk.told("options") or {})}
    likely = ChatRequest(turn.model, messages, now)
    for options, think, form in product((now, {}), _THINKS, _FORMATS):
        request = replace(likely, options=options, think=think, format=form)
        if turn.asked and fingerprint(request, turn.digest) == turn.asked:
            return Sent(request)
    return Sent(likely, notes=(REBUILT,))
