"""The settings of the next turn and their sources, as `%ollama status` shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ollama_magic.conversation.request import Plan, model_choice
from ollama_magic.foreign import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ollama_magic.conversation.request import ModelSource
    from ollama_magic.conversation.session import Session
    from ollama_magic.ollama.address import AddressSource
    from ollama_magic.ollama.protocol import ModelFacts

ORDER = "a turn's option, what `%ollama` has set, %config, the environment, the model's own"
CONFIG, OWN = "from %config", "the model's own"
_LONGEST = 60


def address_source(session: Session) -> str:
    """Return the source of the server's address."""
    words: dict[AddressSource, str] = {
        "session": _set_by("host"),
        "config": f"{CONFIG} OllamaMagic.host",
        "environment": "OLLAMA_HOST in the environment",
        "default": "the default",
    }
    return words[session.configured_address().source]


def model_now(session: Session) -> tuple[str, str]:
    """Return the model of the next turn and its source; empty if the first turn will choose one."""
    words: dict[ModelSource, str] = {
        "option": "the turn's option",
        "conversation": _set_by("model"),
        "config": CONFIG,
        "began with": "the conversation began with it",
    }
    plan = Plan("", default_model=session.settings().model or None)
    choice = model_choice(plan, session.conversation())
    return (choice[0], words[choice[1]]) if choice else ("", "")


def settings_rows(session: Session, own: ModelFacts | None) -> list[tuple[str, str]]:
    """Return a row for each setting with its value and source; `own` are the facts of the model."""
    settings, conversation = session.settings(), session.conversation()
    model, source = model_now(session)
    turns = f"at most the last {settings.turns}" if settings.turns is not None else ""
    think = {"True": "on", "False": "off", "None": ""}.get(str(settings.think), str(settings.think))
    return [
        ("model", _sourced(model, source) if model else "the first turn chooses one"),
        ("system", _system(conversation.setting("system"), settings.system, own.system if own else "")),
        ("options", _options(conversation.setting("options") or {}, settings.options, own_parameters(own))),
        ("think", _sourced(think, CONFIG) if think else OWN),
        ("keep alive", _sourced(str(settings.keep_alive), CONFIG) if settings.keep_alive != "" else "the server's own"),
        ("turns sent", _sourced(turns, CONFIG) if turns else "all"),
        ("strongest first", ORDER),
    ]


def own_parameters(own: ModelFacts | None) -> list[tuple[str, str]]:
    """Return the model's own options, from the lines of show; a name may appear more than once."""
    lines = (line.split(None, 1) for line in (own.parameters if own else "").splitlines())
    return [(one_line(words[0], 40), one_line(words[1].strip(), _LONGEST)) for words in lines if len(words) == 2]


def _options(set_options: Mapping[str, object], config: Mapping[str, object], own: Iterable[tuple[str, str]]) -> str:
    stronger, command = {**config, **set_options}, _set_by("set")
    parts = [_sourced(f"{key}={value}", command if key in set_options else CONFIG) for key, value in stronger.items()]
    parts += [_sourced(f"{key}={value}", OWN) for key, value in own if key not in stronger]
    return ", ".join(parts) or "the server's own"


def _system(own_text: str | None, config: str, models: str) -> str:
    if own_text == "":
        return _sourced("none", _set_by("system"))
    for text, source in ((own_text, _set_by("system")), (config, CONFIG), (models, OWN)):
        if text:
            return _sourced(one_line(text, 2 * _LONGEST), source)
    return "none"


def _set_by(command: str) -> str:
    return f"set by `%ollama {command}`"


def _sourced(value: str, source: str) -> str:
    return f"{value} ({source})"
