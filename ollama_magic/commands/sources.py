"""Where each setting of the next turn comes from, strongest first, as `%ollama status` tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ollama_magic.conversation.conversation import BEGAN_WITH
from ollama_magic.foreign import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ollama_magic.conversation.session import Session
    from ollama_magic.ollama.protocol import ModelFacts

ORDER = "a turn's option, what `%ollama` was told, %config, the environment, the model's own"
CONFIG, OWN, STANDARD = "from %config", "the model's own", "the standard"
ENVIRONMENT = "OLLAMA_HOST in the environment"
_LONGEST = 60


def host_source(session: Session) -> str:
    """Where the server's address comes from."""
    settings = session.settings()
    found = ((session.host, _told("host")), (settings.host, CONFIG), (settings.environ.get("OLLAMA_HOST"), ENVIRONMENT))
    return next((source for value, source in found if value), STANDARD)


def model_now(session: Session) -> tuple[str, str]:
    """The model of the current conversation's next turn and its source; empty where the first turn will choose one."""
    talk = session.conversation()
    found = (
        (talk.told("model"), _told("model")),
        (session.settings().model, CONFIG),
        (talk.told(BEGAN_WITH), "the conversation began with it"),
    )
    return next(((str(value), source) for value, source in found if value), ("", ""))


def settings_rows(session: Session, own: ModelFacts | None) -> list[tuple[str, str]]:
    """A row for each setting: its value, and behind it what told it; `own` is what show says of the model."""
    settings, talk = session.settings(), session.conversation()
    model, source = model_now(session)
    turns = f"at most the last {settings.turns}" if settings.turns is not None else ""
    think = {"True": "on", "False": "off", "None": ""}.get(str(settings.think), str(settings.think))
    return [
        ("model", _sourced(model, source) if model else "the first turn chooses one"),
        ("system", _system(talk.told("system"), settings.system, own.system if own else "")),
        ("options", _options(talk.told("options") or {}, settings.options, own_parameters(own))),
        ("think", _sourced(think, CONFIG) if think else OWN),
        ("keep alive", _sourced(str(settings.keep_alive), CONFIG) if settings.keep_alive != "" else "the server's own"),
        ("turns sent", _sourced(turns, CONFIG) if turns else "all"),
        ("strongest first", ORDER),
    ]


def own_parameters(own: ModelFacts | None) -> list[tuple[str, str]]:
    """The model's own options, as show prints them: a name and a value on each line, a name perhaps more than once."""
    lines = (line.split(None, 1) for line in (own.parameters if own else "").splitlines())
    return [(one_line(words[0], 40), one_line(words[1].strip(), _LONGEST)) for words in lines if len(words) == 2]


def _options(told: Mapping[str, object], config: Mapping[str, object], own: Iterable[tuple[str, str]]) -> str:
    stronger = {**config, **told}
    parts = [_sourced(f"{key}={value}", _told("set") if key in told else CONFIG) for key, value in stronger.items()]
    parts += [_sourced(f"{key}={value}", OWN) for key, value in own if key not in stronger]
    return ", ".join(parts) or "the server's own"


def _system(told: str | None, config: str, own: str) -> str:
    for text, source in ((told, _told("system")), (config, CONFIG), (own, OWN)):
        if text:
            return _sourced(one_line(text, 2 * _LONGEST), source)
    return "none"


def _told(command: str) -> str:
    return f"told by `%ollama {command}`"


def _sourced(value: str, source: str) -> str:
    return f"{value} ({source})"
