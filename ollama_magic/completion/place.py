"""Where the cursor stands in one of our magics: pure reading of text. What is offered there stands in `offers`."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ollama_magic.errors import InputError
from ollama_magic.line.words import bare_word, folded, read_word, skip_space

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ollama_magic.line.spec import Option

    Ours = Callable[[str, str], bool]

OPTION, VALUE, WORD, PROSE, FIELD, COMMAND = "option", "value", "word", "prose", "field", "command"

_CELL = re.compile(r"\s*%%(\w+)(?:[^\S\n]|\Z)")
_HANDS_ON = frozenset({"time", "capture"})  # cell magics whose body comes to our line hook again
# A statement of its own, behind a colon, or the right side of an assignment; never behind a quote or a comment.
_LINE = re.compile(r"\s*(?:[^%#'\"]*[=:]\s*)?%(\w+)\s")
_FIELD = re.compile(r"(?<!\{)\{\{(?!\{)([^{}\n]*)\Z")
_TAIL = re.compile(r"\S*\Z")


@dataclass(frozen=True)
class Call:
    """The magic in which the cursor stands; `line` is its line up to the cursor, or `body` its cell up to there."""

    name: str
    line: str
    body: str | None = None


@dataclass(frozen=True)
class Place:
    """What stands at the cursor; `typed` is the text before it that a completion replaces.

    `options` may stand there; `before` are the words of a command that are complete, `given` the values of options
    by key, and `quoted` says that a quote is open before it.
    """

    kind: str
    typed: str
    option: Option | None = None
    before: tuple[str, ...] = ()
    given: Mapping[str, str] = field(default_factory=dict)
    quoted: bool = False
    options: Sequence[Option] = ()


def call_at(text: str, ours: Ours) -> Call | None:
    """Find the magic of ours in which a cell's text, cut off at the cursor, ends; None outside of them."""
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


def place_in_prompt(text: str) -> Place:
    """A place in the words of a prompt: a field `{{…` that is still open, or prose."""
    match = _FIELD.search(text)
    return Place(FIELD, match[1].lstrip()) if match else Place(PROSE, _tail(text))


def place_in_line(options: Sequence[Option], text: str, *, prompt: bool) -> Place:
    """A place in options and what follows them: a prompt, or else words with options between them."""
    return _Scan(options, text, prompt).place()


def _joined(rows: list[str]) -> str:
    """Return the last row with those before it that end with a backslash."""
    first = len(rows) - 1
    while first and rows[first - 1].endswith("\\"):
        first -= 1
    return " ".join([row[:-1].rstrip() for row in rows[first:-1]] + [rows[-1]])


def _tail(text: str) -> str:
    match = _TAIL.search(text)
    return match[0] if match else ""


class _Scan:
    """One lenient reading of a line up to the cursor; what `read_line` would refuse is passed over."""

    def __init__(self, options: Sequence[Option], text: str, prompt: bool) -> None:
        self._options = options
        self._names = {name: one for one in options for name in (one.name, one.short) if name}
        self._text, self._prompt = text, prompt
        self._given: dict[str, str] = {}
        self._before: list[str] = []
        self._quoted = False

    def place(self) -> Place:
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
                if isinstance(step, Place):
                    return step
                at = step
            elif self._prompt:
                return place_in_prompt(self._text[at:])
            else:
                word, at = self._word(at)
                if at == len(self._text):
                    return self._found(WORD, word)
                self._before.append(word)

    def _option(self, at: int, raw: str) -> Place | int:
        """The place within an option, or where the text goes on behind it."""
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
            self._given[self._names[name].key] = ""
        return end

    def _takes_value(self, name: str) -> bool:
        return name in self._names and bool(self._names[name].metavar)

    def _value(self, name: str, at: int) -> Place | int:
        option = self._names[name]
        word, end = self._word(at)
        if end == len(self._text):
            return self._found(VALUE, word, option)
        if option.levels and folded(word) not in option.levels:
            word, end = "", at  # it stood alone
        self._given[option.key] = word
        return end

    def _word(self, at: int) -> tuple[str, int]:
        """A word without its quotes, and its end; one whose quote is still open goes on to the cursor."""
        try:
            word = read_word(self._text, at)
        except InputError:
            self._quoted = True
            return re.sub(r"""^[^'"]*['"]""", "", self._text[at:]), len(self._text)
        if word.end == len(self._text) and not word.quoted:
            return word.raw, word.end  # a completion replaces what was typed, letter for letter
        return word.value, word.end

    def _found(self, kind: str, typed: str, option: Option | None = None) -> Place:
        return Place(kind, typed, option, tuple(self._before), self._given, self._quoted, self._options)
