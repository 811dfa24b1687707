"""The direction of right-to-left text, and the soft hyphens inside words."""

from __future__ import annotations

import re

RIGHT_TO_LEFT = re.compile(
    "[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001e95f\U0001ec70-\U0001eeff]"
)
_LETTER = r"[^\W\d_]"
_FIRST_LETTER = re.compile(_LETTER)
_SOFT_HYPHEN = re.compile(f"(?<={_LETTER})\u00ad(?={_LETTER})")
_OPENING = re.compile(r"<(p|h[1-6]|ul|ol|blockquote|table|details)(?=[ >])")


def with_soft_hyphens(html: str) -> str:
    """Escaped text with the soft hyphens inside its words as entities, which nobody takes for a hidden sign."""
    return _SOFT_HYPHEN.sub("&shy;", html) if "\u00ad" in html else html


def reads_from_right(text: str) -> bool:
    """Whether the first letter of a text belongs to a right-to-left script."""
    if text.isascii():
        return False
    first = _FIRST_LETTER.search(text)
    return bool(first and RIGHT_TO_LEFT.match(first.group()))


def directed(opening: str) -> str:
    """The opening tag of a block with right-to-left text: its first letter decides its direction."""
    return _OPENING.sub(r'<\1 dir="auto"', opening, count=1)
