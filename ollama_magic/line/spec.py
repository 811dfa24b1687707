"""How a magic declares what its line may hold, and the help text that follows. Nothing is read here."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ollama_magic.line import values

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True)
class Option:
    """One option; without a `metavar` it is a switch that stores `const`.

    `read` makes the value of its text (ValueError with a reason, or InputError); `levels` are the only words that
    it may take, and then it may stand alone; `gather` makes one value of all that were given (the last by default).
    """

    name: str
    help: str
    short: str = ""
    metavar: str = ""
    read: Callable[[str], Any] = values.text
    levels: tuple[str, ...] = ()
    gather: Callable[[list[Any]], Any] | None = None
    const: object = True
    absent: object = None
    dest: str = ""

    @property
    def key(self) -> str:
        """The attribute of `Line.options` that holds the value."""
        return self.dest or self.name.removeprefix("--").replace("-", "_")

    @property
    def usage(self) -> str:
        """How it is written: `-m, --model NAME`."""
        names = ", ".join(name for name in (self.short, self.name) if name)
        return names + (f" [{self.metavar}]" if self.levels else f" {self.metavar}" if self.metavar else "")


@dataclass(frozen=True)
class Argument:
    """One positional word of a command; `many` takes all that follow, `rest` the rest of the line as it was typed."""

    name: str
    help: str = ""
    required: bool = True
    many: bool = False
    rest: bool = False

    @property
    def key(self) -> str:
        """The attribute of `Line.arguments` that holds the value."""
        return self.name.lower().replace("-", "_")

    @property
    def usage(self) -> str:
        """How it is written: `NAME`, `[NAME]`, `NAME …`."""
        shown = self.name + " …" * self.many
        return shown if self.required else f"[{shown}]"


@dataclass(frozen=True)
class Spec:
    """A magic or a command: its name as typed, one sentence, its options; without `arguments` a prompt follows.

    `fixed` are the values of options that other magics of its kind have and this one has not.
    """

    name: str
    summary: str
    options: tuple[Option, ...] = ()
    arguments: tuple[Argument, ...] | None = None
    prompt: str = "[words]"
    notes: str = ""
    fixed: Mapping[str, object] = field(default_factory=dict)

    @property
    def usage(self) -> str:
        """How it is written, on one line."""
        words = [self.name] + ["[options]"] * bool(self.options)
        words += [self.prompt] if self.arguments is None else [one.usage for one in self.arguments]
        return " ".join(word for word in words if word)

    def help(self) -> str:
        """Return the help text, for `--help` and for the docstring."""
        rows = [(one.usage, one.help) for one in self.arguments or () if one.help]
        rows += [(one.usage, one.help) for one in self.options]
        width = max((len(usage) for usage, _ in rows), default=0) + 2
        table = [
            textwrap.fill(text, 100, initial_indent=f"  {usage:{width}}", subsequent_indent=" " * (width + 2))
            for usage, text in rows
        ]
        parts = [self.usage, textwrap.fill(self.summary, 100), "\n".join(table), textwrap.fill(self.notes, 100)]
        return "\n\n".join(part for part in parts if part)
