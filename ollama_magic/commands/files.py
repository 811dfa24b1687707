"""Commands of `%ollama` that look at a conversation from outside: save, open, prompt."""

from __future__ import annotations

import shlex
import time
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from ollama_magic.commands.command import Answer, Here, alone
from ollama_magic.conversation.changes import Began, Ended, Grown
from ollama_magic.display.tables import Shown, notice
from ollama_magic.errors import InputError, OllamaMagicError
from ollama_magic.foreign import printable, visible

if TYPE_CHECKING:
    from ollama_magic.conversation.conversation import Conversation
    from ollama_magic.conversation.remembered import Turn
    from ollama_magic.notebook.saved_turn import SavedTurn
    from ollama_magic.ollama.requests import Request


def save(here: Here, rest: str) -> Answer:
    """Write the conversation to a file, as JSON, Markdown or a notebook; `--force` overwrites."""
    from ollama_magic.notebook.conversation_file import save_conversation

    words = _words(rest)
    names = [word for word in words if word != "--force"]
    if len(names) != 1:
        raise InputError("`%ollama save` needs one file, such as talk.md, talk.json or talk.ipynb.")
    turns = [_saved(turn) for turn in here.session.conversation().turns]
    path = save_conversation(names[0], turns, force="--force" in words)
    count = "1 turn" if len(turns) == 1 else f"{len(turns)} turns"
    here_below = path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
    return Answer(path, notice(f"{count} saved to {here_below}."))


def open_file(here: Here, rest: str) -> Answer:
    """Add the turns of a file behind this conversation; `.` is this notebook's own file."""
    from ollama_magic.line.cell_source import read_cell
    from ollama_magic.notebook.conversation_file import open_conversation

    words = _words(rest)
    if len(words) != 1:
        raise InputError("`%ollama open` needs one file; `.` is this notebook.")
    opened = open_conversation(_this_notebook(here) if words[0] == "." else words[0], read_cell)
    talk = here.session.conversation()
    known = {(turn.prompt, turn.text) for turn in talk.turns}
    new = [turn for turn in opened.turns if (turn.prompt, turn.text) not in known]
    _add(talk, new)
    count = "1 turn" if len(new) == 1 else f"{len(new)} turns"
    said = f"{count} added; the next turn is sent after them. `%ollama undo` takes that back."
    return Answer(len(new), notice("; ".join([said if new else "All its turns are known already.", *opened.notes])))


def prompt(here: Here, rest: str) -> Answer:
    """What exactly was sent with the newest turn, as the server puts it before the model where it can tell."""
    alone("prompt", rest)
    from ollama_magic.conversation.request import messages_in

    request = here.session.sent.newest
    if request is None:
        raise InputError("Nothing was sent from this kernel yet; a cell that begins with `%%chat` is the first.")
    text = _rendered(here, request) or "\n\n".join(f"{m.role}: {m.content}" for m in messages_in(request))
    return Answer(text, Shown(f"<pre>{escape(visible(text))}</pre>", printable(text)))


def _rendered(here: Here, request: Request) -> str:
    from ollama_magic.ollama.protocol import ChatRequest

    if not isinstance(request, ChatRequest):
        return ""  # the look-up knows chats alone
    try:
        return here.session.call(here.session.server().client.render(ChatRequest(request.model, request.messages)))
    except OllamaMagicError:
        return ""


def _this_notebook(here: Here) -> str:
    keeping = here.session.keeping
    path = keeping.path_now() if keeping is not None else None
    if path is None:
        raise InputError("Where this notebook's file is cannot be found out; `%ollama open FILE` names it.")
    return str(path)


def _add(talk: Conversation, turns: list[SavedTurn]) -> None:
    """Add turns from a file as one step; they belong to no cell, so they stand behind what there is."""
    journal = talk.journal
    step = journal.new_step()
    for turn in turns:
        number = journal.fold.next_number
        at = turn.at or time.time()
        journal.append(talk.name, Began(number, turn.prompt, None, turn.system, at), step)
        journal.append(talk.name, Grown(number, turn.text, turn.thinking), step)
        ended = Ended(number, turn.state, turn.model, turn.digest, turn.error, turn.seconds, dict(turn.stats))
        journal.append(talk.name, ended, step)


def _saved(turn: Turn) -> SavedTurn:
    from ollama_magic.notebook.saved_turn import SavedTurn

    stats = {key: value for key, value in turn.stats.items() if value is not None}
    return SavedTurn(
        prompt=turn.prompt,
        text=turn.text,
        state=turn.state,
        model=turn.model,
        thinking=turn.thinking,
        system=turn.system,
        error=turn.error,
        at=turn.at,
        seconds=turn.seconds,
        digest=turn.digest,
        stats=stats,
        conversation=turn.conversation,
    )


def _words(rest: str) -> list[str]:
    try:
        return shlex.split(rest)
    except ValueError:
        raise InputError("A quote in the file's name is never closed.") from None
