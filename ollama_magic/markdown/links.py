"""Which targets may be clicked, and what a reader should see of them."""

from __future__ import annotations

import re

_WEB = re.compile(
    r"https?://(?:[^/?#\\@\s]*@)?(?P<host>[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?\.?|\[[0-9a-f:.]+\])(?::\d{1,5})?(?=[/?#]|$)"
    r"[^\s\\\"'<>`]*",
    re.IGNORECASE,
)
_MAIL = re.compile(
    r"(?i:mailto):(?P<address>[\w.!#$%&'*+/=^`{|}~-]+@[a-z0-9.-]+)(?:\?[^\s\"<>\\]*)?", re.IGNORECASE | re.ASCII
)
_ANCHOR = re.compile(r"#[^\s\"<>\\]+")
_LIKE_A_HOST = re.compile(r"[^\s/@:()<>\[\]\"']+\.[^\s/@:()<>\[\]\"'.,;!?]+")
_LONGEST = 4_000


def allowed(href: str) -> bool:
    """Whether a normalised target may be clicked: http, https, mailto with one plain address, or an anchor."""
    if len(href) > _LONGEST or not href.isascii():
        return False
    return bool(_WEB.fullmatch(href) or _MAIL.fullmatch(href) or _ANCHOR.fullmatch(href))


def readable(href: str) -> bool:
    """Whether Markdown with this target is read as a link or picture: what may be clicked, and data of a picture."""
    return href.startswith("data:image/") or allowed(href)


def opens_elsewhere(href: str) -> bool:
    """Whether the target lies outside this page."""
    return not href.startswith("#")


def target_note(href: str, text: str) -> str:
    """The real host (or address) of a link, unless its text already shows exactly that one; "" then.

    Nothing of the user part counts, and names with foreign letters appear as `xn--…`.
    """
    web = _WEB.fullmatch(href)
    mail = None if web else _MAIL.fullmatch(href)
    if not web and not mail:
        return ""
    host = (web["host"] if web else mail["address"] if mail else "").lower()
    return "" if _shows(text.strip().lower(), host) else host


def _shows(text: str, host: str) -> bool:
    if re.fullmatch(rf"(?:https?://|mailto:)?{re.escape(host)}(?::\d+)?(?:[/?#][^\s@]*)?", text):
        return True
    return "@" not in text and {found.rstrip(".") for found in _LIKE_A_HOST.findall(text)} == {host}
