"""Web addresses that stand in a text as they are become links; what ends the sentence stays outside."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ollama_magic.markdown.links import allowed

if TYPE_CHECKING:
    from markdown_it.rules_inline.state_inline import StateInline

_LONGEST = 2_000
# No white space, quotes, code, tags or emphasis; a CJK letter only where a part of the path begins with it.
_CJK = "\u1100-\u11ff\u2e80-\u2fdf\u3005-\u30ff\u3130-\u318f\u3400-\u9fff\uac00-\ud7ff\uf900-\ufaff"
_STOPS = '\\s<>"`|{}^\\\\\u2010-\u206f\u3000-\u3004\u3008-\u301f\ufe10-\ufe6f\uff00-\uffef'
_URL = re.compile(
    rf"(?P<scheme>https?)://(?:(?!\*\*|~~)[^{_STOPS}{_CJK}]|\\[_*&~#-]|(?<=[/=])[{_CJK}]+)+", re.IGNORECASE
)
_SCHEME = re.compile(r"https?$", re.IGNORECASE)
_ESCAPED = re.compile(r"\\([_*&~#-])")
_CLOSING = {")": "(", "]": "["}
_TRAILING = ".,;:!?'*_~\"…"


def bare_url(state: StateInline, silent: bool) -> bool:
    """Read an address at the colon behind its scheme, which is plain text by then."""
    pos = state.pos
    if not state.src.startswith("://", pos) or state.linkLevel > 0:
        return False
    scheme = _SCHEME.search(state.src, max(pos - 5, 0), pos)
    if not scheme or _inside_word(state.src, scheme.start()):
        return False
    url = _address(state.src, scheme.start(), state.posMax)
    href = str(state.md.normalizeLink(_plain(url))) if url else ""
    if not href or not allowed(href):
        return False
    if not silent:
        if not state.pending.endswith(scheme.group()):
            return False
        state.pending = state.pending[: -len(scheme.group())]
        _push(state, href, _plain(url))
    state.pos = scheme.start() + len(url)
    return True


def _inside_word(text: str, start: int) -> bool:
    before = text[start - 1 : start]
    return bool(re.match(r"[A-Za-z0-9_+.-]", before))


def _address(text: str, start: int, stop: int) -> str:
    """The address that begins here, without the punctuation and brackets at its end."""
    found = _URL.match(text, start, min(stop, start + _LONGEST))
    url = found.group() if found else ""
    for bracket, opening in _CLOSING.items():
        url = _before_unbalanced(url, bracket, opening)
    return url.rstrip(_TRAILING + "\\")


def _before_unbalanced(url: str, closing: str, opening: str) -> str:
    """What stands before the first closing bracket that was not opened in the address."""
    depth = 0
    for at, char in enumerate(url):
        depth += (char == opening) - (char == closing)
        if depth < 0:
            return url[:at]
    return url


def _plain(url: str) -> str:
    """The address without the escapes of Markdown and HTML."""
    return _ESCAPED.sub(r"\1", url.replace("&amp;", "&"))


def _push(state: StateInline, href: str, text: str) -> None:
    token = state.push("link_open", "a", 1)
    token.attrs, token.markup, token.info = {"href": href}, "linkify", "auto"
    state.push("text", "", 0).content = text
    state.push("link_close", "a", -1)
