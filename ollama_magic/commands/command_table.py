"""The table of `%ollama` commands, which dispatch, Tab, help and the docs use."""

from __future__ import annotations

from typing import Any

from ollama_magic.commands.cell_questions import explain, fix
from ollama_magic.commands.code import code
from ollama_magic.commands.command import Command, CommandContext, CommandResult, command, find
from ollama_magic.commands.diff import diff
from ollama_magic.commands.export import export
from ollama_magic.commands.files import open_file, prompt, save
from ollama_magic.commands.help import docstring, help_page
from ollama_magic.commands.keep import keep
from ollama_magic.commands.memory import clear, conversations, forget, history, redo, switch, undo
from ollama_magic.commands.model_commands import cp, embed, list_models, ps, rm
from ollama_magic.commands.panel import panel
from ollama_magic.commands.server_commands import demo, host, status, stop, version
from ollama_magic.commands.server_start import start
from ollama_magic.commands.settings_commands import model, set_option, system, unset_option
from ollama_magic.commands.show import show
from ollama_magic.commands.tool_command import tool
from ollama_magic.commands.transfer_commands import create, load, pull
from ollama_magic.line.options import Argument

HELP_FLAGS = frozenset({"-h", "--help"})


def run_command(context: CommandContext, line: str) -> CommandResult:
    """Run the line after `%ollama`; an empty one is `status`. Raises InputError with the nearest command."""
    name, rest = ([*line.split(maxsplit=1), "", ""])[:2]
    if not name:
        return status(context)
    if name in HELP_FLAGS:
        return help_page(COMMANDS, rest.strip())
    found = find(name, COMMANDS, rest)
    if rest.strip() in HELP_FLAGS:
        return help_page(COMMANDS, name)
    return found(context, rest)


def usage() -> str:
    """The docstring of `%ollama`, for `%ollama?`."""
    return docstring(COMMANDS)


@command(
    "help",
    "work",
    "Show the commands and magics, with examples.",
    Argument("COMMAND", required=False, kind="command"),
    examples=("help", "help pull", "help chat"),
)
def show_help(context: CommandContext, arguments: Any) -> CommandResult:
    """Show all commands and magics, or the help of one."""
    del context
    return help_page(COMMANDS, arguments.command or "")


_MODELS = (list_models, ps, show, pull, create, cp, rm, load, embed)
_SETTINGS = (model, system, tool, set_option, unset_option)
_CONVERSATION = (history, diff, keep, undo, redo, forget, clear, switch, save, open_file, prompt, conversations, panel)
_SERVER = (stop, host, version, start, demo)
_WORK = (fix, explain, code, export, show_help)
COMMANDS: dict[str, Command] = {
    one.name: one for one in (status, *_MODELS, *_SETTINGS, *_CONVERSATION, *_SERVER, *_WORK)
}
