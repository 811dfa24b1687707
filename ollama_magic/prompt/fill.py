"""Filling `{{name}}` in a prompt from the notebook's variables. What a value looks like as text is in `describe`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ollama_magic.prompt.describe import Description, describe
from ollama_magic.prompt.resolve import NotFilled, resolve

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# Exactly two braces open: {{{name}}} and {{{{name}}}} belong to Handlebars, Jinja, f-strings.
_FIELD = re.compile(r"(?<!\{)\{\{([^{}\n]{1,300})\}\}")


@dataclass(frozen=True)
class Filled:
    """The prompt with its fields filled, and one note for what was filled and for each field that stays as typed."""

    text: str
    notes: tuple[str, ...] = ()


def fill(text: str, variables: Mapping[str, object], mask: Callable[[str], str] = str) -> Filled:
    """Fill each `{{name}}` that resolves; `mask` hides keys in all that is filled.

    Call it in the main thread: the user's objects are not thread-safe, and their properties may run code.
    """
    filling = _Filling(variables, mask)
    filled = _FIELD.sub(filling.replacement, text)
    return Filled(filled, tuple(mask(note) for note in filling.notes()))


class _Filling:
    """One pass over one prompt; a field that stands twice is described once."""

    def __init__(self, variables: Mapping[str, object], mask: Callable[[str], str]) -> None:
        self._variables, self._mask = variables, mask
        self._found: dict[str, Description | NotFilled | None] = {}

    def replacement(self, match: re.Match[str]) -> str:
        """Return what stands in the field's place, the field itself if it is not filled."""
        name = match[1].strip()
        if name not in self._found:
            self._found[name] = self._describe(name)
        found = self._found[name]
        if not isinstance(found, Description):
            return match[0]
        return _on_own_lines(found.text, match) if found.block else found.text

    def notes(self) -> list[str]:
        """Say what was filled, in one note, and what was not, and why, in one each."""
        filled = [_short(name) + found.note for name, found in self._found.items() if isinstance(found, Description)]
        left = [
            f"{{{{{_short(name)}}}}} stays as typed: {found}"
            for name, found in self._found.items()
            if isinstance(found, NotFilled)
        ]
        return [f"filled {', '.join(filled)}"] * bool(filled) + left

    def _describe(self, name: str) -> Description | NotFilled | None:
        try:
            found = resolve(name, self._variables)
            return None if found is None else describe(found.value, self._mask)
        except NotFilled as why:
            return why
        except Exception as error:  # noqa: BLE001  # whatever a user's object raises when it is asked what it is
            return NotFilled(f"its description fails with {type(error).__name__}")


def _short(name: str) -> str:
    return name if len(name) <= 60 else f"{name[:59]}…"


def _on_own_lines(block: str, match: re.Match[str]) -> str:
    """Keep a table apart from text on the same line, where it would be no table."""
    text, start, end = match.string, match.start(), match.end()
    before = "" if start == 0 or text[start - 1] == "\n" else "\n\n"
    after = "" if end == len(text) or text[end] in "\r\n" else "\n\n"
    return before + block + after
