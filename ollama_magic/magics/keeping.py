"""At loading: find the notebook's conversation again, and say in one line what there is."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ollama_magic.display.greeting import Greeting
from ollama_magic.display.host import in_terminal, request_of
from ollama_magic.errors import OllamaMagicError
from ollama_magic.line.cell_source import read_cell

if TYPE_CHECKING:
    from ollama_magic.conversation.keeping import Keeping
    from ollama_magic.conversation.session import Session


NONE = "`%config OllamaMagic.store = False` keeps none from now on"


def begin(session: Session, shell: Any, settings: Any) -> None:
    """Bind the session to the store, unless the setting forbids it or no notebook is to be found."""
    keeping = _keeping(shell, settings)
    if keeping is not None:
        session.keep(keeping, request_of(shell).cell, settings.keep_aside)
        settings.cell_events.begins()  # cells may have been deleted since the kernel before
    greet(session, shell)


def greet(session: Session, shell: Any) -> None:
    """Say in the cell that runs what was found; a kernel that loads us by itself has no cell until one is typed."""
    text = in_terminal(shell) or not hasattr(shell, "kernel")
    greeting = Greeting(text=text, always=request_of(shell).cell is not None)
    keeping = session.keeping
    if keeping is None:
        greeting.open("")
    else:
        known = keeping.kind == "same"
        greeting.open(_line(session, keeping, "" if known else _elsewhere(session, keeping)))
        if known:
            session.loop_thread.start(_tell_elsewhere(session, keeping, greeting))
        keeping.on_first_write = lambda path: greeting.say(f"Conversations are kept in {path}; {NONE}.")
        session.on_found = lambda: greeting.say(_line(session, keeping))
    session.on_settled = greeting.empty


def _keeping(shell: Any, settings: Any) -> Keeping | None:
    from ollama_magic.notebook.evidence import find_path

    if not settings.store or find_path(settings.notebook, shell.user_ns, os.environ) is None:
        return None
    from ollama_magic.conversation.keeping import Keeping, Place
    from ollama_magic.store.store import Store

    store = Store(Path(settings.store) if isinstance(settings.store, str) else None)
    return Keeping(store, Place(settings.notebook, shell.user_ns, os.environ, read_cell))


def _line(session: Session, keeping: Keeping, elsewhere: str = "") -> str:
    """What there is, in one line."""
    from ollama_magic.conversation.keeping import told_of

    turns = session.conversation().turns
    newest = max((turn.at for turn in turns), default=0.0)
    model = next((turn.model for turn in reversed(turns) if turn.model), "")  # one that was cut by a crash has none
    parts = [told_of(keeping, len(turns), model, newest), elsewhere, keeping.store.problem]
    return " ".join(filter(None, parts))


async def _tell_elsewhere(session: Session, keeping: Keeping, greeting: Greeting) -> None:
    """What a known notebook shows that the store does not know; loading does not wait for it."""
    elsewhere = await asyncio.to_thread(_elsewhere, session, keeping)
    if elsewhere:
        greeting.say(_line(session, keeping, elsewhere))


def _elsewhere(session: Session, keeping: Keeping) -> str:
    """Say how many answers the file holds that the store does not know."""
    from ollama_magic.notebook.notebook_file import answers_unknown, read_notebook

    if keeping.kind == "in use" or keeping.path is None or not keeping.path.exists():
        return ""
    with suppress(OllamaMagicError):
        file = read_notebook(keeping.path, read_cell)
        known = [turn.text for turn in session.journal.fold.all_turns]
        count = answers_unknown(file.turns, known)
        answers = "1 answer" if count == 1 else f"{count} answers"
        return f"{answers} from elsewhere; `%ollama open .` continues from them." if count else ""
    return ""
