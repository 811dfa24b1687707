"""The completions at a position: commands, options, their values, models, conversations, files."""

from __future__ import annotations

import os
import re
from itertools import islice
from typing import TYPE_CHECKING

from ollama_magic.answer_types.format_names import format_names
from ollama_magic.commands.command_table import COMMANDS
from ollama_magic.completion.cursor import COMMAND, OPTION, PROSE, VALUE, Cursor
from ollama_magic.completion.field_names import fields
from ollama_magic.completion.server_models import ModelNames
from ollama_magic.completion.tool_names import tool_names
from ollama_magic.completion.variable_names import executor_names, row_names
from ollama_magic.line.model_options import MODEL_OPTIONS
from ollama_magic.ollama.catalog import newest_first

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ollama_magic.conversation.session import Session
    from ollama_magic.line.spec import Argument, Kind, Spec

FILES, LOOKED_AT = 300, 20_000  # files that are offered, and entries of a folder
SUFFIXES = frozenset({".ipynb", ".json", ".md"})
DURATIONS = ("5m", "1h", "0", "-1")
TRUTH = ("true", "false")


class Offers:
    """The completions of a session."""

    def __init__(self, session: Session, variables: Mapping[str, object], hidden: Mapping[str, object]) -> None:
        self._session = session
        self._variables, self._hidden = variables, hidden
        self.names = ModelNames(session)

    def at(self, cursor: Cursor, spec: Spec) -> tuple[str, list[tuple[str, str]]]:
        """Return the text to replace, and (text, kind) of each completion."""
        typed = cursor.typed
        if cursor.kind == PROSE:
            return typed, []
        if cursor.kind == COMMAND:
            return typed, _beginning(typed, ((name, "command") for name in COMMANDS))
        if cursor.kind == OPTION or (spec.arguments is None and cursor.kind != VALUE):
            return typed, _beginning(typed, _option_names(cursor))
        asked = cursor.option or _argument(spec, len(cursor.before))
        if asked is None:
            return typed, []
        if asked.choices:
            return typed, _beginning(typed, ((word, "value") for word in asked.choices))
        return self._of_kind(asked.kind, cursor)

    def _of_kind(self, kind: Kind, cursor: Cursor) -> tuple[str, list[tuple[str, str]]]:
        typed = cursor.typed
        if kind == "model option":
            return _model_option(typed)
        if kind == "file":
            return typed, _files(typed, quoted=cursor.quoted)
        if kind in ("source", "answer format"):
            offered = self._sources if kind == "source" else self._formats
            return offered(typed, quoted=cursor.quoted)
        if kind == "model":
            return typed, _models(typed, self._models(cursor))
        if kind == "tool":
            names = tool_names(typed, self._variables, self._hidden)
            return typed, [(name, "value") for name in names if name not in cursor.before]
        words = self._words(kind)
        return typed, _beginning(typed, ((word, "value") for word in words if word not in cursor.before))

    def _words(self, kind: Kind) -> Sequence[str]:
        if kind == "conversation":
            return self._conversations()
        if kind == "setting":
            return self._settings()
        if kind == "command":
            return list(COMMANDS)
        if kind == "rows":
            return row_names(self._variables, self._hidden)
        if kind == "executor":
            return executor_names(self._variables, self._hidden)
        return {"option name": tuple(MODEL_OPTIONS), "duration": DURATIONS}.get(kind, ())

    def _formats(self, typed: str, *, quoted: bool) -> tuple[str, list[tuple[str, str]]]:
        """json, the types of the notebook, the schemas in this folder; within brackets the types alone."""
        end, names = format_names(typed, self._variables, self._hidden)
        schemas = [one for one in _files(typed, quoted=quoted) if one[0].strip('"').endswith(".json")]
        return end, [*((name, "value") for name in names), *(schemas if end == typed else [])]

    def _sources(self, typed: str, *, quoted: bool) -> tuple[str, list[tuple[str, str]]]:
        """The variables of the notebook, and the files; behind a variable's dot or bracket what it holds."""
        end, names = fields(typed, self._variables, self._hidden)
        files = _files(typed, quoted=quoted, suffixes=None)
        if end != typed:
            return (end, [(name, "variable") for name in names]) if names else (typed, files)
        return typed, [*((name, "variable") for name in names), *files]

    def _models(self, cursor: Cursor) -> list[str]:
        return [model.name for model in newest_first(self.names.get(cursor.options_typed.get("hosts")))]

    def _conversations(self) -> list[str]:
        session = self._session
        return list(dict.fromkeys([session.current, *session.journal.conversations()]))

    def _settings(self) -> list[str]:
        conversation = self._session.conversation()
        named = [name for name in ("model", "system") if conversation.setting(name) is not None]
        return [*(conversation.setting("options") or {}), *named]


def _argument(spec: Spec, place: int) -> Argument | None:
    """Return the argument at a position; `rest` has completions for its first word only."""
    arguments = spec.arguments or ()
    if place < len(arguments):
        return arguments[place]
    return arguments[-1] if arguments and arguments[-1].many and not arguments[-1].rest else None


def _beginning(typed: str, words: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(word, kind) for word, kind in words if word.lower().startswith(typed.lower())]


def _option_names(cursor: Cursor) -> list[tuple[str, str]]:
    """Return option names, long ones first, without those that may not be repeated."""
    free = [one for one in cursor.options if one.combine or one.key not in cursor.options_typed]
    return [(name, "option") for name in [*(one.name for one in free), *(one.short for one in free if one.short)]]


def _model_option(typed: str) -> tuple[str, list[tuple[str, str]]]:
    """Return completions of `KEY=`, or true and false for the value of a boolean option."""
    key, equals, value = typed.partition("=")
    if not equals:
        return key, _beginning(key, ((f"{name}=", "model option") for name in MODEL_OPTIONS))
    known = MODEL_OPTIONS.get(key)
    words = TRUTH if known is not None and known.kind == "bool" else ()
    return value, _beginning(value, ((word, "value") for word in words))


def _models(typed: str, names: Iterable[str]) -> list[tuple[str, str]]:
    """Return names that begin with the text, with or without their namespace."""
    return [(name, "model") for name in names if f"/{name}".lower().rfind(f"/{typed}".lower()) >= 0]


def _files(typed: str, *, quoted: bool, suffixes: frozenset[str] | None = SUFFIXES) -> list[tuple[str, str]]:
    """Return folders, and files with these suffixes (None: any), with quotes around names that need them."""
    folder, slash, beginning = typed.rpartition("/")
    above = folder + slash
    try:
        with os.scandir(os.path.expanduser(above or ".")) as entries:  # noqa: PTH111 (a Path drops the slash of ~/)
            meant = (entry for entry in islice(entries, LOOKED_AT) if entry.name.startswith(beginning))
            found = sorted((entry.name, _is_folder(entry)) for entry in islice(meant, FILES))
    except (OSError, ValueError):
        return []
    names = [
        above + name + "/" * is_folder
        for name, is_folder in found
        if beginning or not name.startswith(".")
        if is_folder or suffixes is None or os.path.splitext(name)[1] in suffixes  # noqa: PTH122
    ]
    return [(name if quoted else _quoted(name), "path") for name in names]


def _is_folder(entry: os.DirEntry[str]) -> bool:
    """Whether this is a folder; a link that leads to itself is none."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def _quoted(name: str) -> str:
    """Return a path as it is written on a line: in quotes if it would not be read as one word, or as an option."""
    if not name.startswith("-") and not re.search(r"[\s'\"\\]", name):
        return name
    return '"' + re.sub(r'(["\\])', r"\\\1", name) + '"'
