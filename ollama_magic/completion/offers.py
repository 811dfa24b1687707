"""What may stand at a place of a line: commands, options, their values, models, conversations, files."""

from __future__ import annotations

import os
import re
from itertools import islice
from typing import TYPE_CHECKING

from ollama_magic.commands.table import COMMANDS
from ollama_magic.completion.names import ModelNames
from ollama_magic.completion.place import COMMAND, OPTION, PROSE, VALUE, Place
from ollama_magic.line.model_options import MODEL_OPTIONS
from ollama_magic.line.spec import Option
from ollama_magic.ollama.models import newest_first

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ollama_magic.commands.command import Command
    from ollama_magic.conversation.session import Session

FILES = 300
SUFFIXES = frozenset({".ipynb", ".json", ".md"})
KEEP_ALIVE = ("5m", "1h", "0", "-1")
TRUTH = ("true", "false")
_OPTION = re.compile(r"(?:(-\w), )?(--[a-z][\w-]*)(?:[ =](\[?[A-Z][A-Z=]*\]?))?")
_BY_METAVAR = {
    "MODEL": "model",
    "BASE": "model",
    "PREFIX": "model",
    "FILE": "file",
    "COMMAND": "command",
    "KEY": "key",
    "KEY=VALUE": "option",
}
_BY_OPTION = {"model": "model", "conversation": "conversation", "option": "option", "keep_alive": "keep_alive"}


def magic_options(name: str) -> Sequence[Option]:
    """The options of %%chat or %%generate."""
    from ollama_magic.line import options

    return tuple(getattr(options, name.upper(), options.CHAT).options)


def command_named(name: str) -> Command | None:
    """The command of `%ollama` with that name."""
    return COMMANDS.get(name)


def command_options(command: Command) -> list[Option]:
    """The options that a command declares, or that stand in its usage."""
    if command.spec is not None:
        return list(command.spec.options)
    return [Option(name, "", short, metavar.strip("[]")) for short, name, metavar in _OPTION.findall(command.usage)]


def positions(command: Command) -> list[str]:
    """What the words behind a command are, as its usage has them: `MODEL`, `curl|python`; `…` is more of the last."""
    if command.spec is not None:
        return " ".join(one.usage.strip("[]") for one in command.spec.arguments or ()).split()
    return re.sub(r"[\[\]]", " ", _OPTION.sub(" ", command.usage)).split()


class Offers:
    """What a session has to offer at Tab."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.names = ModelNames(session)

    def at(self, place: Place, command: Command | None) -> tuple[str, list[tuple[str, str]]]:
        """What is replaced at a place of a line, and (text, kind) of each that may stand there."""
        typed = place.typed
        if place.kind == PROSE:
            return typed, []
        if place.kind == COMMAND:
            return typed, _beginning(typed, ((name, "command") for name in COMMANDS))
        if place.kind == OPTION or (command is None and place.kind != VALUE):
            return typed, _beginning(typed, _option_names(place))
        if place.option is not None:
            return self._values(place, place.option)
        assert command is not None
        return self._of_kind(self._kind(command, len(place.before)), place)

    def _values(self, place: Place, option: Option) -> tuple[str, list[tuple[str, str]]]:
        if option.levels:
            return place.typed, _beginning(place.typed, ((level, "level") for level in option.levels))
        kind = _BY_OPTION.get(option.key) or _BY_METAVAR.get(option.metavar) or option.metavar
        return self._of_kind(kind, place)

    def _kind(self, command: Command, place: int) -> str:
        """What the word at a place behind a command is."""
        words = positions(command)
        more = "…" in words
        words = [word for word in words if word != "…"]
        if command.complete and (place == 0 or more):
            return command.complete
        at = min(place, len(words) - 1) if more else place
        word = words[at] if 0 <= at < len(words) else ""
        return _BY_METAVAR.get(word, word)

    def _of_kind(self, kind: str, place: Place) -> tuple[str, list[tuple[str, str]]]:
        """What words of a kind there are; words in small letters with a bar between stand for themselves."""
        typed = place.typed
        if kind == "option":
            return _model_option(typed)
        if kind == "file":
            return typed, _files(typed, quoted=place.quoted)
        if kind == "model":
            return typed, _models(typed, self._models(place))
        words = self._words(kind)
        return typed, _beginning(typed, ((word, "value") for word in words if word not in place.before))

    def _words(self, kind: str) -> Sequence[str]:
        if kind == "conversation":
            return self._conversations()
        if kind == "told":
            return self._told()
        known = {"key": list(MODEL_OPTIONS), "keep_alive": KEEP_ALIVE, "command": list(COMMANDS)}
        return known.get(kind) or (kind.split("|") if kind.islower() else ())

    def _models(self, place: Place) -> list[str]:
        return [model.name for model in newest_first(self.names.get(place.given.get("host")))]

    def _conversations(self) -> list[str]:
        session = self._session
        return list(dict.fromkeys([session.current, *session.journal.fold.conversations]))

    def _told(self) -> list[str]:
        talk = self._session.conversation()
        told = [name for name in ("model", "system") if talk.told(name)]
        return [*(talk.told("options") or {}), *told]


def _beginning(typed: str, words: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(word, kind) for word, kind in words if word.lower().startswith(typed.lower())]


def _option_names(place: Place) -> list[tuple[str, str]]:
    """Long names first; those that were given stay out, unless they may be given again."""
    free = [one for one in place.options if one.gather or one.key not in place.given]
    return [(name, "option") for name in [*(one.name for one in free), *(one.short for one in free if one.short)]]


def _model_option(typed: str) -> tuple[str, list[tuple[str, str]]]:
    """`KEY=` for what has been typed of a key; behind the `=` true and false, where it is one of these."""
    key, equals, value = typed.partition("=")
    if not equals:
        return key, _beginning(key, ((f"{name}=", "model option") for name in MODEL_OPTIONS))
    known = MODEL_OPTIONS.get(key)
    words = TRUTH if known is not None and known.kind == "bool" else ()
    return value, _beginning(value, ((word, "value") for word in words))


def _models(typed: str, names: Iterable[str]) -> list[tuple[str, str]]:
    """Names that begin so, whole or behind their namespace."""
    return [(name, "model") for name in names if f"/{name}".lower().rfind(f"/{typed}".lower()) >= 0]


def _files(typed: str, *, quoted: bool) -> list[tuple[str, str]]:
    """Folders, and the files that a conversation can be kept in; quotes stand around a name that needs them."""
    folder, slash, beginning = typed.rpartition("/")
    above = folder + slash
    try:
        with os.scandir(os.path.expanduser(above or ".")) as entries:  # noqa: PTH111 (a Path drops the slash of ~/)
            found = sorted((entry.name, entry.is_dir()) for entry in islice(entries, FILES))
    except OSError:
        return []
    names = [
        above + name + "/" * is_folder
        for name, is_folder in found
        if name.startswith(beginning) and (beginning or not name.startswith("."))
        if is_folder or os.path.splitext(name)[1] in SUFFIXES  # noqa: PTH122
    ]
    return [(name if quoted or not re.search(r"[\s'\"\\\\]", name) else f'"{name}"', "path") for name in names]
