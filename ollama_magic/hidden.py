"""Says which hidden characters have a visible effect where they stand: `foreign` shows all others as marks."""

from __future__ import annotations

import re
from unicodedata import combining

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


def belongs(found: str, before: str, after: str, match: re.Match[str]) -> bool:
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
