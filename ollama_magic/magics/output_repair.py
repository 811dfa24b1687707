"""Returns settled outputs for a page that missed the end of answers, or chooses one of several.

A page that was loaded in mid-answer no longer knows the display id, and a killed kernel settles nothing. The page's
request is validated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ollama_magic.conversation.choice import choose
from ollama_magic.conversation.reply import RUNNING, Reply
from ollama_magic.display.slot import settled_of
from ollama_magic.errors import InputError
from ollama_magic.turns.turn_value import ALTERNATIVE

if TYPE_CHECKING:
    from ollama_magic.conversation.session import Session
    from ollama_magic.turns.turn_value import Turn

LIMIT = 200  # most outputs in one request


def answers(shell: Any, session: Session, asked: object, footer: str) -> list[dict[str, object]]:
    """Return the bundle and the label of each requested output that is known."""
    found: list[dict[str, object]] = []
    for label in asked[:LIMIT] if isinstance(asked, list) else ():
        slot = label.get("slot") if isinstance(label, dict) else None
        if not isinstance(slot, str):
            continue
        known = settled_of(shell).get(slot) or _left_by_a_panel(session, slot)
        if known := known or _from_the_store(session, label, footer):
            bundle, state = known
            found.append({"bundle": bundle, "label": {"slot": slot, **state}})
    return found


def _left_by_a_panel(session: Session, slot: str) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """Return what replaces the widget of a panel whose kernel has ended; None if this is no such output."""
    of_panel, _, nth = slot.rpartition(".")
    if nth != "0" or any(name.startswith(f"panel {of_panel} ") for name in list(session.owned_resources)):
        return None
    return {"text/html": "", "text/plain": ""}, {"state": "closed"}


def choose_for_page(session: Session, asked: object, footer: str) -> dict[str, object] | None:
    """Remember the column that a page asks for; return bundle and label of its output, None if there is none."""
    slot = asked.get("slot") if isinstance(asked, dict) else None
    turn = _turn_of(session, asked) if isinstance(asked, dict) and isinstance(slot, str) else None
    if turn is None or not isinstance(asked, dict):
        return None
    column = next((one for one in turn.columns if one.column == asked.get("column")), turn)
    if column is not turn:
        try:
            choose(session, turn, column)
        except InputError:
            return None
    bundle, labels = _columns_of(session.journal.turn(column.number) or turn, footer)
    return {"bundle": bundle, "label": {"slot": slot, **labels}}


def _columns_of(turn: Turn, footer: str) -> tuple[dict[str, Any], dict[str, Any]]:
    from ollama_magic.display.settled_columns import turn_bundle

    bundle, columns = turn_bundle(turn, footer)
    return dict(bundle), {"model": turn.model, "state": turn.state, **columns}


def _from_the_store(
    session: Session, label: dict[str, Any], footer: str
) -> tuple[dict[str, Any], dict[str, Any]] | None:
    turn = _turn_of(session, label)
    if turn is None or turn.state == RUNNING:
        return None
    if turn.alternatives:
        return _columns_of(turn, footer)
    from ollama_magic.display.settled import bundle

    return dict(bundle(Reply.of(turn), footer)), {"model": turn.model, "state": turn.state}


def _turn_of(session: Session, label: dict[str, Any]) -> Turn | None:
    """Return the turn of a slot: in the cell's newest run, the one with that prompt or position."""
    cell, _, place = label["slot"].rpartition("/")
    mine = [turn for turn in session.journal.all_turns() if cell and turn.cell == cell and turn.aside != ALTERNATIVE]
    turns = sorted(mine, key=lambda turn: turn.number)
    newest = [turn for turn in turns if turn.step == turns[-1].step and turn.conversation == label.get("conversation")]
    if (prompt := label.get("prompt")) is not None:
        newest, place = [turn for turn in newest if turn.prompt == prompt], "1"
    at = int(place) - 1 if place.isdecimal() and len(place) < 6 else -1
    return session.journal.turn(newest[at].number) if 0 <= at < len(newest) else None
