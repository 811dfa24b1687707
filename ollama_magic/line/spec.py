"""The declarations of magics and commands, which the parser, help, Tab and the tables of the docs use."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

from ollama_magic.line import value_readers
from ollama_magic.line.shell_words import folded

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Kind = Literal[
    "",
    "model",
    "conversation",
    "file",
    "model option",
    "option name",
    "duration",
    "answer format",
    "tool",
    "source",
    "command",
    "setting",
    "rows",
    "executor",
]


@dataclass(frozen=True)
class Option:
    """One option; without a `metavar` it is a switch with the value `const`.

    Args:
        name: its long name, such as "--model".
        help: what it does, in a few words.
        short: its short name, such as "-m".
        metavar: the name of its value in a usage line.
        read: parses its value (ValueError with a reason, or InputError).
        read_raw: parses a value with its own syntax at a position of the line, and returns it with its end;
            None to parse an ordinary word.
        choices: its possible values; the option may then have no value.
        optional: a pattern: only a word that matches it as a whole is its value; the option may then have no value.
        combine: combines the values of all its occurrences (by default the last one counts).
        const: the value of a switch, and of an option with choices but without a value.
        default: the value if the line does not have the option.
        dest: the attribute of `Line.options`, by default from the name.
        kind: what Tab offers for its value.
        prose: whether its value is a text, in which an unknown `{{name}}` stays as typed.
    """

    name: str
    help: str
    short: str = ""
    metavar: str = ""
    read: Callable[[str], Any] = value_readers.text
    read_raw: Callable[[str, int], tuple[Any, int] | None] | None = None
    choices: tuple[str, ...] = ()
    optional: str = ""
    combine: Callable[[list[Any]], Any] | None = None
    const: object = True
    default: object = None
    dest: str = ""
    kind: Kind = ""
    prose: bool = False

    @property
    def key(self) -> str:
        """The attribute of `Line.options` with the value."""
        return self.dest or self.name.removeprefix("--").replace("-", "_")

    @property
    def free(self) -> bool:
        """Whether it takes any word as its value."""
        return bool(self.metavar) and not self.choices and not self.optional

    def is_value(self, word: str) -> bool:
        """Whether a word behind an option that may have no value is its value."""
        word = folded(word)
        return word in self.choices or bool(self.optional and re.fullmatch(self.optional, word))

    @property
    def usage(self) -> str:
        """How it is written: `-m, --model NAME`."""
        names = ", ".join(name for name in (self.short, self.name) if name)
        return names + (f" {self.metavar}" if self.free else f" [{self.metavar}]" if self.metavar else "")


@dataclass(frozen=True)
class Argument:
    """One positional argument of a command; `kind` says what Tab offers, `choices` are its possible values.

    `prose` is a text in which a `{{name}}` without a value stays as typed. `many` takes all following words.
    `rest` takes the rest of the line as typed, without quotes around all of it; with `many` it is a list, of several
    words if it begins with a quote. `read_raw` parses a word with its own syntax, as that of an option does.
    """

    name: str
    help: str = ""
    required: bool = True
    many: bool = False
    rest: bool = False
    read: Callable[[str], Any] | None = None
    read_raw: Callable[[str, int], tuple[str, int] | None] | None = None
    choices: tuple[str, ...] = ()
    kind: Kind = ""
    prose: bool = False

    @property
    def key(self) -> str:
        """The attribute of `Line.arguments` with the value."""
        return self.name.lower().replace("-", "_").replace("|", "_")

    @property
    def usage(self) -> str:
        """How it is written: `NAME`, `[NAME]`, `NAME …`, `curl|python|java`."""
        shown = ("|".join(self.choices) or self.name) + " …" * (self.many and not self.rest)
        return shown if self.required else f"[{shown}]"


class Fill(Protocol):
    """Fills the `{{name}}` in what a line holds from the variables of whoever wrote it."""

    @property
    def variables(self) -> Mapping[str, Any]:
        """What whoever wrote it sees."""

    def value(self, holder: Option | Argument, name: str, text: str) -> str:
        """Return the text of a value with its fields filled; InputError for what is meant as a field and is none."""

    def peek(self, field: str) -> str:
        """Return what a field would be filled with, and take no note of it."""


@dataclass(frozen=True)
class Spec:
    """A magic or a command: its name, summary and options; without `arguments` a prompt follows.

    `fixed` are values for options that only other magics have. `needs` is the error for a missing argument, by default
    the usage line.
    """

    name: str
    summary: str
    options: tuple[Option, ...] = ()
    arguments: tuple[Argument, ...] | None = None
    prompt: str = "[words]"
    notes: str = ""
    examples: tuple[str, ...] = ()
    needs: str = ""
    fixed: Mapping[str, object] = field(default_factory=dict)

    @property
    def own_options(self) -> tuple[Option, ...]:
        """Its options without `--help`, which everything has."""
        return tuple(one for one in self.options if one.name != "--help")

    @property
    def usage(self) -> str:
        """How it is written, on one line."""
        if self.arguments is None:
            return " ".join(word for word in (self.name, "[options]", self.prompt) if word)
        own = [f"[{one.usage.rpartition(', ')[2]}]" for one in self.own_options]
        words = [one.usage for one in self.arguments]
        return " ".join([self.name, *words, *own] if len(own) < 3 else [self.name, "[options]", *words])

    @property
    def rows(self) -> list[tuple[str, str]]:
        """The usage and the meaning of each option, and of each argument with a help text."""
        words: list[Argument | Option] = [*(self.arguments or ()), *self.own_options]
        return [(one.usage, one.help) for one in words if one.help]

    def help(self) -> str:
        """Return the help text, for `--help` and for the docstring."""
        rows = [*self.rows, *((one.usage, one.help) for one in self.options if one.name == "--help")]
        width = max((len(usage) for usage, _ in rows), default=0) + 2
        table = [
            textwrap.fill(text, 100, initial_indent=f"  {usage:{width}}", subsequent_indent=" " * (width + 2))
            for usage, text in rows
        ]
        parts = [self.usage, textwrap.fill(self.summary, 100), "\n".join(table), textwrap.fill(self.notes, 100)]
        return "\n\n".join(part for part in parts if part)
