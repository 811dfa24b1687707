"""Parsers of option values; their ValueError is the reason without the option's name."""

from __future__ import annotations

import keyword
import math
import re

from ollama_magic.errors import InputError
from ollama_magic.line.shell_words import folded

SWITCH = {
    **dict.fromkeys(("true", "1", "yes", "on"), True),
    **dict.fromkeys(("false", "0", "no", "off", "none", "never"), False),
}
_LONGEST = 100  # characters of a value in an error message
_UNITS = {"h": 3600e9, "m": 60e9, "s": 1e9, "ms": 1e6, "us": 1e3, "µs": 1e3, "μs": 1e3, "ns": 1.0}
_NO_FORMATS = frozenset({"xml", "yaml", "csv", "toml", "html", "markdown", "text"})  # which no server has
_TYPE_BEGIN = re.compile(r"[\w.]+(?:\[|\s*\|\s*\w)")
_ITEM_BEGIN = re.compile(r"[^\W\d][\w.]*\[")
_TYPE_PART = re.compile(r"""'[^']*'|"[^"]*"|\s*\|\s*|\s+|[^\s'"]""")
_PART = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)")


def quoted(value: str) -> str:
    """Return a value between quotes for an error message, cut: a variable may have filled it with a book."""
    return repr(value if len(value) <= _LONGEST else f"{value[: _LONGEST - 1]}…")


def text(value: str) -> str:
    """Return any text as typed; raise ValueError for a typographic quote that is not closed."""
    if value.startswith(("“", "„")) and not re.search("[”“]", value[1:]):
        raise ValueError(f"{value[0]} is not a straight quote; put the text between two of those, \" or '")
    return value


def name(value: str) -> str:
    """Return a name, NFKC-normalised."""
    value = folded(value).strip()
    if not value:
        raise ValueError("needs a name")
    return value


def switch(value: str) -> bool:
    """Parse on or off."""
    found = SWITCH.get(folded(value).strip().lower())
    if found is None:
        raise ValueError(f"{quoted(value)} is neither on nor off")
    return found


def tool(value: str) -> str:
    """Return the name of a function, with dots."""
    value = folded(value).strip()
    if value.endswith(")"):
        raise ValueError(f"{quoted(value)} is a call; write the name alone")
    if not all(part.isidentifier() for part in value.split(".")):
        raise ValueError(f"{quoted(value)} is no name of a function, such as weather or shop.prices")
    return value


def whole(value: str) -> int:
    """Parse a whole number from 0."""
    text = folded(value).strip()
    if not re.fullmatch(r"\d{1,9}", text):
        raise ValueError(f"{quoted(value)} is not a whole number such as 4")
    return int(text)


def positive(value: str) -> int:
    """Parse a whole number from 1."""
    found = whole(value)
    if not found:
        raise ValueError("must be at least 1")
    return found


def seconds(value: str) -> float:
    """Parse a number of seconds above 0."""
    try:
        found = float(folded(value).strip())
    except ValueError:
        found = 0.0
    if not 0 < found < math.inf:
        raise ValueError(f"{quoted(value)} is not a number of seconds such as 60")
    return found


def conversation(value: str) -> str:
    """Return the name of a conversation, NFKC-normalised."""
    value = " ".join(folded(value).split())
    if not value or len(value) > 80 or not value.isprintable():
        raise ValueError("needs a name of at most 80 characters, such as drafts")
    return value


def answer_format(value: str) -> str:
    """Return a format: json, a path, or the name of a type, which is looked up later."""
    plain = folded(value).strip().lower()
    if not plain or plain in _NO_FORMATS:
        raise ValueError(f"{quoted(value)} is not an answer format; use json, a type such as list[City], or a schema")
    return "json" if plain == "json" else value.strip()


def type_expression(line: str, at: int) -> tuple[str, int] | None:
    """Parse a type with brackets or `|`, which may contain spaces and quotes; return it and its end.

    Returns None for anything else.
    """
    match = _TYPE_BEGIN.match(line, at)
    if match is None:
        return None
    end = _bracketed(line, at)
    if end is None:
        raise InputError(f"-f {line[at:]}: a bracket of this type is not closed.")
    return answer_format(line[at:end]), end


def _bracketed(line: str, at: int) -> int | None:
    """Return the end of a word in whose brackets and quotes there may be spaces; None if a bracket is not closed."""
    end, depth = at, 0
    while (part := _TYPE_PART.match(line, end)) and (depth or not part[0].isspace()):
        depth += part[0] in "([{"
        depth -= part[0] in ")]}"
        end = part.end()
    return None if depth > 0 else end


def source(value: str) -> str:
    """Return the name of a variable or a file."""
    if not value.strip():
        raise ValueError("needs a variable of the notebook or a file")
    return value.strip()


def source_expression(line: str, at: int) -> tuple[str, int] | None:
    """Parse a variable with brackets, which may contain spaces and quotes: `plots["by year"]`; None for others."""
    match = _ITEM_BEGIN.match(line, at)
    end = _bracketed(line, at) if match else None
    return None if end is None else (line[at:end], end)


def cell_count(value: str) -> int:
    """Parse a number of cells, from 1."""
    if not whole(value):
        raise ValueError("needs a number from 1, or none for as many as fit")
    return whole(value)


def variable(value: str) -> str:
    """Return the name of a Python variable, NFKC-normalised."""
    value = folded(value)
    if not value.isidentifier() or keyword.iskeyword(value):
        why = "is a Python keyword" if keyword.iskeyword(value) else "is not a variable name"
        raise ValueError(f"{quoted(value)} {why}; use one such as answer")
    return value


def duration(value: str) -> float | str:
    """Parse a duration for `keep_alive` (protocol.md §4): seconds, or a Go duration; negative means forever."""
    value = folded(value).strip()
    if re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)", value):
        return _seconds(value)
    parts = _PART.findall(value.lstrip("+-"))
    if not parts or "".join(number + unit for number, unit in parts) != re.sub(r"^[+-]", "", value):
        raise ValueError(
            f"{quoted(value)} is not a duration; use seconds (300; 0 unloads at once; -1 is forever), or 5m, 1h30m"
        )
    if sum(float(number) * _UNITS[unit] for number, unit in parts) >= 2**63:
        raise ValueError(f"{value[:_LONGEST]} is too long; -1 is forever")
    return value


def _seconds(value: str) -> float:
    seconds = float(value)
    if not math.isfinite(seconds) or abs(seconds) >= 2**63 / 1e9:
        raise ValueError(f"{value[:_LONGEST]} is too long; -1 is forever")
    return int(seconds) if seconds == int(seconds) else seconds
