"""`%ollama export`: the request of a turn as a program."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ollama_magic.commands.command import CommandContext, CommandResult, command
from ollama_magic.line import value_readers
from ollama_magic.line.options import Argument, Option

if TYPE_CHECKING:
    from ollama_magic.display.tables import Shown

NAMES = ("curl", "python", "java")
_COLOUR_S = 0.25
_LONG, _SHOWN = 100_000, 40  # characters: of a program, and of an image in it
_IMAGE = re.compile(r"[A-Za-z0-9+/]{2000,}=*")


def _turn_number(text: str) -> int:
    try:
        return value_readers.whole(text)
    except ValueError:
        raise ValueError("needs the number of a turn; `%ollama history` shows them") from None


@command(
    "export",
    "work",
    "The request of a turn as a program.",
    Argument("LANGUAGE", choices=NAMES),
    Option(
        "--turn",
        "the number of a turn; `%ollama history` shows them",
        metavar="N",
        read=_turn_number,
    ),
    examples=("export curl", "export python --turn 2"),
    needs="`%ollama export` takes curl, python or java, and `--turn N` for an earlier turn.",
)
def export(context: CommandContext, arguments: Any) -> CommandResult:
    """Export the newest turn, or turn N, as curl, Python or Java; the data is the text."""
    from ollama_magic.display.tables import notice, stacked
    from ollama_magic.export.languages import LANGUAGES, exported
    from ollama_magic.export.target import target_of
    from ollama_magic.export.turns import newest, numbered

    language, turn = arguments.language, arguments.turn
    session, settings = context.session, context.session.settings()
    sent = newest(session) if turn is None else numbered(session, turn)
    own = session.address()
    host = sent.host or own
    keys = settings.headers if host.origin == own.origin else None
    target = target_of(host, settings.environ, keys, settings.ca_file, sent.notes)
    text = exported(language, sent.request, target, session.secrets().mask, sent.tools)
    shown, note = _abridged(text, language)
    block = _block(shown, LANGUAGES[language][1])
    return CommandResult(text, stacked(block, notice(note)) if note else block)


def _abridged(text: str, language: str) -> tuple[str, str]:
    """Return a program without long images, which an output must not hold, and the line about them."""
    shown = _IMAGE.sub(lambda found: f"{found[0][:_SHOWN]}…", text) if len(text) > _LONG else text
    if shown == text:
        return text, ""
    return shown, f"Images are shown cut; `program = %ollama export {language}` has all of it."


def _block(text: str, language: str) -> Shown:
    """Return the program as a highlighted block, and as text."""
    from ollama_magic.display.tables import Shown
    from ollama_magic.markdown.code import highlighted

    return Shown(f'<div class="highlight"><pre>{highlighted(text, language, _COLOUR_S)}</pre></div>', text)
