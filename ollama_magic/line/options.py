"""Parses a line: options, then the prompt or the arguments. `turn_options` has the options of turns."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from ollama_magic.errors import InputError
from ollama_magic.foreign import one_line
from ollama_magic.line.hook import split_assigned
from ollama_magic.line.model_options import other_name
from ollama_magic.line.shell_words import bare_word, folded, read_word, skip_space, unquoted
from ollama_magic.line.spec import Argument, Option, Spec
from ollama_magic.line.turn_options import CHAT, CHAT_OPTIONS, GENERATE, HELP
from ollama_magic.line.value_readers import quoted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ollama_magic.line.spec import Fill

__all__ = ["CHAT", "CHAT_OPTIONS", "GENERATE", "HELP", "Argument", "Line", "Option", "Spec", "read_line"]

# Words after --think that turn it on or off: those that rarely begin a prompt, in the usual spellings.
_SWITCHES = frozenset({"false", "False", "FALSE", "off", "Off", "OFF", "true", "True", "TRUE"})
_UNCLEAR = frozenset({"0", "no", "none", "None"})  # they may begin a prompt, or mean off
# Options of other programs, and what to write instead.
_INSTEAD = {
    "stream": "an answer always streams; leave it out.",
    "json": "-f json requests an answer in JSON.",
    "verbose": "`%config OllamaMagic.footer = 'full'` shows times and speeds.",
    **dict.fromkeys(("prompt", "user", "message", "text"), "write the prompt after the options, without a name."),
    **dict.fromkeys(("image", "images", "file"), "-a NAME attaches a variable of the notebook or a file."),
    **dict.fromkeys(("tools", "tool"), "`%%chat -t NAME` names a function that the model may call."),
}
_OTHER_DASHES = "‐‑‒–—―−"  # word processors replace dashes by these; NFKC keeps them
_NAME = re.compile(r"[^=＝﹦\s'\"\\]*")
_UNFILLED = object()  # the value of an option whose text has a field
_EQUALS = ("=", "＝", "﹦")


@dataclass(frozen=True)
class Line:
    """A parsed line; `options` has an attribute for every option, `arguments` one for each argument.

    `words` is the prompt as typed, `assigned` whether the call's result is assigned to something, `ended` whether
    `--` ended the options.
    """

    options: Any
    words: str = ""
    arguments: Any = None
    assigned: bool = False
    ended: bool = False


def read_line(spec: Spec, line: str, fill: Fill | None = None) -> Line:
    """Parse options from the left, then the prompt or the arguments; raise InputError for an invalid line.

    Args:
        spec: what the line may contain.
        line: the text after the name of the magic or command.
        fill: fills the fields `{{name}}` in values; without it an option whose value has a field is left
            out, because its value is unknown.
    """
    assigned, line = split_assigned(line)
    reader = _Reader(spec, line, fill)
    reader.read_options()
    arguments = reader.read_arguments() if spec.arguments is not None else None
    return Line(reader.options(), line[reader.at :], arguments, assigned, reader.ended)


class _Reader:
    """Parses one line; `at` is the current position."""

    def __init__(self, spec: Spec, line: str, fill: Fill | None) -> None:
        self.spec, self.line, self.at = spec, line, 0
        self._fill = fill
        self.ended = False
        self._names = {name: one for one in spec.options for name in (one.name, one.short) if name}
        self._values: dict[str, list[Any]] = {}
        self._writers: dict[str, Option] = {}

    def read_options(self) -> None:
        """Read options up to the first other word."""
        self.at = skip_space(self.line, self.at)
        while not self.ended:
            raw = bare_word(self.line, self.at)
            if folded(raw) == "--":
                self.at += len(raw)
                self.ended = True
            elif not self._begins_option(folded(raw)):
                return
            else:
                self._read_option(raw)
                self.ended = "help" in self._values
            self.at = skip_space(self.line, self.at)

    def read_arguments(self) -> SimpleNamespace:
        """Read the arguments of a command, and options between them."""
        asked = self.spec.arguments or ()
        read = {one.key: self._argument(one) for one in asked}
        if "help" in self._values:
            return SimpleNamespace(**read)
        if self.at < len(self.line):
            raise self._too_much(self.line[self.at :].strip())
        for one in asked:
            if one.required and not read[one.key]:
                raise InputError(self.spec.needs or f"{self.spec.name} needs {one.name}: {self.spec.usage}")
        return SimpleNamespace(**read)

    def options(self) -> SimpleNamespace:
        """Return the value of every option, by default its default."""
        values = {one.key: self._value(one) for one in self.spec.options}
        return SimpleNamespace(**{**self.spec.fixed, **values})

    def _value(self, option: Option) -> Any:
        values = self._values.get(option.key, [])
        if option.combine:
            return option.combine(values)
        return values[-1] if values else option.default

    def _begins_option(self, word: str) -> bool:
        """Whether an NFKC-normalised word must be an option; raise InputError for one with another dash."""
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
        self._store(option, name, attached)

    def _store(self, option: Option, name: str, attached: bool) -> None:
        """Read and store the option's value."""
        writer = self._writers.setdefault(option.key, option)
        if writer is not option:
            raise InputError(f"{writer.name} and {option.name} exclude each other; keep one of them.")
        if attached and not option.metavar:
            raise InputError(f"{name} takes no value.")
        value = self._read_value(option, name, attached) if option.metavar else option.const
        self._values.setdefault(option.key, []).extend([] if value is _UNFILLED else [value])

    def _read_value(self, option: Option, name: str, attached: bool) -> Any:
        start = self.at if attached else skip_space(self.line, self.at)
        if not option.free and not attached:
            bare = bare_word(self.line, start)
            if not (option.is_value(bare) or (option.choices and self._chooses(option, bare, start))):
                return option.const
        raw = option.read_raw(self.line, start) if option.read_raw else None
        if raw is not None:
            value, self.at = raw
            return self._filled_texts(option, name, value)
        word = read_word(self.line, start)
        dashed = not (attached or word.quoted) and re.match(r"-(?!\d)", folded(word.raw))
        if not word.raw or dashed:
            hint = " (put one that begins with a dash between quotes)" if dashed else ""
            what = "" if self.spec.arguments is None else f", {option.help}"
            raise InputError(f"{name} needs a value: {option.usage}{what}{hint}.")
        self.at = word.end
        return self._checked(option, name, word.value)

    def _filled_texts(self, option: Option, name: str, value: Any) -> Any:
        """Return a value of a syntax of its own; the fields in the texts of a `stop="…"` are filled."""
        if not isinstance(value, tuple) or not any("{{" in text for text in value[1]):
            return value
        if self._fill is None:
            return _UNFILLED
        return value[0], [self._fill.value(option, name, text) for text in value[1]]

    def _checked(self, option: Option, name: str, text: str) -> Any:
        if self._fill is not None:
            text = self._fill.value(option, name, text)
        elif "{{" in text and not option.prose:
            return _UNFILLED
        if option.choices:
            if folded(text) in option.choices:
                return folded(text)
            try:
                return option.read(text)
            except ValueError:
                known = ", ".join(option.choices)
                why = f"{name} takes {known}, true, false, or no value, not {quoted(text)}."
                raise InputError(why) from None
        try:
            return option.read(text)
        except ValueError as error:
            raise InputError(f"{name}: {error}.") from None

    def _chooses(self, option: Option, word: str, start: int) -> bool:
        """Whether a word that is no choice switches the option, or is a field that holds a choice."""
        return self._switches(word, start) or self._holds_choice(option, word)

    def _switches(self, word: str, start: int) -> bool:
        """Whether a word after an option with choices means on or off; `True or false: …` begins a prompt."""
        if word in _UNCLEAR:
            raise InputError(f"`--think {word}` is unclear: write --no-think, or --think=true before a prompt.")
        following = bare_word(self.line, skip_space(self.line, start + len(word))).lower()
        return word in _SWITCHES and following not in ("or", "oder", "ou", "o")

    def _holds_choice(self, option: Option, word: str) -> bool:
        """Whether a word is a field whose variable holds one of the choices, or on or off."""
        if self._fill is None or not (word.startswith("{{") and word.endswith("}}")):
            return False
        value = self._fill.peek(word)
        return value in option.choices or value in _SWITCHES

    def _argument(self, argument: Argument) -> Any:
        if argument.rest and not argument.many:
            start, self.at = self.at, len(self.line)
            text = self.line[start:]
            if not text.strip() or "help" in self._values:
                return None
            return self._read_argument(argument, self._filled(argument, unquoted(text)))
        if argument.rest and self.line[self.at : self.at + 1] not in ("'", '"'):
            start, self.at = self.at, len(self.line)
            return [self._filled(argument, text)] if (text := self.line[start:].strip()) else []
        words: list[str] = []
        while self.at < len(self.line) and "help" not in self._values and (argument.many or not words):
            word = read_word(self.line, self.at)
            raw = argument.read_raw(self.line, self.at) if argument.read_raw else None
            value, end = raw or (word.value, word.end)
            words.append(self._filled(argument, value))
            self.at = skip_space(self.line, end)
            self.read_options()
        if argument.many:
            return words
        return self._read_argument(argument, words[0]) if words else None

    def _filled(self, argument: Argument, text: str) -> str:
        return text if self._fill is None else self._fill.value(argument, argument.name, text)

    def _too_much(self, rest: str) -> InputError:
        if not self.spec.arguments:
            return InputError(f"`{self.spec.name}` takes no arguments; remove “{one_line(rest, 100)}”.")
        return InputError(self.spec.needs or f"{self.spec.name} does not take {quoted(rest)}: {self.spec.usage}")

    def _read_argument(self, argument: Argument, text: str) -> Any:
        if argument.choices and folded(text) not in argument.choices:
            near = get_close_matches(folded(text).lower(), argument.choices, 1, 0.5)
            hint = f"did you mean `{self.spec.name} {near[0]}`?" if near else f"not {quoted(text)}."
            *most, last = argument.choices
            raise InputError(f"`{self.spec.name}` takes {', '.join(most)} or {last}; {hint}")
        try:
            return argument.read(text) if argument.read else folded(text) if argument.choices else text
        except ValueError as error:
            raise InputError(f"`{self.spec.name}`: {argument.name} {error}.") from None

    @property
    def _way_out(self) -> str:
        return "`--` before a prompt sends it unchanged." if self.spec.arguments is None else "`--` ends the options."

    def _unknown(self, word: str) -> InputError:
        option = word.lstrip("-").replace("-", "_").lower()
        if self.spec.arguments is None and len(word) > 2 and (known := other_name(option)):
            value = bare_word(self.line, skip_space(self.line, self.at + len(word)))
            attached = self.line[self.at + len(word) :][:1] in _EQUALS
            value = bare_word(self.line, self.at + len(word) + 1) if attached else value
            return InputError(f"{word} is a model option; write -o {known}={value or '…'}. {self._way_out}")
        if option in _INSTEAD:
            return InputError(f"{self.spec.name} has no option {word}: {_INSTEAD[option]} {self._way_out}")
        near = _nearest(word, self._names)
        names = ", ".join(one.name for one in self.spec.options)
        rest = f"did you mean {near[0]}?" if near else f"its options: {names}."
        return InputError(f"{self.spec.name} has no option {word}; {rest} {self._way_out}")


def _nearest(word: str, names: Iterable[str]) -> list[str]:
    """Find the option that was meant: the most similar one, or for a letter one that begins with it."""
    plain = {one.lstrip("-"): one for one in names}
    typed = word.strip("-").lower().replace("_", "-")
    if len(typed) == 1:
        return [one for name, one in plain.items() if len(name) > 1 and name.startswith(typed)][:1]
    return [plain[one] for one in get_close_matches(typed, plain, 1, 0.5)]
