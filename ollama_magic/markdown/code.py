"""Code in colour: Pygments by the fence's language, within limits of time and room; else the code as it is.

A span costs more than what it colours: only what JupyterLab's stylesheet tells apart gets one. Its own editor leaves
names and punctuation in the text's colour. So do signs that are operators here, as in VS Code: their spans would make
an answer full of code half as long again; operators that are words, like `and`, are coloured.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from itertools import groupby
from operator import itemgetter
from time import thread_time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pygments.lexer import Lexer

LONGEST = 20_000  # characters coloured at once; the time for a single token may grow with their square
_LONGEST_OTHER = 2_000  # for lexers that were not measured, or think long about one token
_MEASURED = {  # by alias
    "python",
    "pycon",
    "ipython",
    "bash",
    "javascript",
    "typescript",
    "jsx",
    "tsx",
    "json",
    "yaml",
    "toml",
    "ini",
    "html",
    "xml",
    "css",
    "scss",
    "sql",
    "c",
    "cpp",
    "csharp",
    "java",
    "kotlin",
    "rust",
    "go",
    "ruby",
    "php",
    "perl",
    "splus",
    "latex",
    "markdown",
    "http",
    "powershell",
    "make",
    "docker",
    "nginx",
    "fortran",
}
_LONGEST_LINE = 1_900  # a line fits into every piece
_WORST_GROWTH = 12
_NAME = re.compile(r"\s*\{?\.?([A-Za-z0-9_+#./-]{1,30})")


def highlighted(code: str, info: str, seconds: float) -> str:
    """The code as HTML for a `pre` in a `highlight`; plain where the language is unknown or a limit is reached."""
    lexer = _lexer(language(info)) if seconds > 0 else None
    if lexer is None or max(map(len, code.split("\n"))) > _LONGEST_LINE:
        return escape(code, quote=False)
    deadline = _Deadline(seconds)
    return "".join(_shown(lexer, piece, deadline) for piece in _pieces(code, _longest(lexer)))


def lines_outside_strings(lines: list[str], info: str) -> int:
    """How many of the first lines may be coloured on their own, since no string or comment runs on over their end."""
    code = "".join(f"{line}\n" for line in lines)
    lexer = _lexer(language(info))
    if lexer is None or len(code) > _longest(lexer):
        return len(lines)
    line = found = 0
    for name, value in _lexed(lexer, code, _Deadline(0.02)).tokens:
        line += value.count("\n")
        if value.endswith("\n") and name[:1] not in ("s", "c"):
            found = line
    return min(found, len(lines))


def language(info: str) -> str:
    """The first word of a fence's info string, as a name that may be known to Pygments."""
    found = _NAME.match(info)
    return found[1].lower() if found else ""


def _longest(lexer: Lexer) -> int:
    return LONGEST if _MEASURED.intersection(lexer.aliases) else _LONGEST_OTHER


def _pieces(code: str, longest: int) -> Iterator[str]:
    """The code in pieces of at most `longest` characters, cut behind a blank line if possible."""
    while len(code) > longest:
        cut = code.rfind("\n\n", longest // 2, longest) + 2
        cut = cut if cut > 1 else code.rfind("\n", 0, longest) + 1
        yield code[:cut]
        code = code[cut:]
    yield code


class _Deadline:
    """When the time is up; all deadlines are equal, so that what was coloured before one is known before another."""

    def __init__(self, seconds: float) -> None:
        self.at = thread_time() + seconds

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Deadline)

    def __hash__(self) -> int:
        return 0


class _Late(Exception):
    """The time was up; the argument is what was found by then. Not remembered: another try may have more time."""


@dataclass(frozen=True)
class _Lexed:
    """(class, text) of each token; `late`: the time was up before the last."""

    tokens: Sequence[tuple[str, str]]
    late: bool = False


def _shown(lexer: Lexer, code: str, deadline: _Deadline) -> str:
    try:
        return _coloured(lexer, code, deadline) or escape(code, quote=False)
    except _Late as late:
        return str(late)


@lru_cache(maxsize=64)
def _coloured(lexer: Lexer, code: str, deadline: _Deadline) -> str:
    """Runs of equal tokens as spans; "" where a lexer loses text or bloats. Remembered: an answer is rendered twice."""
    parts: list[str] = []
    done = size = 0
    lexed = _lexed(lexer, code, deadline)
    for name, run in groupby(lexed.tokens, key=itemgetter(0)):
        text = "".join(value for _, value in run)
        shown = escape(text, quote=False)
        parts.append(f"<span class={name}>{shown}</span>" if name and not text.isspace() else shown)
        size += len(parts[-1])
        if not code.startswith(text, done) or size > _WORST_GROWTH * len(code) + 400:
            return ""
        done += len(text)
    html = "".join(parts) + escape(code[done:], quote=False)
    if lexed.late:
        raise _Late(html)
    return html


def _lexed(lexer: Lexer, code: str, deadline: _Deadline) -> _Lexed:
    try:
        return _whole(lexer, code, deadline)
    except _Late as late:
        return _Lexed(late.args[0], late=True)


@lru_cache(maxsize=2)
def _whole(lexer: Lexer, code: str, deadline: _Deadline) -> _Lexed:
    """All tokens. Remembered: a part of a fence is lexed to see where it may end, and coloured at once."""
    tokens = tuple(_tokens(lexer, code, deadline.at))
    if thread_time() > deadline.at:
        raise _Late(tokens)
    return _Lexed(tokens)


def _tokens(lexer: Lexer, code: str, end: float) -> Iterator[tuple[str, str]]:
    """(class, text) of each token until the time is up or the lexer fails."""
    if thread_time() > end:
        return
    try:
        for count, (_, kind, value) in enumerate(lexer.get_tokens_unprocessed(code)):
            if not count % 8 and thread_time() > end:
                return
            yield _look(kind), value
    except Exception:  # noqa: BLE001 (some lexers fail on code that is none; then the rest stays plain)
        return


@lru_cache(maxsize=1000)
def _look(kind: object) -> str:
    """The one class of all kinds that look alike under JupyterLab's stylesheet; "" for names and signs."""
    from pygments.token import STANDARD_TYPES, Comment, Error, Keyword, Number, Operator, String

    looks: Any = (Comment, Keyword, Operator.Word, Number, String, Error)
    return next((STANDARD_TYPES[look] for look in looks if kind in look), "")


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
