"""What the values of options may be, one reader each; their ValueError is the reason without the option's name."""

from __future__ import annotations

import keyword
import math
import re

from ollama_magic.line.words import folded

_UNITS = {"h": 3600e9, "m": 60e9, "s": 1e9, "ms": 1e6, "us": 1e3, "µs": 1e3, "μs": 1e3, "ns": 1.0}
_PART = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)")


def text(value: str) -> str:
    """Any text, as it was typed."""
    if value.startswith(("“", "„")) and not re.search("[”“]", value[1:]):
        raise ValueError(f"{value[0]} is no quote here; put the text between two straight ones, \" or '")
    return value


def name(value: str) -> str:
    """A name of a model or the like, NFKC-normalised."""
    value = folded(value).strip()
    if not value:
        raise ValueError("needs a name")
    return value


def whole(value: str) -> int:
    """A whole number from 0 on."""
    text = folded(value).strip()
    if not re.fullmatch(r"\d{1,9}", text):
        raise ValueError(f"{value!r} is no whole number; take one such as 4")
    return int(text)


def conversation(value: str) -> str:
    """A name for a conversation: a word or two, NFKC-normalised."""
    value = " ".join(folded(value).split())
    if not value or len(value) > 80 or not value.isprintable():
        raise ValueError("needs a name of at most 80 characters, such as drafts")
    return value


def answer_format(value: str) -> str:
    """A format that servers know by name: json."""
    if folded(value).strip().lower() != "json":
        raise ValueError(f"{value!r} is no format of an answer; there is json")
    return "json"


def variable(value: str) -> str:
    """A name that Python can bind, NFKC-normalised as Python does."""
    value = folded(value)
    if not value.isidentifier() or keyword.iskeyword(value):
        why = "is a word of Python's own" if keyword.iskeyword(value) else "is no name of a variable"
        raise ValueError(f"{value!r} {why}; take one such as answer")
    return value


def duration(value: str) -> float | str:
    """A time as `keep_alive` takes it (dossier §4): seconds as a number, or a Go duration; negative is for ever."""
    value = folded(value).strip()
    if re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)", value):
        return _seconds(value)
    parts = _PART.findall(value.lstrip("+-"))
    if not parts or "".join(number + unit for number, unit in parts) != re.sub(r"^[+-]", "", value):
        raise ValueError(
            f"{value!r} is no duration; take seconds (300; 0 unloads at once; -1 is for ever), or 5m, 1h30m"
        )
    if sum(float(number) * _UNITS[unit] for number, unit in parts) >= 2**63:
        raise ValueError(f"{value} is too long; -1 is for ever")
    return value


def _seconds(value: str) -> float:
    seconds = float(value)
    if not math.isfinite(seconds) or abs(seconds) >= 2**63 / 1e9:
        raise ValueError(f"{value} is too long; -1 is for ever")
    return int(seconds) if seconds == int(seconds) else seconds
