"""Makes strings from models, servers and files safe to show. It imports nothing from this package.

Characters that steer or hide text are shown as marks such as ⟨U+202E⟩.
"""

from __future__ import annotations

import re
from unicodedata import combining

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
_JOINER_SCRIPTS = re.compile(
    "[\u0600-\u06ff\u0700-\u086f\u08a0-\u0dff\u0f00-\u109f\u1780-\u17df\u1800-\u18af\u1900-\u1aaf\u1b00-\u1c4f"
    "\ua800-\ua9df\uaa00-\uaadf\uabc0-\uabff\ufb50-\ufdff\ufe70-\ufefc\U00010a00-\U00011fff\U0001e900-\U0001e95f]"
)
_NO_SPACES = re.compile("[\u0e01-\u0eff\u1000-\u109f\u1780-\u17ff\u1950-\u19ff]")  # Thai, Lao, Burmese, Khmer, Tai
_VIRAMA = 9  # the combining class of what makes a consonant wait for the next one
_MONGOLIAN = re.compile("[\u1820-\u18aa]")
_PICTURE = re.compile("[\u00a9\u00ae\u203c-\u3299\U0001f000-\U0001faff]")
_PICTURE_END = re.compile("[\u203c-\u3299\U0001f000-\U0001faff\ufe0f]")
_KEYCAP = re.compile("[0-9#*]\ufe0f\u20e3")
_FLAGS = {"🏴" + "".join(chr(0xE0000 + ord(c)) for c in code) + "\U000e007f" for code in ("gbeng", "gbsct", "gbwls")}


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


def _marked(match: re.Match[str]) -> str:
    found, text = match.group(), match.string
    if len(found) > 1:
        return f"{found[:8]}⟨{len(found) - 8} more marks⟩"
    before, after = text[max(match.start() - 1, 0) : match.start()], text[match.end() : match.end() + 1]
    if _belongs(found, before, after, match):
        return found
    return f"⟨U+{ord(found):04X}⟩"


def _belongs(found: str, before: str, after: str, match: re.Match[str]) -> bool:
    """Whether this character has a visible effect in its context."""
    if found in "\u200b\u200c\u200d":
        return _joins(found, before, after)
    if found == "\ufe0f":
        return bool(_PICTURE.match(before) or _KEYCAP.match(match.string, max(match.start() - 1, 0)))
    if found == "\ufe0e":
        return bool(_PICTURE.match(before))
    if "\u180b" <= found <= "\u180f":
        return bool(_MONGOLIAN.match(before))
    return "\U000e0020" <= found <= "\U000e007f" and _in_flag(match)


def _joins(found: str, before: str, after: str) -> bool:
    """Whether a joiner, a non-joiner or a zero-width space has an effect between these characters."""
    if found == "\u200b":
        return bool(_NO_SPACES.match(before) and _NO_SPACES.match(after))
    if _between_letters(before, after):
        return True
    pictures = _PICTURE_END.match(before) and _PICTURE.match(after)
    return found == "\u200d" and bool(pictures or _ends_a_letter(before))


def _between_letters(before: str, after: str) -> bool:
    """Whether a joiner is inside a word; tags of bold text and code may begin or end there."""
    left, right = _JOINER_SCRIPTS.match(before), _JOINER_SCRIPTS.match(after)
    return bool((left or before == ">") and (right or after == "<") and (left or right))


def _ends_a_letter(before: str) -> bool:
    """Whether a joiner gives the letter before it its final form, as in Malayalam and Sinhala."""
    return bool(before) and combining(before) == _VIRAMA


def _in_flag(match: re.Match[str]) -> bool:
    """Whether the tag belongs to the flag of England, Scotland or Wales; other tags can spell hidden words."""
    start = match.string.rfind("🏴", max(match.start() - 6, 0), match.start())
    return start >= 0 and match.string[start : start + 7] in _FLAGS
