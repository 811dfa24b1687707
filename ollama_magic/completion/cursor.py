"""Finds the cursor's position within our magics; `offers` has the completions. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ollama_magic.errors import InputError
from ollama_magic.line.shell_words import bare_word, folded, read_word, skip_space

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ollama_magic.line.spec import Option, Spec

    Ours = Callable[[str, str], bool]

OPTION, VALUE, WORD, PROSE, FIELD, COMMAND = "option", "value", "word", "prose", "field", "command"

_CELL = re.compile(r"\s*%%(\w+)(?:[^\S\n]|\Z)")
_HANDS_ON = frozenset({"time", "capture"})  # cell magics whose body passes through our line hook
# A statement, one after a colon, or the right side of an assignment; not after a quote or a comment.
_LINE = re.compile(r"\s*(?:[^%#'\"]*[=:]\s*)?%(\w+)\s")
_FIELD = re.compile(r"(?<!\{)\{\{(?!\{)([^{}\n]*)\Z")
_TAIL = re.compile(r"\S*\Z")
_OPEN_ITEM = re.compile(r"""[^\W\d][\w.]*\[(?:'[^']*'|"[^"]*"|[^\s'"])*(?:'[^']*|"[^"]*)?\Z""")


@dataclass(frozen=True)
class Call:
    """The magic at the cursor; `line` is its line up to the cursor, or `body` its cell up to there."""

    name: str
    line: str
    body: str | None = None


@dataclass(frozen=True)
class Cursor:
    """The position of the cursor; `typed` is the text before it that a completion replaces.

    `options` are possible there; `before` are the complete words of a command, `options_typed` the values of options
    by key, and `quoted` says that a quote is open.
    """

    kind: str
    typed: str
    option: Option | None = None
    before: tuple[str, ...] = ()
    options_typed: Mapping[str, str] = field(default_factory=dict)
    quoted: bool = False
    options: Sequence[Option] = ()


def call_at(text: str, ours: Ours) -> Call | None:
    """Find the magic in which a text that ends at the cursor ends; None outside of our magics."""
    rows = text.split("\n")
    for number, row in enumerate(rows):
        match = _CELL.match(row)
        if match is None and row.strip():
            break
        last = number == len(rows) - 1
        if match is not None and ours("cell", match[1]) and not (last and match.end(1) == len(row)):
            return Call(match[1], row[match.end() :], None if last else rows[-1])
        if match is not None and match[1] not in _HANDS_ON:
            return None
    line = _joined(rows)
    match = _LINE.match(line)
    return Call(match[1], line[match.end() :]) if match and ours("line", match[1]) else None


def cursor_in_prompt(text: str) -> Cursor:
    """Return the position in a prompt: an open field `{{…`, or prose."""
    match = _FIELD.search(text)
    return Cursor(FIELD, match[1].lstrip()) if match else Cursor(PROSE, _tail(text))


def cursor_in_line(spec: Spec, text: str) -> Cursor:
    """Return the position in a line of options and a prompt, or of arguments."""
    return _Scan(spec.options, text, prompt=spec.arguments is None).cursor()


def _joined(rows: list[str]) -> str:
    """Return the last row, joined with preceding rows that end with a backslash."""
    first = len(rows) - 1
    while first and rows[first - 1].endswith("\\"):
        first -= 1
    return " ".join([row[:-1].rstrip() for row in rows[first:-1]] + [rows[-1]])


def _tail(text: str) -> str:
    match = _TAIL.search(text)
    return match[0] if match else ""


class _Scan:
    """Parses a line leniently up to the cursor, ignoring what `read_line` would refuse."""

    def __init__(self, options: Sequence[Option], text: str, prompt: bool) -> None:
        self._options = options
        self._names = {name: one for one in options for name in (one.name, one.short) if name}
        self._text, self._prompt = text, prompt
        self._options_typed: dict[str, str] = {}
        self._before: list[str] = []
        self._quoted = False

    def cursor(self) -> Cursor:
        at, ended = 0, False
        while True:
            at = skip_space(self._text, at)
            raw = bare_word(self._text, at)
            if not raw and not ended:
                return self._found(WORD, "")
            if folded(raw) == "--" and at + len(raw) < len(self._text):
                at, ended = at + len(raw), True
            elif not ended and folded(raw[:1]) == "-" and not raw[1:2].isdigit():
                step = self._option(at, raw)
                if isinstance(step, Cursor):
                    return step
                at = step
            elif self._prompt:
                return cursor_in_prompt(self._text[at:])
            else:
                word, at = self._word(at)
                if at == len(self._text):
                    return self._found(WORD, word)
                self._before.append(word)

    def _option(self, at: int, raw: str) -> Cursor | int:
        """Return the position within an option, or where the text continues after it."""
        name, equals, _ = folded(raw).partition("=")
        if not equals and not name.startswith("--") and len(name) > 2 and self._takes_value(name[:2]):
            return self._value(name[:2], at + 2)
        if equals and self._takes_value(name):
            return self._value(name, at + len(name) + 1)
        end = at + len(raw)
        if end == len(self._text):
            return self._found(OPTION, raw)
        if self._takes_value(name):
            return self._value(name, skip_space(self._text, end))
        if name in self._names:
            self._options_typed[self._names[name].key] = ""
        return end

    def _takes_value(self, name: str) -> bool:
        return name in self._names and bool(self._names[name].metavar)

    def _value(self, name: str, at: int) -> Cursor | int:
        option = self._names[name]
        item = _OPEN_ITEM.match(self._text, at) if option.kind == "source" else None
        if item is not None:  # `plots["by ye`, whose quote is open
            return self._found(VALUE, item[0], option)
        word, end = self._type(option, at) if option.kind == "answer format" else self._word(at)
        if end == len(self._text):
            return self._found(VALUE, word, option)
        if not option.free and not option.is_value(word):
            word, end = "", at  # it has no value
        self._options_typed[option.key] = word
        return end

    def _type(self, option: Option, at: int) -> tuple[str, int]:
        """A type, with the spaces within its brackets; one whose bracket is open goes on to the cursor."""
        try:
            return (option.read_raw and option.read_raw(self._text, at)) or self._word(at)
        except InputError:
            return self._text[at:], len(self._text)

    def _word(self, at: int) -> tuple[str, int]:
        """Return a word without quotes, and its end; an open quote extends to the cursor."""
        try:
            word = read_word(self._text, at)
        except InputError:
            self._quoted = True
            return re.sub(r"""^[^'"]*['"]""", "", self._text[at:]), len(self._text)
        last = word.end == len(self._text)  # what a completion replaces is the text as typed
        return word.raw if last else word.value, word.end

    def _found(self, kind: str, typed: str, option: Option | None = None) -> Cursor:
        return Cursor(kind, typed, option, tuple(self._before), self._options_typed, self._quoted, self._options)
