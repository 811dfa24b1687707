"""`%ollama`: one command, what it shows, and the data of one that is assigned."""

from __future__ import annotations

from functools import partial
from typing import Any

from IPython.display import display

from ollama_magic.commands.command import CommandContext
from ollama_magic.commands.command_table import run_command
from ollama_magic.errors import TurnStopped
from ollama_magic.foreign import repaired
from ollama_magic.line.hook import split_assigned
from ollama_magic.magics.filling import Filler
from ollama_magic.magics.next_input import insert_cell
from ollama_magic.magics.turn_cell import TurnCell


def run_line(magics: Any, line: str) -> Any:
    """Run the command of a line; return its data if that is assigned, else show what it says."""
    assigned, line = split_assigned(repaired(line))
    filler = Filler(magics.shell.user_ns, magics.session.mask, magics.values.written)
    insert = None if assigned else partial(insert_cell, magics.shell)
    context = CommandContext(magics.session, magics.mode(), filler, insert, TurnCell(magics).ask_about)
    try:
        answer = run_command(context, line)
    except TurnStopped:
        raise
    except KeyboardInterrupt:
        raise TurnStopped("Stopped; the command was not completed.") from None
    for note in filler.unfilled:
        print(note)
    if assigned:
        return answer.data
    if answer.shown is not None:
        display(answer.shown)  # type: ignore[no-untyped-call]
    return None
