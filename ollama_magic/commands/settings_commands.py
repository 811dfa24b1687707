"""Commands of `%ollama` for the settings of a conversation: model, system, set, unset."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ollama_magic.commands.command import CommandContext, CommandResult, command
from ollama_magic.commands.setting_sources import model_now
from ollama_magic.display.tables import notice
from ollama_magic.errors import InputError
from ollama_magic.foreign import one_line
from ollama_magic.line import value_readers
from ollama_magic.line.model_options import read_option_setting
from ollama_magic.line.options import Argument
from ollama_magic.ollama.model_names import nearest

if TYPE_CHECKING:
    from ollama_magic.conversation.conversation import Conversation

NAMED = ("model", "system")  # settings that are not model options


@command(
    "model",
    "settings",
    "Set or show the model of this conversation.",
    Argument("NAME", required=False, read=value_readers.name, kind="model"),
    examples=("model gemma3:1b", "model"),
)
def model(context: CommandContext, arguments: Any) -> CommandResult:
    """Set the conversation's model if the server has it, or show it."""
    conversation, name = context.session.conversation(), arguments.name
    if name:
        context.session.call(context.session.server().catalog.look_up(name))
        conversation.set_setting("model", name)
    name, _ = model_now(context.session)
    return CommandResult(name, notice(f"Model: {name or 'chosen by the first turn; `%ollama list` shows all'}"))


@command(
    "system",
    "settings",
    "Set or show the system text of this conversation.",
    Argument("TEXT", required=False, rest=True, prose=True),
    notes='`%ollama system ""` sends no system text, whatever %config says; `%ollama unset system` takes that back.',
    examples=("system Answer in one sentence.", "system"),
)
def system(context: CommandContext, arguments: Any) -> CommandResult:
    """Set or show the conversation's system text."""
    conversation = context.session.conversation()
    if arguments.text is not None:
        conversation.set_setting("system", arguments.text.strip())
    text = conversation.setting("system")
    text = context.session.settings().system if text is None else text
    return CommandResult(text, notice(f"System: {text}" if text else "System: none; `%ollama system TEXT` sets one."))


@command(
    "set",
    "settings",
    "Set a model option, such as `temperature 0.2`.",
    Argument("KEY", "a model option, with a space or = before its value", rest=True, kind="option name"),
    examples=("set temperature 0.2", "set num_ctx 16384", 'set stop ["END", "###"]'),
    needs="`%ollama set` needs a name and a value, such as `%ollama set temperature 0.2`.",
)
def set_option(context: CommandContext, arguments: Any) -> CommandResult:
    """Set a model option of the conversation: KEY=VALUE or KEY VALUE."""
    conversation = context.session.conversation()
    name, value = read_option_setting(arguments.key)
    options = {**(conversation.setting("options") or {}), name: value}
    conversation.set_setting("options", options)
    return CommandResult(options, notice(f"Options: {_options_text(options)}"))


@command(
    "unset",
    "settings",
    "Unset options, `model` or `system`.",
    Argument("KEY", many=True, kind="setting"),
    examples=("unset temperature", "unset model system"),
    needs="`%ollama unset` needs the name of what was set: an option, `model` or `system`.",
)
def unset_option(context: CommandContext, arguments: Any) -> CommandResult:
    """Unset settings of the conversation: options by name, `model`, `system`."""
    conversation = context.session.conversation()
    names = dict.fromkeys(arguments.key)
    for name in names:
        _check_set(conversation, name)
    with conversation.journal.transaction():
        step = conversation.journal.new_step()  # one command is one step
        for name in names:
            _unset(conversation, name, step)
    options = conversation.setting("options") or {}
    return CommandResult(options, notice(f"Options: {_options_text(options)}"))


def _check_set(conversation: Conversation, name: str) -> None:
    known = [*(conversation.setting("options") or {}), *NAMED]
    if name not in known:
        near = nearest(name, known)
        hint = f"; similar: {', '.join(near)}" if near else ""
        raise InputError(f"“{one_line(name, 80)}” is not set{hint}.")


def _unset(conversation: Conversation, name: str, step: int) -> None:
    if name in NAMED:
        conversation.set_setting(name, None, step)
        return
    options: dict[str, Any] = conversation.setting("options") or {}
    conversation.set_setting("options", {key: value for key, value in options.items() if key != name}, step)


def _options_text(options: dict[str, Any]) -> str:
    return ", ".join(f"{key}={value}" for key, value in options.items()) or "the model's own"
