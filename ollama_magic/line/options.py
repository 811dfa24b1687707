"""The reading of a line: options, then the prompt or the arguments. Which options there are: `turn_options`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from ollama_magic.errors import InputError
from ollama_magic.line.hook import split_assigned
from ollama_magic.line.spec import Argument, Option, Spec
from ollama_magic.line.turn_options import CHAT, CHAT_OPTIONS, GENERATE, HELP
from ollama_magic.line.words import bare_word, folded, read_word, skip_space

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["CHAT", "CHAT_OPTIONS", "GENERATE", "HELP", "Argument", "Line", "Option", "Spec", "read_line"]

_OTHER_DASHES = "‐‑‒–—―−"  # what word processors make of a dash; NFKC leaves them
_NAME = re.compile(r"[^=＝﹦\s'\"\\]*")
_EQUALS = ("=", "＝", "﹦")


@dataclass(frozen=True)
class Line:
    """What a line says; `options` has an attribute for every option, given or not, `arguments` one for each argument.

    `words` is the prompt as typed, `assigned` whether the call's result is assigned to something.
    """

    options: Any
    words: str = ""
    arguments: Any = None
    assigned: bool = False


def read_line(spec: Spec, line: str) -> Line:
    """Read options from the left, then the prompt or the arguments; InputError says in one line what cannot be."""
    assigned, line = split_assigned(line)
    reader = _Reader(spec, line)
    reader.read_options()
    arguments = reader.read_arguments() if spec.arguments is not None else None
    return Line(reader.options(), line[reader.at :], arguments, assigned)


class _Reader:
    """One reading of one line; `at` is the place that has been reached."""

    def __init__(self, spec: Spec, line: str) -> None:
        self.spec, self.line, self.at = spec, line, 0
        self._ended = False
        self._names = {name: one for one in spec.options for name in (one.name, one.short) if name}
        self._given: dict[str, list[Any]] = {}
        self._givers: dict[str, Option] = {}

    def read_options(self) -> None:
        """Go on to the first word that is no option."""
        self.at = skip_space(self.line, self.at)
        while not self._ended:
            raw = bare_word(self.line, self.at)
            if folded(raw) == "--":
                self.at += len(raw)
                self._ended = True
            elif not self._begins_option(folded(raw)):
                return
            else:
                self._read_option(raw)
                self._ended = "help" in self._given
            self.at = skip_space(self.line, self.at)

    def read_arguments(self) -> SimpleNamespace:
        """Read the words of a command; options may stand between them."""
        asked = self.spec.arguments or ()
        read = {one.key: self._argument(one) for one in asked}
        if "help" in self._given:
            return SimpleNamespace(**read)
        if self.at < len(self.line):
            raise InputError(f"{self.spec.name} has no place for {self.line[self.at :].strip()!r}: {self.spec.usage}")
        for one in asked:
            if one.required and not read[one.key]:
                raise InputError(f"{self.spec.name} needs {one.name}: {self.spec.usage}")
        return SimpleNamespace(**read)

    def options(self) -> SimpleNamespace:
        """Return every option's value, absent ones too."""
        given = {one.key: self._value(one) for one in self.spec.options}
        return SimpleNamespace(**{**self.spec.fixed, **given})

    def _value(self, option: Option) -> Any:
        given = self._given.get(option.key, [])
        if option.gather:
            return option.gather(given)
        return given[-1] if given else option.absent

    def _begins_option(self, word: str) -> bool:
        """Whether a word, NFKC-normalised, must be an option; InputError for one written with another dash."""
        if word[:1] in ("", "-"):
            return len(word) > 1 and not word[1].isdigit()
        bare = _NAME.match(word.lstrip(_OTHER_DASHES + "-"))
        for name in (f"--{bare[0]}", f"-{bare[0]}") if bare and word[0] in _OTHER_DASHES else ():
            if name in self._names:
                raise InputError(f"{word} begins with another dash; did you mean {name}? {self._way_out}")
        return False

    def _read_option(self, raw: str) -> None:
        match = _NAME.match(raw)
        typed = match[0] if match else ""
        name = folded(typed)
        if name not in self._names and not name.startswith("--") and f"-{name}" not in self._names:
            typed, name = typed[:2], name[:2]  # -mNAME
        option = self._names.get(name)
        attached = len(raw) > len(typed)
        equals = raw[len(typed) : len(typed) + 1] in _EQUALS
        if option is None or (attached and not equals and not option.metavar):
            raise self._unknown(folded(match[0] if match else raw))
        self.at += len(typed) + equals
        self._give(option, name, attached)

    def _give(self, option: Option, name: str, attached: bool) -> None:
        """Take the option's value from the line."""
        giver = self._givers.setdefault(option.key, option)
        if giver is not option:
            raise InputError(f"{giver.name} and {option.name} exclude each other; keep one of them.")
        if attached and not option.metavar:
            raise InputError(f"{name} takes no value.")
        value = self._read_value(option, name, attached) if option.metavar else option.const
        self._given.setdefault(option.key, []).append(value)

    def _read_value(self, option: Option, name: str, attached: bool) -> Any:
        start = self.at if attached else skip_space(self.line, self.at)
        if option.levels and not attached:
            bare = bare_word(self.line, start)
            if folded(bare) not in option.levels:
                return option.const
        word = read_word(self.line, start)
        dashed = not (attached or word.quoted) and re.match(r"-(?!\d)", folded(word.raw))
        if not word.raw or dashed:
            hint = " (put one that begins with a dash between quotes)" if dashed else ""
            raise InputError(f"{name} needs a value: {option.usage}{hint}.")
        self.at = word.end
        return self._checked(option, name, word.value)

    def _checked(self, option: Option, name: str, text: str) -> Any:
        if option.levels:
            if folded(text) not in option.levels:
                raise InputError(f"{name} is {', '.join(option.levels)}, or stands alone, not {text!r}.")
            return folded(text)
        try:
            return option.read(text)
        except ValueError as error:
            raise InputError(f"{name}: {error}.") from None

    def _argument(self, argument: Argument) -> Any:
        if argument.rest:
            start, self.at = self.at, len(self.line)
            return "" if "help" in self._given else self.line[start:]
        words: list[str] = []
        while self.at < len(self.line) and "help" not in self._given and (argument.many or not words):
            word = read_word(self.line, self.at)
            words.append(word.value)
            self.at = skip_space(self.line, word.end)
            self.read_options()
        return words if argument.many else words[0] if words else None

    @property
    def _way_out(self) -> str:
        return (
            "`--` before a prompt sends it as it stands." if self.spec.arguments is None else "`--` ends the options."
        )

    def _unknown(self, word: str) -> InputError:
        near = _nearest(word, self._names)
        rest = f"did you mean {near[0]}?" if near else f"there are {', '.join(one.name for one in self.spec.options)}."
        return InputError(f"{self.spec.name} has no option {word}; {rest} {self._way_out}")


def _nearest(word: str, names: Iterable[str]) -> list[str]:
    """Find the option that was meant: by its letters, of a single letter by its first."""
    plain = {one.lstrip("-"): one for one in names}
    typed = word.strip("-").lower().replace("_", "-")
    if len(typed) == 1:
        return [one for name, one in plain.items() if len(name) > 1 and name.startswith(typed)][:1]
    return [plain[one] for one in get_close_matches(typed, plain, 1, 0.5)]
