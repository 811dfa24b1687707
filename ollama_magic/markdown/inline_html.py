"""The tokens of one line of text as HTML: emphasis, code, links, formulas, tags of our own."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from ollama_magic.markdown.line_breaks import WRAPPED
from ollama_magic.markdown.link_html import image, link_open
from ollama_magic.markdown.math import PROCESS, settable
from ollama_magic.markdown.parser import Overrun
from ollama_magic.markdown.scripts import with_soft_hyphens

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markdown_it.token import Token

_MOST_FORMULAS = 300  # about a second of MathJax (promise 10); a page of hard mathematics has a hundred
_FIXED = {
    "em_open": "<em>",
    "em_close": "</em>",
    "strong_open": "<strong>",
    "strong_close": "</strong>",
    "s_open": "<s>",
    "s_close": "</s>",
    "hardbreak": "<br>\n",
}


@dataclass
class Formulas:
    """How many formulas an answer has so far, and whether one of this piece is typeset."""

    count: int = 0
    any_set: bool = False

    def may_be_set(self, formula: str) -> bool:
        """Count a formula; whether it goes to MathJax."""
        self.count += 1
        setting = self.count <= _MOST_FORMULAS and settable(formula)
        self.any_set = self.any_set or setting
        return setting


def line_html(tokens: Sequence[Token], room: int, formulas: Formulas) -> str:
    """The HTML of a line of text, of at most `room` characters; more than that is an Overrun."""
    parts: list[str] = []
    links: list[str] = []
    for at, token in enumerate(tokens):
        kind = token.type
        if kind in ("text", "text_special"):
            shown = with_soft_hyphens(escape(token.content, quote=False))
        elif kind in _FIXED:
            shown = _FIXED[kind]
        elif kind == "link_open":
            shown = link_open(tokens, at, links)
        elif kind == "link_close":
            shown = links.pop()
        else:
            shown = _span(token, formulas, inside_link=any(links))
        room -= len(shown)
        if room < 0:
            raise Overrun
        parts.append(shown)
    return "".join(parts)


def _span(token: Token, formulas: Formulas, *, inside_link: bool) -> str:
    match token.type:
        case "softbreak":
            return "\n" if token.markup == WRAPPED else "<br>\n"
        case "element":
            return token.content
        case "code_inline":
            tag = "kbd" if token.tag == "kbd" else "code"
            return f"<{tag}>{escape(token.content, quote=False)}</{tag}>"
        case "image":
            return image(token, inside_link=inside_link)
        case _:
            shown = escape(token.content, quote=False)
            setting = formulas.may_be_set(token.content)
            return f'<samp class="{PROCESS}">{shown}</samp>' if setting else f"<code>{shown}</code>"
