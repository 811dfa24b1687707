"""Code in colour: Pygments by the fence's language, within limits of time and room; else the code as it is."""

from __future__ import annotations

import re
from functools import lru_cache
from html import escape
from itertools import groupby
from time import thread_time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pygments.lexer import Lexer

LONGEST = 20_000  # characters coloured at once; a lexer's time may grow with their square
_LONGEST_LINE = 2_000
_WORST_GROWTH = 12
_NAME = re.compile(r"\s*\{?\.?([A-Za-z0-9_+#./-]{1,30})")


def highlighted(code: str, info: str, seconds: float) -> str:
    """The code as HTML for a `pre` in a `highlight`; plain where the language is unknown or a limit is reached."""
    lexer = _lexer(language(info)) if seconds > 0 else None
    if lexer is None or max(map(len, code.split("\n"))) > _LONGEST_LINE:
        return escape(code, quote=False)
    end = thread_time() + seconds
    return "".join(_coloured(lexer, piece, end) or escape(piece, quote=False) for piece in _pieces(code))


def lines_outside_strings(lines: list[str], info: str) -> int:
    """How many of the first lines may be coloured on their own, since no string or comment runs on over their end."""
    code = "".join(f"{line}\n" for line in lines)
    lexer = _lexer(language(info)) if len(code) <= LONGEST else None
    if lexer is None:
        return len(lines)
    line = found = 0
    for _, kind, value in lexer.get_tokens_unprocessed(code):
        line += value.count("\n")
        if value.endswith("\n") and _short(kind)[:1] not in ("s", "c"):
            found = line
    return min(found, len(lines))


def language(info: str) -> str:
    """The first word of a fence's info string, as a name that may be known to Pygments."""
    found = _NAME.match(info)
    return found[1].lower() if found else ""


def _pieces(code: str) -> Iterator[str]:
    """The code in pieces of at most `LONGEST` characters, cut behind a blank line if possible."""
    while len(code) > LONGEST:
        cut = code.rfind("\n\n", LONGEST // 2, LONGEST) + 2
        cut = cut if cut > 1 else code.rfind("\n", 0, LONGEST) + 1
        yield code[:cut]
        code = code[cut:]
    yield code


def _coloured(lexer: Lexer, code: str, end: float) -> str:
    """Runs of equal tokens as spans, the rest as it is when the time is up; "" where a lexer loses text or bloats."""
    parts: list[str] = []
    done = size = 0
    for count, (name, run) in enumerate(
        groupby(lexer.get_tokens_unprocessed(code), key=lambda found: _short(found[1]))
    ):
        text = "".join(value for _, _, value in run)
        shown = escape(text, quote=False)
        parts.append(f'<span class="{name}">{shown}</span>' if name and not text.isspace() else shown)
        size += len(parts[-1])
        if not code.startswith(text, done) or size > _WORST_GROWTH * len(code) + 400:
            return ""
        done += len(text)
        if not count % 16 and thread_time() > end:
            break
    return "".join(parts) + escape(code[done:], quote=False)


@lru_cache(maxsize=1000)
def _short(kind: object) -> str:
    from pygments.token import STANDARD_TYPES

    while kind not in STANDARD_TYPES:
        kind = kind.parent  # type: ignore[attr-defined]
    return STANDARD_TYPES[kind]  # type: ignore[index]


@lru_cache(maxsize=100)
def _lexer(name: str) -> Lexer | None:
    from pygments.lexers import find_lexer_class

    found = find_lexer_class(_names().get(name, ""))
    return found() if found else None


@lru_cache(maxsize=1)
def _names() -> dict[str, str]:
    """Every alias of Pygments' own lexers; those of plugins are not looked for, which would take a scan per name."""
    from pygments.lexers import get_all_lexers

    return {alias: name for name, aliases, _, _ in get_all_lexers(plugins=False) for alias in aliases}
