"""Commands of `%ollama` that set a conversation: model, system, set, unset."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ollama_magic.commands.command import Answer, Here
from ollama_magic.display.tables import notice
from ollama_magic.errors import InputError
from ollama_magic.line.model_options import merge_model_options, read_model_option
from ollama_magic.line.words import folded
from ollama_magic.ollama.models import nearest

if TYPE_CHECKING:
    from ollama_magic.conversation.conversation import Conversation

TOLD = ("model", "system")


def model(here: Here, rest: str) -> Answer:
    """Tell the conversation's model, looked up first, or say which it is."""
    talk, name = here.session.conversation(), folded(rest.strip())
    if name:
        here.session.call(here.session.server().book.look_up(name))
        talk.tell("model", name)
    name = talk.told("model") or here.session.settings().model or talk.told("began_with") or ""
    return Answer(name, notice(f"Model: {name or 'the first turn chooses one; `%ollama list` shows all'}"))


def system(here: Here, rest: str) -> Answer:
    """Tell the conversation's system text, or say what it is."""
    talk, text = here.session.conversation(), rest.strip()
    if text:
        talk.tell("system", text)
    text = talk.told("system") or here.session.settings().system
    return Answer(text, notice(f"System: {text}" if text else "System: none; `%ollama system TEXT` tells one."))


def set_option(here: Here, rest: str) -> Answer:
    """Tell model options of the conversation: KEY=VALUE or KEY VALUE."""
    talk = here.session.conversation()
    told = merge_model_options([read_model_option("=".join(_key_and_value(rest)))])
    options = {**(talk.told("options") or {}), **told}
    talk.tell("options", options)
    return Answer(options, notice(f"Options: {_options_text(options)}"))


def unset_option(here: Here, rest: str) -> Answer:
    """Take settings of the conversation back: options by name, `model`, `system`."""
    talk, names = here.session.conversation(), rest.split()
    if not names:
        raise InputError("`%ollama unset` needs the name of what was set: an option, `model` or `system`.")
    for name in names:
        _unset(talk, name)
    options = talk.told("options") or {}
    return Answer(options, notice(f"Options: {_options_text(options)}"))


def _key_and_value(rest: str) -> tuple[str, str]:
    text = rest.strip()
    key, found, value = text.partition("=")
    if not found or " " in key.strip():
        key, _, value = text.partition(" ")
    if not key.strip() or not value.strip():
        raise InputError("`%ollama set` needs a name and a value, such as `%ollama set temperature 0.2`.")
    return folded(key.strip()), value.strip()


def _unset(talk: Conversation, name: str) -> None:
    options: dict[str, Any] = dict(talk.told("options") or {})
    if name in TOLD:
        talk.tell(name, None)
    elif name in options:
        del options[name]
        talk.tell("options", options)
    else:
        near = nearest(name, [*options, *TOLD])
        hint = f"; near it: {', '.join(near)}" if near else ""
        raise InputError(f"“{name}” is not set{hint}.")


def _options_text(options: dict[str, Any]) -> str:
    return ", ".join(f"{key}={value}" for key, value in options.items()) or "the model's own"
