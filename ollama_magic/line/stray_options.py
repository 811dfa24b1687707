"""Finds text in a prompt that looks like an option: it is sent as text, and a note says so."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ollama_magic.errors import InputError
from ollama_magic.line.model_options import MODEL_OPTIONS, other_name
from ollama_magic.line.options import read_line
from ollama_magic.line.shell_words import bare_word, folded

if TYPE_CHECKING:
    from ollama_magic.line.spec import Spec

_WORD = re.compile(r"\S+")
_TAGGED = re.compile(r"[\w./-]+:[\w.-]*\w")
_PAIR = re.compile(r"(\w+)=\S")
LONGEST = 60


def stray_options(spec: Spec, words: str) -> tuple[str, ...]:
    """Return notes about options after the first words of a prompt."""
    first = words.split("\n", 1)[0]
    pair = _PAIR.match(first)
    if pair is not None and pair[1] in MODEL_OPTIONS:
        return (f"“{first.split()[0]}” was sent as text: each model option needs its own -o",)
    for match in list(_WORD.finditer(first))[1:]:
        tail = first[match.start() :].strip()
        if _looks_like_option(spec, match[0], tail):
            return (f"“{_short(tail)}” was sent as text, because it comes after the words: options come first",)
    return ()


def options_below(spec: Spec, cell: str) -> tuple[str, ...]:
    """Return the note on options in the first line below `%%chat`, which is part of the prompt."""
    first = next(iter(cell.strip().splitlines()), "")
    word = bare_word(first, 0)
    if folded(word).partition("=")[0] not in _names(spec):
        return ()
    return (f"“{_short(first)}” stands below `{spec.name}` and was sent as text: write options after its name",)


def _names(spec: Spec) -> set[str]:
    return {name for one in spec.options for name in (one.name, one.short) if name}


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _looks_like_option(spec: Spec, word: str, tail: str) -> bool:
    """Whether a word within a prompt, and what stands behind it, can hardly be meant as words."""
    name = folded(word).partition("=")[0]
    if name.startswith("--"):
        return name in _names(spec) or bool(other_name(name[2:].replace("-", "_")))
    return name in _names(spec) and (_are_options(spec, tail) or _has_value(name, tail))


def _has_value(name: str, tail: str) -> bool:
    """Whether behind `-m` and `-o` stands what only they are followed by: a model with its tag, KEY=VALUE."""
    value = "".join(tail.split(maxsplit=2)[1:2])
    pair = _PAIR.match(value)
    return bool(_TAGGED.fullmatch(value)) if name == "-m" else name == "-o" and bool(pair and other_name(pair[1]))


def _are_options(spec: Spec, text: str) -> bool:
    """Whether a text consists of options only."""
    try:
        return not read_line(spec, text).words
    except InputError:
        return False
