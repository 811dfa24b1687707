"""Fills `{{name}}` from the notebook's variables in a line's words and option values."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from ollama_magic.errors import InputError, TurnStopped
from ollama_magic.foreign import repaired
from ollama_magic.line.options import read_line
from ollama_magic.line.stray_options import stray_options
from ollama_magic.magics.caller_scope import caller_scope

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from ollama_magic.answer_types.answer_format import AnswerFormat
    from ollama_magic.line.options import Line
    from ollama_magic.line.spec import Argument, Option, Spec

    Attached = Callable[[str, object], str | None]

LEAST, DEFAULT = 2_000, 8_000  # characters of one filled value
PER_TOKEN = 2  # characters of a value for each token of the window: half of the window, for English text
_SHELL = re.compile(r"\$\{?([A-Za-z_]\w*)\}?")
_BRACED = re.compile(r"\{([A-Za-z_]\w*)\}")
_SOURCE_FIELD = re.compile(r"\{\{\s*([^{}\n]+?)\s*\}\}\Z")  # a variable is attached, not written
_VALUE = re.compile(r"[=\s]")  # what stands before the value in KEY=VALUE and KEY VALUE
_STOP_FIELD = re.compile(r"""(stop\s*[=\s]\s*)(["']?)\{\{([^{}\n]+)\}\}\2""")

_CALLS = {
    "models": "chat(prompt, model=…)",
    "hosts": "chat(prompt, host=…)",
    "option": "chat(prompt, options={…})",
    "tool": "chat(prompt, tools=[…])",
    **{name: f"chat(prompt, {name}=…)" for name in ("system", "think", "format", "keep_alive")},
    **{name: f"generate(prompt, {name}=…)" for name in ("suffix", "template")},
}


class Filler:
    """Fills one line and its prompt, and collects the notes that stand above the answer.

    `written` is how values of answers are written, None for any other.
    """

    def __init__(
        self, notebook: dict[str, Any], mask: Callable[[str], str], written: Callable[[object], str | None]
    ) -> None:
        self._notebook, self._mask, self._written = notebook, mask, written
        self._names: Mapping[str, Any] | None = None
        self.images: list[tuple[str, object]] = []  # in the order of their marks in the prompt
        self.notes: list[str] = []
        self.unfilled: list[str] = []

    @property
    def variables(self) -> Mapping[str, Any]:
        """What the caller of the magic sees."""
        if self._names is None:
            self._names = caller_scope(self._notebook)
        return self._names

    def read(self, spec: Spec, line: str) -> Line:
        """Parse a line and fill the fields in its options, unless it has `--verbatim`; ■ ends that with TurnStopped."""
        fill = (_AsTyped() if _verbatim(spec, line) else self) if "{" in line or "$" in line else None
        try:
            read = read_line(spec, line, fill)
        except KeyboardInterrupt:  # within the code of a user's object
            raise TurnStopped("Stopped; nothing was sent.") from None
        self.notes += stray_options(spec, read.words) if not read.ended else ()
        return read

    def prompt(self, text: str, limit: int) -> str:
        """Return the prompt with its fields filled, with at most `limit` characters each."""
        if "{{" not in text:
            return text
        return self._filled(text, limit, self._attached)[0]

    def sources(self, names: Iterable[str]) -> list[tuple[str, object]]:
        """Return what stands behind each `-a`: a variable, or the files at a path; InputError for neither."""
        from ollama_magic.attachments.source_names import expand

        return [source for name in names for source in expand(name, self.variables)]

    def _attached(self, name: str, value: object) -> str | None:
        """Return the mark in place of a field that holds an image, which goes along; None for any other value."""
        from ollama_magic.attachments.sources import is_image

        if not is_image(value):
            return None
        self.images.append((name, value))
        return f"[image {len(self.images)}: {name}]"

    def answer_format(self, name: str | None) -> AnswerFormat[Any] | None:
        """Return the format that stands behind `-f`; InputError where there is none of that name."""
        if name is None:
            return None
        from ollama_magic.answer_types.answer_format import format_named
        from ollama_magic.prompt.resolve import NotFilled

        try:
            return format_named(name, self.variables)
        except NotFilled as why:
            raise InputError(f"-f: {why}.") from None

    def _filled(
        self, text: str, limit: int = DEFAULT, attached: Attached = lambda _name, _value: None
    ) -> tuple[str, tuple[str, ...]]:
        from ollama_magic.prompt.fill import fill

        filled = fill(text, self.variables, self._mask, limit, self._written, attached)
        self.notes += filled.notes
        self.unfilled += filled.unfilled
        if filled.cut:
            more = f"`-o num_ctx=…` or `%config OllamaMagic.fill_chars = {filled.cut}` sends all of it"
            self.notes.append(f"cut at {limit:,} characters; {more}")
        return repaired(filled.text), filled.unfilled

    def peek(self, field: str) -> str:
        """Return the text for a field, without a note."""
        from ollama_magic.prompt.fill import fill

        return fill(field, self.variables, self._mask, DEFAULT, self._written).text

    def value(self, holder: Option | Argument, name: str, text: str) -> str:
        """Return a value with its fields filled; raise InputError for a field that cannot be filled."""
        if holder.kind in ("model option", "option name") and (filled := self._stop_option(text)):
            return filled
        if holder.kind == "source":
            return _SOURCE_FIELD.sub(r"\1", text)
        if "{{" in text:
            filled, unfilled = self._filled(text)
            if holder.prose or "{{" not in filled:
                return filled
            raise InputError(f"{name}: {unfilled[0] if unfilled else text}.{_in_python(holder)}")
        pattern = _SHELL if holder.prose or "$" in text else _BRACED
        for match in pattern.finditer(text):
            if match[1] in self.variables and (holder.prose or match[0] == _VALUE.split(text)[-1]):
                field = f"{{{{{match[1]}}}}}"
                raise InputError(f"{name}: {match[0]} is not filled in; write {field}.{_in_python(holder)}")
        return text

    def _stop_option(self, text: str) -> str:
        """Return `stop={{names}}` with the JSON of a list or a text, as a line may have it; empty for any other."""
        from ollama_magic.prompt.resolve import NotFilled, resolve

        match = _STOP_FIELD.fullmatch(text)
        if match is None:
            return ""
        try:
            found = resolve(match[3].strip(), self.variables)
        except NotFilled:
            return ""
        if found is None or not isinstance(found.value, str | list | tuple):
            return ""
        self.notes.append(f"filled {match[3].strip()}")
        texts = found.value if isinstance(found.value, str) else list(found.value)
        return match[1] + self._mask(json.dumps(texts, ensure_ascii=False, default=str))


class _AsTyped:
    """What `--verbatim` makes of the values of options: they are what was typed; a source is named, not filled."""

    variables: Mapping[str, Any] = {}

    def value(self, holder: Option | Argument, _name: str, text: str) -> str:
        """Return the text itself; for a source what its braces hold."""
        return _SOURCE_FIELD.sub(r"\1", text) if holder.kind == "source" else text

    def peek(self, field: str) -> str:
        """Return the field itself."""
        return field


def fill_limit(setting: int, options: Mapping[str, object]) -> int:
    """Return the most characters of one value: the setting, else what fits the context window that is set."""
    window = options.get("num_ctx")
    if setting:
        return setting
    return max(LEAST, window * PER_TOKEN) if isinstance(window, int) else DEFAULT


def _verbatim(spec: Spec, line: str) -> bool:
    try:
        return bool(read_line(spec, line).options.verbatim)
    except InputError:
        return False


def _in_python(holder: Option | Argument) -> str:
    """The call that takes a variable as it is; empty for what no function has, such as `--turns`."""
    call = _CALLS.get(holder.key) if hasattr(holder, "metavar") else None
    return f" In Python: `{call}`." if call else ""
