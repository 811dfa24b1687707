"""`%ollama diff`: what changed between an answer and the one it replaced."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ollama_magic.commands.command import CommandContext, CommandResult, command
from ollama_magic.display.tables import notice
from ollama_magic.errors import InputError
from ollama_magic.line import value_readers
from ollama_magic.line.options import Argument
from ollama_magic.turns.turn_value import RUNNING

if TYPE_CHECKING:
    from ollama_magic.conversation.conversation import Conversation
    from ollama_magic.turns.turn_value import Turn

NONE_REPLACED = "No answer of this conversation has replaced another one; run a chat cell again, then `%ollama diff`."


def _number(text: str) -> int:
    try:
        return value_readers.whole(text)
    except ValueError:
        raise ValueError("is the number of a turn; `%ollama history` shows them") from None


@command(
    "diff",
    "conversation",
    "Show what changed between an answer and the one it replaced.",
    Argument("N", "the number of a turn in `%ollama history`", required=False, read=_number),
    notes="Without a number it is the newest turn that replaced an answer.",
    examples=("diff", "diff 2"),
)
def diff(context: CommandContext, arguments: Any) -> CommandResult:
    """Compare the answer of a turn with the one it replaced, by words; the data is the text with its marks."""
    from ollama_magic.display.answer_diff import diff_view

    conversation = context.session.conversation()
    number, turn, replaced = _pair(conversation, arguments.n)
    if turn.text == replaced.text:
        said = f"Turn {number} has the same answer as the one it replaced."
        return CommandResult("", notice(said))
    shown = diff_view(number, turn, replaced)
    return CommandResult(shown.text, shown)


def _pair(conversation: Conversation, number: int | None) -> tuple[int, Turn, Turn]:
    """Return the number of a turn, the turn, and the one that it replaced."""
    turns = conversation.turns
    if number is None:
        for place, turn in sorted(enumerate(turns, 1), key=lambda pair: -pair[1].number):
            replaced = conversation.replaced_by(turn)
            if replaced is not None and turn.state != RUNNING:
                return place, turn, replaced
        raise InputError(NONE_REPLACED)
    if not 1 <= number <= len(turns):
        needed = (
            f"a number from 1 to {len(turns)}; `%ollama history` shows them." if turns else "a turn; there is none."
        )
        raise InputError(f"`%ollama diff` needs {needed}")
    turn = turns[number - 1]
    if turn.state == RUNNING:
        raise InputError(f"Turn {number} is still running; `%ollama diff {number}` compares it when it is complete.")
    replaced = conversation.replaced_by(turn)
    if replaced is None:
        raise InputError(f"Turn {number} replaced no answer; run its cell again, then `%ollama diff {number}`.")
    return number, turn, replaced
