"""Commands of `%ollama` about the conversation and its settings: model, system, set, unset, clear, history."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ollama_magic.display.history import history_view
from ollama_magic.display.tables import notice
from ollama_magic.errors import InputError
from ollama_magic.magics.command import Answer, Here
from ollama_magic.magics.model_options import merge_model_options, read_model_option
from ollama_magic.magics.words import folded
from ollama_magic.ollama.models import nearest

if TYPE_CHECKING:
    from ollama_magic.conversation.conversation import Conversation

TOLD = ("model", "system")


def model(here: Here, rest: str) -> Answer:
    """Tell the conversation's model, looked up first, or say which it is."""
    talk, name = here.session.conversation(), folded(rest.strip())
    if name:
        here.session.call(here.session.server().book.look_up(name))
        talk.tell("model", name, here.origin)
    name = talk.told("model") or here.session.settings().model or talk.told("began_with") or ""
    return Answer(name, notice(f"Model: {name or 'the first turn chooses one; `%ollama list` shows all'}"))


def system(here: Here, rest: str) -> Answer:
    """Tell the conversation's system text, or say what it is."""
    talk, text = here.session.conversation(), rest.strip()
    if text:
        talk.tell("system", text, here.origin)
    text = talk.told("system") or here.session.settings().system
    return Answer(text, notice(f"System: {text}" if text else "System: none; `%ollama system TEXT` tells one."))


def set_option(here: Here, rest: str) -> Answer:
    """Tell model options of the conversation: KEY=VALUE or KEY VALUE."""
    talk = here.session.conversation()
    told = merge_model_options([read_model_option("=".join(_key_and_value(rest)))])
    options = {**(talk.told("options") or {}), **told}
    talk.tell("options", options, here.origin)
    return Answer(options, notice(f"Options: {_options_text(options)}"))


def unset_option(here: Here, rest: str) -> Answer:
    """Take settings of the conversation back: options by name, `model`, `system`."""
    talk, names = here.session.conversation(), rest.split()
    if not names:
        raise InputError("`%ollama unset` needs the name of what was set: an option, `model` or `system`.")
    for name in names:
        _unset(talk, name, here)
    options = talk.told("options") or {}
    return Answer(options, notice(f"Options: {_options_text(options)}"))


def clear(here: Here, rest: str) -> Answer:
    """Begin the conversation anew; model, system and options stay."""
    if rest.strip():
        raise InputError(f"`%ollama clear` takes nothing behind it, but “{rest.strip()}” stands there.")
    count = here.session.conversation().clear(here.origin)
    turns = "1 turn is" if count == 1 else f"{count} turns are"
    said = f"The conversation begins anew; {turns} no longer sent." if count else "It was empty already."
    return Answer(count, notice(said))


def history(here: Here, rest: str) -> Answer:
    """The turns of the conversation, numbered and folded."""
    if rest.strip():
        raise InputError(f"`%ollama history` takes nothing behind it, but “{rest.strip()}” stands there.")
    talk = here.session.conversation()
    if not talk.turns:
        return Answer([], notice("No turn yet; a cell that begins with `%%chat` is the first."))
    return Answer(list(talk.turns), history_view(talk.name, talk.turns))


def _key_and_value(rest: str) -> tuple[str, str]:
    text = rest.strip()
    key, found, value = text.partition("=")
    if not found or " " in key.strip():
        key, _, value = text.partition(" ")
    if not key.strip() or not value.strip():
        raise InputError("`%ollama set` needs a name and a value, such as `%ollama set temperature 0.2`.")
    return folded(key.strip()), value.strip()


def _unset(talk: Conversation, name: str, here: Here) -> None:
    options: dict[str, Any] = dict(talk.told("options") or {})
    if name in TOLD:
        talk.tell(name, None, here.origin)
    elif name in options:
        del options[name]
        talk.tell("options", options, here.origin)
    else:
        near = nearest(name, [*options, *TOLD])
        hint = f"; near it: {', '.join(near)}" if near else ""
        raise InputError(f"“{name}” is not set{hint}.")


def _options_text(options: dict[str, Any]) -> str:
    return ", ".join(f"{key}={value}" for key, value in options.items()) or "the model's own"
