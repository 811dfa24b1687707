"""Words of a line as a POSIX shell splits them, with the places where they stand. Knows nothing of options."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from ollama_magic.errors import InputError

_PIECE = re.compile(
    r"""'(?P<single>[^']*)'|"(?P<double>(?:[^"\\]|\\.)*)"|\\(?P<escaped>.)|(?P<plain>[^\s'"\\]+|\\\Z)""", re.DOTALL
)
_SPACE = re.compile(r"\s*")


@dataclass(frozen=True)
class Word:
    """One word: `raw` as typed, `value` with its quotes taken off, and `end`, the place behind it in the line."""

    raw: str
    value: str
    end: int

    @property
    def quoted(self) -> bool:
        """Whether it begins with a quote or an escape, so that a dash in it is no option's."""
        return self.raw[:1] in ("'", '"', "\\")


def skip_space(line: str, start: int) -> int:
    """Return the place of the next character that is not white space, or the line's length."""
    match = _SPACE.match(line, start)
    return match.end() if match else start


def bare_word(line: str, start: int) -> str:
    """Return what stands from `start` to the next white space, quotes and all."""
    return line[start:].split(maxsplit=1)[0] if start < len(line) else ""


def read_word(line: str, start: int) -> Word:
    """Read the word that begins at `start`; InputError if a quote in it is never closed."""
    pieces, at = [], start
    while at < len(line) and not line[at].isspace():
        match = _PIECE.match(line, at)
        if match is None:
            quote, rest = line[at], _excerpt(line[at + 1 :])
            raise InputError(f"The quote {quote} before {rest} is never closed; close it, or write \\{quote}.")
        pieces.append(_unquoted(match))
        at = match.end()
    return Word(line[start:at], "".join(pieces), at)


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
