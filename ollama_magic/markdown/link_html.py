"""Links and pictures as HTML: an anchor with a checked target, and the real host where the text does not show it."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from ollama_magic.markdown.links import allowed, opens_elsewhere, target_note

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markdown_it.token import Token


def link_open(tokens: Sequence[Token], at: int, links: list[str]) -> str:
    """The opening tag, if the target may be clicked; what closes it goes onto `links`."""
    href = str(tokens[at].attrs.get("href", ""))
    if not allowed(href):
        links.append("")
        return ""
    end = next(i for i in range(at, len(tokens)) if tokens[i].type == "link_close")
    links.append("</a>" + _note(href, _text_of([token for token in tokens[at + 1 : end] if not token.nesting])))
    return anchor(href)


def anchor(href: str) -> str:
    """The opening tag of a link to a checked target."""
    away = ' target=_blank rel="noopener noreferrer"' if opens_elsewhere(href) else ""
    return f'<a href="{escape(href)}"{away}>'


def image(token: Token, *, inside_link: bool) -> str:
    """A link in the picture's place: showing an answer makes no request. A picture within the text is its words."""
    href, alt = str(token.attrs.get("src", "")), _text_of(token.children or []) or token.content or "image"
    if inside_link or not allowed(href):
        return escape(alt, quote=False)
    return f"{anchor(href)}{escape(alt, quote=False)}</a>{_note(href, alt)}"


def _note(href: str, text: str) -> str:
    host = target_note(href, text)
    return f" <small class=ollama-host>({escape(host)})</small>" if host else ""


def _text_of(tokens: Sequence[Token]) -> str:
    parts = (_text_of(token.children) if token.children else token.content or " " for token in tokens)
    return "".join(parts)
