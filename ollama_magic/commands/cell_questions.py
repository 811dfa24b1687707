"""`%ollama fix` and `%ollama explain`: a turn about the last cell that failed, or that ran."""

from __future__ import annotations

from typing import Any

from ollama_magic.commands.command import CommandContext, CommandResult, command
from ollama_magic.errors import InputError
from ollama_magic.line.options import Argument

_WORDS = Argument("WORDS", required=False, rest=True, prose=True)
_NOTES = "It is a turn of the conversation. The line above the answer says what goes along; keys are masked."


@command(
    "fix",
    "work",
    "Ask about the last exception: its cell, its traceback, and the variables of the failing line.",
    _WORDS,
    notes=_NOTES,
    examples=("fix", "fix but leave the loop as it is"),
)
def fix(context: CommandContext, arguments: Any) -> CommandResult:
    """Ask why the last cell that failed did so; the data is the Reply."""
    return _asked(context, "fix", arguments)


@command(
    "explain",
    "work",
    "Ask about the cell that ran last: its code, what it showed or raised, and its variables.",
    _WORDS,
    notes=_NOTES,
    examples=("explain", "explain the third line for a beginner"),
)
def explain(context: CommandContext, arguments: Any) -> CommandResult:
    """Ask what the cell that ran last does; the data is the Reply."""
    return _asked(context, "explain", arguments)


def _asked(context: CommandContext, name: str, arguments: Any) -> CommandResult:
    if context.ask is None:
        raise InputError(f"`%ollama {name}` is for a cell of the notebook; run it there.")
    return CommandResult(context.ask(name, arguments.words or ""))
