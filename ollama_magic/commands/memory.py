"""Commands of `%ollama` about what is remembered: history, undo, redo, forget, clear, switch, conversations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ollama_magic.commands.command import Answer, Here, alone
from ollama_magic.conversation.changes import Redone, Undone
from ollama_magic.display.history import history_view
from ollama_magic.display.tables import notice, table
from ollama_magic.errors import InputError
from ollama_magic.line import values
from ollama_magic.loop_thread import wait_for

if TYPE_CHECKING:
    from ollama_magic.conversation.journal import Journal
    from ollama_magic.conversation.remembered import Turn

ERASE = "--erase"
BEGINNING = 60  # characters of a prompt in a line that names its turn


def history(here: Here, rest: str) -> Answer:
    """The turns of the conversation, numbered and folded; those that were set aside stand below."""
    alone("history", rest)
    talk = here.session.conversation()
    ordered = talk.journal.fold.ordered(talk.name)
    if not any(not turn.empty for turn in ordered):
        return Answer([], notice("No turn yet; a cell that begins with `%%chat` is the first."))
    aside = [turn for turn in ordered if turn.aside and not turn.empty]
    return Answer(list(talk.turns), history_view(talk.name, talk.turns, aside))


def undo(here: Here, rest: str) -> Answer:
    """Take back the notebook's newest step, in whichever conversation; outputs stay as they are."""
    alone("undo", rest)
    journal = here.session.journal
    step = journal.fold.undoable
    if step is None:
        return Answer(None, notice("Nothing to take back."))
    if any(turn.step == step for turn in journal.fold.running):
        raise InputError("That turn is still running; `%ollama stop` ends it, then it can be taken back.")
    said = _what(journal, step)
    journal.append(here.session.current, Undone(step), 0)
    return Answer(step, notice(f"Taken back: {said}. `%ollama redo` gives it back."))


def redo(here: Here, rest: str) -> Answer:
    """Give back what was taken back last, until something new is done."""
    alone("redo", rest)
    journal = here.session.journal
    step = journal.fold.redoable
    if step is None:
        return Answer(None, notice("Nothing to give back."))
    journal.append(here.session.current, Redone(step), 0)
    return Answer(step, notice(f"Given back: {_what(journal, step)}."))


def forget(here: Here, rest: str) -> Answer:
    """Set a turn aside by its number in `%ollama history`."""
    talk, erases = here.session.conversation(), ERASE in rest.split()
    turn = _numbered(list(talk.turns), rest.replace(ERASE, "").strip())
    if erases:
        return _erase(here, [turn])
    talk.set_aside([turn], "forgotten")
    return Answer(turn, notice(f"No longer sent: {_named(turn)}. `%ollama undo` takes that back."))


def clear(here: Here, rest: str) -> Answer:
    """Begin the conversation anew; model, system and options stay. `--erase` leaves no byte of it."""
    talk = here.session.conversation()
    if rest.strip() == ERASE:
        return _erase(here, talk.journal.fold.ordered(talk.name))
    alone("clear", rest)
    count = talk.set_aside(list(talk.turns), "cleared")
    turns = "1 turn is" if count == 1 else f"{count} turns are"
    said = f"The conversation begins anew; {turns} no longer sent. `%ollama undo` takes that back."
    return Answer(count, notice(said if count else "It was empty already."))


def switch(here: Here, rest: str) -> Answer:
    """Go on in another conversation of this notebook; a new one begins with the model of the one before."""
    session = here.session
    if not rest.strip():
        raise InputError("`%ollama switch` needs a name; `%ollama conversations` lists those that there are.")
    session.current = session.conversation(_name(rest)).name
    count = len(session.conversation().turns)
    return Answer(session.current, notice(f"Conversation: {session.current}, {count} turn{'s' * (count != 1)}."))


def conversations(here: Here, rest: str) -> Answer:
    """The conversations of this notebook."""
    alone("conversations", rest)
    names = list(dict.fromkeys([*here.session.journal.fold.conversations, here.session.current]))
    rows = [_row(here, name) for name in names]
    return Answer(names, table(("conversation", "turns", "model", ""), rows))


def _erase(here: Here, turns: list[Turn]) -> Answer:
    """Take turns out for good, and say where else their text stands."""
    if any(turn in here.session.journal.fold.running for turn in turns):
        raise InputError("One of these turns is still running; `%ollama stop` ends it, then it can be erased.")
    erased = here.session.erase(turns)
    if erased is not None:
        wait_for(erased)
    count = "1 turn is" if len(turns) == 1 else f"{len(turns)} turns are"
    said = f"{count} erased from our folder. The text may still stand in this notebook and its checkpoints, in "
    return Answer(len(turns), notice(f"{said}IPython's history, and in the log and the memory of the server."))


def _row(here: Here, name: str) -> tuple[object, ...]:
    talk = here.session.conversation(name)
    model = talk.told("model") or talk.told("began_with") or ""
    return name, len(talk.turns), model, "current" if name == here.session.current else ""


def _name(rest: str) -> str:
    try:
        return values.conversation(rest)
    except ValueError as error:
        raise InputError(f"A conversation {error}.") from None


def _numbered(turns: list[Turn], number: str) -> Turn:
    if number.isdecimal() and 1 <= int(number) <= len(turns):
        return turns[int(number) - 1]
    if not turns:
        raise InputError("There is no turn to forget.")
    raise InputError(f"`%ollama forget` needs a number from 1 to {len(turns)}; `%ollama history` shows them.")


def _named(turn: Turn) -> str:
    words = " ".join(turn.prompt.split())
    return f"«{words[:BEGINNING]}{'…' * (len(words) > BEGINNING)}»"


def _what(journal: Journal, step: int) -> str:
    """Say what a step did, by the kinds of its changes."""
    entries = journal.fold.entries_of(step)
    turns = [turn for entry in entries if (turn := journal.fold.turn(getattr(entry.change, "number", 0)))]
    kinds = {type(entry.change).__name__ for entry in entries}
    where = "" if (name := entries[0].conversation) == "main" else f" in {name}"
    if turns:
        return f"the answer to {_named(turns[-1])}{where}"
    if "SetAside" in kinds:
        return f"{next(entry.change.why for entry in entries if hasattr(entry.change, 'why'))} turns{where}"
    return f"a setting{where}" if "Told" in kinds else f"a step{where}"
