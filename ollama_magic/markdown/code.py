"""Code in colour: Pygments by the fence's language, within limits of time and room; else the code as it is."""

from __future__ import annotations

import re
from functools import lru_cache
from html import escape
from itertools import groupby
from time import thread_time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pygments.lexer import Lexer

LONGEST = 20_000  # characters coloured at once; a lexer's time may grow with their square
_LONGEST_LINE = 2_000
_WORST_GROWTH = 12
_NAME = re.compile(r"\s*\{?\.?([A-Za-z0-9_+#./-]{1,30})")


def highlighted(code: str, info: str, seconds: float) -> str:
    """The code as HTML for a `pre` of class `highlight`; plain where the language is unknown or the limits are reached."""
    lexer = _lexer(language(info)) if seconds > 0 and 0 < len(code) <= LONGEST else None
    if lexer is None or max(map(len, code.split("\n"))) > _LONGEST_LINE:
        return escape(code, quote=False)
    return _coloured(lexer, code, thread_time() + seconds) or escape(code, quote=False)


def language(info: str) -> str:
    """The first word of a fence's info string, as a name that may be known to Pygments."""
    found = _NAME.match(info)
    return found[1].lower() if found else ""


def _coloured(lexer: Lexer, code: str, end: float) -> str:
    """Runs of equal tokens as spans, the rest as it is from the end of the time on; "" where a lexer loses text or bloats."""
    parts, done, size = [], 0, 0
    for count, (name, run) in enumerate(groupby(lexer.get_tokens_unprocessed(code), key=lambda found: _short(found[1]))):
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
