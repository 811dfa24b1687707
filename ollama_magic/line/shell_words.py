"""Splits a line into words like a POSIX shell, with their positions. It knows nothing of options."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from ollama_magic.errors import InputError

_PIECE = re.compile(
    r"""'(?P<single>[^']*)'|"(?P<double>(?:[^"\\]|\\.)*)"|\\(?P<escaped>.)"""
    r"""|(?P<field>\{\{[^{}\n]*\}\})|(?P<plain>(?:(?!\{\{)[^\s'"\\])+|\{|\\\Z)""",
    re.DOTALL,
)
_SPACE = re.compile(r"\s*")


@dataclass(frozen=True)
class Word:
    """One word: `raw` as typed, `value` without quotes, and `end`, the position after it in the line."""

    raw: str
    value: str
    end: int

    @property
    def quoted(self) -> bool:
        """Whether it begins with a quote or an escape, so that a dash in it does not begin an option."""
        return self.raw[:1] in ("'", '"', "\\")


def skip_space(line: str, start: int) -> int:
    """Return the position of the next character that is not white space, or the line's length."""
    match = _SPACE.match(line, start)
    return match.end() if match else start


def bare_word(line: str, start: int) -> str:
    """Return the text from `start` to the next white space, including quotes."""
    return line[start:].split(maxsplit=1)[0] if start < len(line) else ""


def read_word(line: str, start: int) -> Word:
    """Read the word that begins at `start`; raise InputError if a quote is never closed."""
    pieces, at = [], start
    while at < len(line) and not line[at].isspace():
        match = _PIECE.match(line, at)
        if match is None:
            quote, rest = line[at], _excerpt(line[at + 1 :])
            raise InputError(f"The quote {quote} before {rest} is never closed; close it, or write \\{quote}.")
        pieces.append(_unquoted(match))
        at = match.end()
    return Word(line[start:at], "".join(pieces), at)


def unquoted(text: str) -> str:
    """Return the text without quotes around all of it; any other text unchanged."""
    typed = text.strip()
    if typed[:1] not in ("'", '"'):
        return text
    try:
        word = read_word(typed, 0)
    except InputError:
        return text
    return word.value if word.end == len(typed) else text


def folded(text: str) -> str:
    """Return the text NFKC-normalised: an input method types `－－` and `：` for `--` and `:`."""
    return unicodedata.normalize("NFKC", text)


def _unquoted(match: re.Match[str]) -> str:
    if match["double"] is not None:
        return re.sub(r'\\(["\\$`])', r"\1", match["double"])
    return next(text for text in match.groups() if text is not None)


def _excerpt(text: str) -> str:
    text = text.strip()
    return f"«{text[:20]}{'…' * (len(text) > 20)}»"
