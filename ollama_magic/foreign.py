"""Makes strings from models, servers and files safe to show. It imports no room.

Characters that steer or hide text are shown as marks such as ⟨U+202E⟩.
"""

from __future__ import annotations

import re

_SURROGATE = re.compile("[\ud800-\udfff]")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_SPACES = re.compile("[ \t\n\x0b\x0c\r\x1c-\x1f\x85\u2028\u2029]+")
# ESC or 8-bit introducers, with their parameters or their string up to the terminator
_ESCAPE = re.compile(
    "(?:\x1b\\[|\x9b)[0-?]*[ -/]*[@-~]"
    "|(?:\x1b[\\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x90\x98\x9c-\x9f\n]{0,1024}(?:\x07|\x1b\\\\|\x9c)"
    "|\x1b[ -/]*[0-~]"
)
# Bidi controls and invisible characters; variation selectors and joiners have legitimate uses too.
_INVISIBLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_MARKS_ABOVE = "\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
_SUSPECT = re.compile(f"[{_INVISIBLE}]|[{_MARKS_ABOVE}]{{9,}}")


def repaired(text: str) -> str:
    """Return the text with surrogate pairs joined and lone surrogates replaced by U+FFFD."""
    if text.isascii() or not _SURROGATE.search(text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def without_controls(text: str) -> str:
    """Return the text without control characters except newline and tab; a carriage return counts as a newline."""
    if not _CONTROL.search(text):
        return text
    return _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def visible(text: str) -> str:
    """Return the text with bidi and invisible characters as marks; emoji sequences and joiners in words stay.

    Runs of more than eight combining marks, which would cover other lines, are cut to eight and counted.
    """
    if text.isascii() or not _SUSPECT.search(text):
        return text
    return _SUSPECT.sub(_marked, text)


def printable(text: str) -> str:
    """Return the text for a terminal: without escapes and controls, with hidden characters marked."""
    return visible(without_controls(_ESCAPE.sub("", repaired(text))))


def one_line(text: str, limit: int = 300) -> str:
    """Return the text on one line of at most `limit` characters."""
    line = printable(_SPACES.sub(" ", _ESCAPE.sub("", repaired(text[: 20 * limit])))).strip()
    return line if len(line) <= limit else line[: limit - 1] + "…"


def message_of(error: BaseException) -> str:
    """Return what an exception says; empty if its own code fails to say it."""
    try:
        return str(error)
    except Exception:  # noqa: BLE001 (an exception of the user's may do anything when it is written)
        return ""


def _marked(match: re.Match[str]) -> str:
    found, text = match.group(), match.string
    if len(found) > 1:
        return f"{found[:8]}⟨{len(found) - 8} more marks⟩"
    from ollama_magic.hidden import belongs

    before, after = text[max(match.start() - 1, 0) : match.start()], text[match.end() : match.end() + 1]
    if belongs(found, before, after, match):
        return found
    return f"⟨U+{ord(found):04X}⟩"
