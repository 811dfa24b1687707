"""`%ollama keep`: which of the answers that stand side by side is remembered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ollama_magic.commands.command import CommandContext, CommandResult, command
from ollama_magic.conversation.choice import choose
from ollama_magic.conversation.record import older_note
from ollama_magic.display.tables import notice
from ollama_magic.errors import InputError
from ollama_magic.foreign import one_line
from ollama_magic.line.options import Argument
from ollama_magic.ollama.model_names import same_model

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ollama_magic.turns.turn_value import Turn

NONE_BESIDE = "No turn of this conversation has answers side by side; `%%chat -m MODEL -m MODEL` asks two models."


@command(
    "keep",
    "conversation",
    "Remember another model's answer of the newest turn with several.",
    Argument("NAME", "the model, or the number of its column", kind="model"),
    notes="The others stay beside it in `%ollama history`; `%ollama undo` takes the choice back.",
    examples=("keep gemma3:4b", "keep 2"),
    needs="`%ollama keep` needs the model whose answer is remembered, or the number of its column.",
)
def keep(context: CommandContext, arguments: Any) -> CommandResult:
    """Let the answer of another model count from now on; the data is its turn."""
    session = context.session
    beside = [turn for turn in session.conversation().turns if turn.alternatives]
    if not beside:
        raise InputError(NONE_BESIDE)
    turn = max(beside, key=lambda one: one.number)
    column = _column(turn.columns, arguments.name)
    name = one_line(column.model, 80)
    if column is turn:
        return CommandResult(turn, notice(f"The answer of {name} is remembered already."))
    older = choose(session, turn, column)
    marked = f"; {older_note(older)}" if older else ""
    return CommandResult(column, notice(f"Remembered: the answer of {name}{marked}. `%ollama undo` takes that back."))


def _column(columns: Sequence[Turn], name: str) -> Turn:
    found = [one for one in columns if same_model(name, one.model)]
    found = found or [one for one in columns if str(one.column) == name]
    if len(found) == 1:
        return found[0]
    if found:
        places = " or ".join(f"`%ollama keep {one.column}`" for one in found)
        raise InputError(f"{one_line(name, 80)} has answered more than once; choose a column: {places}.")
    names = ", ".join(one_line(one.model, 80) for one in columns)
    raise InputError(f"{one_line(name, 80)} has no answer there; the newest turn with several has {names}.")
