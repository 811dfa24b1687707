"""The request of a turn: as it was sent if that is known, else rebuilt from what is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ollama_magic.conversation.reply import CHAT
from ollama_magic.conversation.request import fingerprint, request_of
from ollama_magic.conversation.sent_requests import SentRequest
from ollama_magic.errors import InputError
from ollama_magic.ollama.protocol import ChatRequest

if TYPE_CHECKING:
    from ollama_magic.conversation.session import Session
    from ollama_magic.turns.turn_value import Turn

REBUILT = "Rebuilt from what is stored: the turn's own options, and the turns that are above it now."


def newest(session: Session) -> SentRequest:
    """Return the newest request of a turn; raise InputError if there is none."""
    reply = session.last
    known = reply is not None and session.sent.has(reply.request)
    if known and reply is not None and reply.kind == CHAT and isinstance(reply.request, ChatRequest):
        return SentRequest(reply.request, reply.host, tools=reply.tools)
    turns = session.conversation().turns
    if not turns:
        raise InputError("Nothing was sent yet; run a cell that begins with `%%chat`.")
    place = max(range(len(turns)), key=lambda place: turns[place].number)
    return _stored(session, turns[place], turns[:place])


def numbered(session: Session, number: int) -> SentRequest:
    """Return the request of a turn by its number in the history; raise InputError if there is none."""
    turns = session.conversation().turns
    if not 1 <= number <= len(turns):
        needed = (
            f"a number from 1 to {len(turns)}; `%ollama history` shows them." if turns else "a turn; there is none."
        )
        raise InputError(f"`%ollama export --turn` needs {needed}")
    return _stored(session, turns[number - 1], turns[: number - 1])


def _stored(session: Session, turn: Turn, above: tuple[Turn, ...]) -> SentRequest:
    sent = session.sent.of(turn.number)
    if sent is not None:
        return sent
    request = request_of(turn, above)
    as_sent = turn.fingerprint == fingerprint(request, turn.settings.digest)
    return SentRequest(request, notes=() if as_sent else (REBUILT,))
