"""`%ollama export`: the request of a turn as a program that runs without us."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from ollama_magic.commands.command import Answer, Here
from ollama_magic.errors import InputError
from ollama_magic.ollama.models import nearest

if TYPE_CHECKING:
    from ollama_magic.display.tables import Shown
    from ollama_magic.export.turns import Sent

NAMES = ("curl", "python", "java")
_COLOUR_S = 0.25


def export(here: Here, rest: str) -> Answer:
    """The request of the newest turn, or of turn N, as curl, Python or Java; assigned, it is the text."""
    from ollama_magic.export.languages import LANGUAGES, exported
    from ollama_magic.export.target import target_of

    language, turn = _words(rest)
    session, settings = here.session, here.session.settings()
    sent = _sent(here, turn)
    own = session.address()
    host = sent.host or own
    keys = settings.headers if host.origin == own.origin else None
    target = target_of(host, settings.environ, keys, settings.ca_file, sent.notes)
    text = exported(language, sent.request, target, session.secrets().mask)
    return Answer(text, _block(text, LANGUAGES[language][1]))


def _sent(here: Here, turn: int | None) -> Sent:
    from ollama_magic.export.turns import newest, numbered

    return newest(here.session) if turn is None else numbered(here.session, turn)


def _block(text: str, language: str) -> Shown:
    """A coloured block, and the very text: what a screen would not show as itself stands in it as an escape."""
    from ollama_magic.display.tables import Shown
    from ollama_magic.markdown.code import highlighted

    return Shown(f'<div class="highlight"><pre>{highlighted(text, language, _COLOUR_S)}</pre></div>', text)


def _words(rest: str) -> tuple[str, int | None]:
    try:
        words = shlex.split(rest.replace("--turn=", "--turn "))
    except ValueError:
        words = ["?"]
    turn = None
    if "--turn" in words:
        place = words.index("--turn")
        turn = _number("".join(words[place + 1 : place + 2]))
        del words[place : place + 2]
    if len(words) != 1 or words[0] not in NAMES:
        raise InputError(_hint(words))
    return words[0], turn


def _number(word: str) -> int:
    if not word.isdecimal():
        raise InputError("`--turn` needs the number of a turn; `%ollama history` shows them.")
    return int(word)


def _hint(words: list[str]) -> str:
    near = nearest(words[0], list(NAMES), 1) if len(words) == 1 else []
    hint = f"did you mean `%ollama export {near[0]}`?" if near else "and `--turn N` for an earlier turn."
    return f"`%ollama export` takes curl, python or java; {hint}"
