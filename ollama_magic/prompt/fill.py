"""Fills `{{name}}` in a prompt from the notebook's variables; `describe` turns values into text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from ollama_magic.prompt.describe import LIMIT, Description, describe
from ollama_magic.prompt.resolve import NotFilled, resolve

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Found: TypeAlias = Description | NotFilled | str | None  # a text is the mark of what goes along beside the prompt

# Exactly two braces open: {{{name}}} and {{{{name}}}} belong to Handlebars, Jinja, f-strings.
_FIELD = re.compile(r"(?<!\{)\{\{([^{}\n]{1,300})\}\}")


@dataclass(frozen=True)
class Filled:
    """The prompt with its fields filled, one note about filled fields, and one for each field that stays as typed.

    `unfilled` are only the latter notes; `cut` is the size in characters of the largest value that was cut.
    """

    text: str
    notes: tuple[str, ...] = ()
    unfilled: tuple[str, ...] = ()
    cut: int = 0


def fill(
    text: str,
    variables: Mapping[str, object],
    mask: Callable[[str], str] = str,
    limit: int = LIMIT,
    written: Callable[[object], str | None] = lambda _: None,
    attached: Callable[[str, object], str | None] = lambda _name, _value: None,
) -> Filled:
    """Fill each `{{name}}` that resolves, with at most `limit` characters; `mask` hides keys.

    `written` gives the text of a value that the caller knows how to write, `attached` the mark in place of a value that
    goes along beside the text.

    Call it in the main thread: the user's objects are not thread-safe, and their properties may run code.
    """
    return Filling(variables, mask, limit, written, attached=attached).fill(text)


def field_names(text: str) -> list[str]:
    """Return the fields of a text, each once, in their order."""
    return list(dict.fromkeys(name.strip() for name in _FIELD.findall(text)))


def parts_of(text: str) -> list[tuple[str, bool]]:
    """Return the parts of a text in their order: what stands there as it is, and the names of its fields (True)."""
    parts = _FIELD.split(text)
    return [(part.strip() if place % 2 else part, bool(place % 2)) for place, part in enumerate(parts)]


class Filling:
    """Fills one prompt; a field that appears twice is described once.

    `found` are fields that were described before, and are not looked up.
    """

    def __init__(
        self,
        variables: Mapping[str, object],
        mask: Callable[[str], str],
        limit: int,
        written: Callable[[object], str | None],
        found: Mapping[str, Found] | None = None,
        attached: Callable[[str, object], str | None] = lambda _name, _value: None,
    ) -> None:
        self._variables, self._mask, self._limit = variables, mask, limit
        self._written, self._attached = written, attached
        self._found: dict[str, Found] = dict(found or {})

    def fill(self, text: str) -> Filled:
        """Return the text with its fields filled."""
        filled = _FIELD.sub(self.replacement, text)
        found, left = self.notes()
        mask = self._mask
        notes = tuple(mask(note) for note in left)
        return Filled(filled, (*(mask(note) for note in found), *notes), notes, self.cut)

    def describe(self, name: str) -> Found:
        """Return the description of a field, why it is not filled, or None for a template's own."""
        if name not in self._found:
            self._found[name] = self._describe(name)
        return self._found[name]

    def replacement(self, match: re.Match[str]) -> str:
        """Return the text for a field, or the field itself if it is not filled."""
        found = self.describe(match[1].strip())
        if isinstance(found, str):
            return found
        if not isinstance(found, Description):
            return match[0]
        return _on_own_lines(found.text, match) if found.block else found.text

    @property
    def cut(self) -> int:
        """The size of the largest text that was cut."""
        return max((found.cut for found in self._found.values() if isinstance(found, Description)), default=0)

    def notes(self) -> tuple[list[str], list[str]]:
        """Return one note about filled fields, and one for each field that was not filled."""
        filled = [_short(name) + found.note for name, found in self._found.items() if isinstance(found, Description)]
        left = [
            f"{{{{{_short(name)}}}}} stays as typed: {found}"
            for name, found in self._found.items()
            if isinstance(found, NotFilled)
        ]
        return [f"filled {', '.join(filled)}"] * bool(filled), left

    def _describe(self, name: str) -> Found:
        try:
            found = resolve(name, self._variables)
            mark = self._attached(name, found.value) if found is not None else None
            if found is None or mark is not None:
                return mark
            text = self._written(found.value)
            return describe(found.value if text is None else text, self._mask, self._limit)
        except NotFilled as why:
            return why
        except (Exception, SystemExit) as error:  # noqa: BLE001  # anything that a user's object raises
            return NotFilled(f"its description fails with {type(error).__name__}")


def _short(name: str) -> str:
    return name if len(name) <= 60 else f"{name[:59]}…"


def _on_own_lines(block: str, match: re.Match[str]) -> str:
    """Put blank lines between a table and text on the same line."""
    text, start, end = match.string, match.start(), match.end()
    before = "" if start == 0 or text[start - 1] == "\n" else "\n\n"
    after = "" if end == len(text) or text[end] in "\r\n" else "\n\n"
    return before + block + after
