"""What a page asks for that missed the end of an answer: the settled bundles of outputs that call themselves running.

A page that was loaded in mid-answer no longer knows the display id; after a kill nobody settles. What a page says is
checked before it is believed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ollama_magic.conversation.remembered import reply_of
from ollama_magic.conversation.reply import RUNNING
from ollama_magic.display.slot import settled_of

if TYPE_CHECKING:
    from ollama_magic.conversation.remembered import Turn
    from ollama_magic.conversation.session import Session

MOST = 200  # outputs asked about at once


def answers(shell: Any, session: Session, asked: object, footer: str) -> list[dict[str, object]]:
    """For each output that is asked about and known, its bundle and what it says of itself."""
    found: list[dict[str, object]] = []
    for label in asked[:MOST] if isinstance(asked, list) else ():
        slot = label.get("slot") if isinstance(label, dict) else None
        if isinstance(slot, str) and (known := settled_of(shell).get(slot) or _from_the_store(session, label, footer)):
            bundle, state = known
            found.append({"bundle": bundle, "label": {"slot": slot, **state}})
    return found


def _from_the_store(
    session: Session, label: dict[str, Any], footer: str
) -> tuple[dict[str, Any], dict[str, Any]] | None:
    turn = _turn_of(session, label)
    if turn is None or turn.state == RUNNING:
        return None
    from ollama_magic.display.settled import bundle

    return dict(bundle(reply_of(turn), footer)), {"model": turn.model, "state": turn.state}


def _turn_of(session: Session, label: dict[str, Any]) -> Turn | None:
    """The turn behind a slot: of those that the cell's newest run made, the one with that prompt, or in that place."""
    cell, _, place = label["slot"].rpartition("/")
    turns = sorted(session.journal.fold.all_of_cell(cell or None), key=lambda turn: turn.number)
    newest = [turn for turn in turns if turn.step == turns[-1].step and turn.conversation == label.get("conversation")]
    if (prompt := label.get("prompt")) is not None:
        newest, place = [turn for turn in newest if turn.prompt == prompt], "1"
    at = int(place) - 1 if place.isdecimal() and len(place) < 6 else -1
    return newest[at] if 0 <= at < len(newest) else None
