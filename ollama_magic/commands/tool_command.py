"""`%ollama tool`: the functions that the model may call in every turn of this conversation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ollama_magic.commands.command import CommandContext, CommandResult, command
from ollama_magic.display.tables import notice, table
from ollama_magic.errors import InputError, OllamaMagicError
from ollama_magic.line import value_readers
from ollama_magic.line.options import Argument, Option

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ollama_magic.tools.tool import Tool

NONE_SET = "Tools: none; `%ollama tool NAME` lets the model call a function of yours."


@command(
    "tool",
    "settings",
    "Set or show the functions that the model may call in this conversation.",
    Argument("NAME", many=True, required=False, read=value_readers.tool, kind="tool"),
    Option("--none", "no functions any more", default=False),
    notes="Only what is listed is ever run. `%%chat -t NAME` lists functions for one turn, instead of these.",
    examples=("tool weather prices", "tool", "tool --none"),
)
def tool(context: CommandContext, arguments: Any) -> CommandResult:
    """Set the conversation's tools, or show them."""
    conversation = context.session.conversation()
    if arguments.none and arguments.name:
        raise InputError("--none ends all tools; leave out the names, or --none.")
    if arguments.none:
        if conversation.setting("tools"):
            conversation.set_setting("tools", None)
        return CommandResult([], notice(NONE_SET))
    variables = context.fill.variables if context.fill is not None else {}
    if arguments.name:
        names = list(dict.fromkeys(arguments.name))
        _described(names, variables)
        conversation.set_setting("tools", names)
    names = conversation.setting("tools") or []
    shown = table(("tool", "parameters", "description"), _rows(names, variables)) if names else notice(NONE_SET)
    return CommandResult(names, shown)


def _described(names: list[str], variables: Mapping[str, object]) -> tuple[Tool, ...]:
    from ollama_magic.tools.listing import tools_named

    return tools_named(names, variables)


def _rows(names: list[str], variables: Mapping[str, object]) -> list[tuple[str, str, str]]:
    """A row for each tool; one that has gone since says so, and is refused when a turn begins."""
    rows = []
    for name in names:
        try:
            (found,) = _described([name], variables)
        except OllamaMagicError as error:
            rows.append((name, "", str(error)))
        else:
            asks = "asks first; " if found.confirm else ""
            parameters = ", ".join(one.name for one in found.arguments.parameters)
            rows.append((found.name, parameters, asks + found.description.partition("\n")[0]))
    return rows
