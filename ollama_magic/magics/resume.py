"""Finds the notebook's conversation when the extension is loaded, and says in one line what was found."""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from ollama_magic.display.greeting import Greeting
from ollama_magic.display.host import in_terminal, kernel_name, request_of
from ollama_magic.errors import OllamaMagicError
from ollama_magic.notebook.declared_path import declared_path
from ollama_magic.turns.wording import counted

if TYPE_CHECKING:
    from ollama_magic.conversation.changes import Entry
    from ollama_magic.conversation.persistence import Persistence
    from ollama_magic.conversation.session import Session

UNLOADED: WeakKeyDictionary[Any, tuple[Entry, ...]] = WeakKeyDictionary()  # the turns that each shell had at unloading
NONE = "`%config OllamaMagic.store = False` turns that off"


def resume(session: Session, shell: Any, settings: Any) -> None:
    """Connect the session to the store, unless the setting forbids it or the notebook is unknown."""
    persistence = _persistence(shell, settings)
    unloaded = UNLOADED.pop(shell, ())
    if persistence is not None:
        session.persist(persistence, request_of(shell).cell, settings.keep_aside)
        settings.cell_events.begins()  # cells may have been deleted since the previous kernel
    elif unloaded:
        session.journal.adopt(unloaded)
    greet(session, shell)


def leave(session: Session, shell: Any) -> None:
    """Remember turns that are not stored, because `%reload_ext` unloads first."""
    if session.persistence is None and session.journal.entries:
        UNLOADED[shell] = tuple(session.journal.entries)


def greet(session: Session, shell: Any) -> None:
    """Show what was found in the running cell; an automatically loaded extension has no cell yet."""
    text = in_terminal(shell) or not hasattr(shell, "kernel")
    greeting = Greeting(text=text, always=request_of(shell).cell is not None)
    persistence = session.persistence
    if persistence is None:
        greeting.open(_turns(session))
    else:
        known = persistence.kind == "same"
        greeting.open(_line(session, persistence, "" if known else _elsewhere(session, persistence)))
        if known:
            session.loop_thread.start(_add_elsewhere(session, persistence, greeting))
        persistence.on_first_write = lambda path: greeting.say(f"Conversations are saved in {path}; {NONE}.")
        session.on_found = lambda: greeting.say(_line(session, persistence))
    session.on_settled = greeting.empty


def _persistence(shell: Any, settings: Any) -> Persistence | None:
    if not settings.store or declared_path(settings.notebook, shell.user_ns, os.environ)[0] is None:
        return None
    from ollama_magic.conversation.persistence import NotebookContext, Persistence
    from ollama_magic.line.cell_source import read_cell
    from ollama_magic.store.store import Store

    store = Store(Path(settings.store) if isinstance(settings.store, str) else None)
    context = NotebookContext(settings.notebook, shell.user_ns, os.environ, read_cell, kernel_name(shell))
    return Persistence(store, context)


def _line(session: Session, persistence: Persistence, elsewhere: str = "") -> str:
    """Return what was found, in one line."""
    turns = "" if persistence.kind == "in use" else _turns(session)
    parts = [turns or persistence.verdict_line(), elsewhere, persistence.store.problem]
    return " ".join(filter(None, parts))


def _turns(session: Session) -> str:
    """Return the line that says which turns will be sent."""
    turns = session.conversation().turns
    if not turns:
        return ""
    newest = max(turn.at for turn in turns)
    model = next((turn.model for turn in reversed(turns) if turn.model), "")  # a turn that a crash has cut has none
    clock = time.strftime("%H:%M", time.localtime(newest)) if newest else "before"
    named = f" with {model}" if model else ""
    return f"{counted(len(turns), 'turn')}{named} from {clock} will be sent; `%ollama clear` starts anew."


async def _add_elsewhere(session: Session, persistence: Persistence, greeting: Greeting) -> None:
    """Add the line about answers that the store does not have; loading does not wait for it."""
    elsewhere = await asyncio.to_thread(_elsewhere, session, persistence)
    if elsewhere:
        greeting.say(_line(session, persistence, elsewhere))


def _elsewhere(session: Session, persistence: Persistence) -> str:
    """Return the line about answers in the file that the store does not have."""
    from ollama_magic.line.cell_source import read_cell
    from ollama_magic.notebook.notebook_file import answers_unknown, read_notebook

    if persistence.kind == "in use" or persistence.path is None:
        return ""
    with suppress(OllamaMagicError):  # there may be no file, or none that can be read
        file = read_notebook(persistence.path, read_cell)
        known = [turn.text for turn in session.journal.all_turns()]
        count = answers_unknown(file.turns, known)
        return f"{counted(count, 'answer')} from elsewhere; `%ollama open .` continues from them." if count else ""
    return ""
