"""Tokens as strict HTML: fixed tags, fixed classes, and of the model's making nothing but text and checked targets.

Attributes: `href`, `target`, `rel`, fixed classes, `align` of a cell's content (JupyterLab's stylesheet aligns cells
themselves to the right), and the `start` number of a list.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import escape
from time import thread_time
from typing import TYPE_CHECKING, Any

from ollama_magic.foreign import visible
from ollama_magic.markdown.code import highlighted
from ollama_magic.markdown.links import allowed, opens_elsewhere, target_note
from ollama_magic.markdown.math import PROCESS, settable
from ollama_magic.markdown.parser import Overrun, Parser, References, Watch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markdown_it.token import Token

GROWTH = 18  # characters of HTML for one of Markdown, at most
_FREE = 4_000
_MOST_FORMULAS = 300  # about a second of MathJax (promise 10); a page of hard mathematics has a hundred
_PIECE = 0.08  # seconds for one paragraph, cell or heading

_FIXED = {
    "blockquote_open": "<blockquote>\n",
    "blockquote_close": "</blockquote>\n",
    "bullet_list_open": "<ul>\n",
    "bullet_list_close": "</ul>\n",
    "ordered_list_close": "</ol>\n",
    "list_item_open": "<li>",
    "list_item_close": "</li>\n",
    "hr": "<hr>\n",
    "table_open": "<div class=ollama-table><table>\n",
    "table_close": "</table></div>\n",
    "thead_open": "<thead>\n",
    "thead_close": "</thead>\n",
    "tbody_open": "<tbody>\n",
    "tbody_close": "</tbody>\n",
    "tr_open": "<tr>",
    "tr_close": "</tr>\n",
    "em_open": "<em>",
    "em_close": "</em>",
    "strong_open": "<strong>",
    "strong_close": "</strong>",
    "s_open": "<s>",
    "s_close": "</s>",
    "softbreak": "\n",
    "hardbreak": "<br>\n",
}
_PLAIN = re.compile(r"[^\\`*_\[\]<&$~!\n]*")  # a line in which no rule of ours or of CommonMark finds anything
_TASKS = {"[ ] ": "☐ ", "[x] ": "☑ ", "[X] ": "☑ "}


@dataclass
class Page:
    """What holds for a whole answer while its pieces are rendered."""

    references: dict[str, Any] = field(default_factory=dict)
    granted: int = _FREE  # characters of HTML that the text so far may become
    used: int = 0
    formulas: int = 0
    hopeless: list[str] = field(default_factory=list)  # beginnings of paragraphs that took too long
    known: dict[str, tuple[str, int]] = field(default_factory=dict)  # inline text → HTML, formulas


class Writer:
    """Writes the HTML of one piece of an answer, within the watch's time and the page's room; `colour` in seconds."""

    def __init__(self, parser: Parser, page: Page, watch: Watch, colour: float = 0.0) -> None:
        self._parser, self._page, self._watch, self._colour = parser, page, watch, colour
        self.env: dict[str, Any] = {"watch": watch, "references": References(page.references)}
        self.formulas = page.formulas
        self.math = False
        self.used = self.still = self._items = 0
        self.bridge = ("", "")
        self._list: Token | None = None
        self.granted = page.granted - page.used
        self.fresh: dict[str, tuple[str, int]] = {}

    def write(self, tokens: Sequence[Token], source_length: int) -> str:
        """The HTML of some top-level blocks that were parsed with `env`."""
        self.granted += GROWTH * source_length
        parts: list[str] = []
        at, end, last = 0, len(tokens), 0
        while at < end:
            self._watch.tick()
            if self._may_be_last(tokens[at]):
                last = len(parts)
            at = self._block(tokens, at, parts)
        before = visible("".join(parts[:last]))
        html = before + visible("".join(parts[last:]))
        self.still = len(before)
        self.used = len(html)
        if self.used > self.granted + _FREE:
            raise Overrun
        return html

    def _may_be_last(self, token: Token) -> bool:
        """Whether what a reader sees growing may begin here: a top-level block, or a later item of a top-level list."""
        if not token.level and token.nesting >= 0:
            self._list, self._items, self.bridge = token, 0, ("", "")
            return True
        if token.type != "list_item_open" or token.level != 1 or not self._list:
            return False
        self._items += 1
        if self._items > 1:
            opening = self._opening_or_closing(self._list, self._items - 1)
            self.bridge = f"</{self._list.tag}>\n", opening
        return self._items > 1

    def _block(self, tokens: Sequence[Token], at: int, parts: list[str]) -> int:
        """Write the token at `at`; the place of the next one."""
        token = tokens[at]
        kind = token.type
        if kind in _FIXED:
            parts.append(_FIXED[kind])
        elif kind == "inline":
            task = at > 1 and tokens[at - 2].type == "list_item_open"
            parts.append(self._inline(token.content, task=task))
        elif kind in ("td_open", "th_open"):
            parts.append(self._cell(token, tokens[at + 1].content))
            return at + 3
        else:
            parts.append(self._opening_or_closing(token))
        return at + 1

    def _opening_or_closing(self, token: Token, later: int = 0) -> str:
        match token.type:
            case "paragraph_open" | "paragraph_close":
                return self._paragraph(token)
            case "heading_open" | "heading_close":
                return f"</{token.tag}>\n" if token.nesting < 0 else f"<{token.tag}>"
            case "bullet_list_open":
                return _FIXED[token.type]
            case "ordered_list_open":
                start = int(token.attrs.get("start", 1)) + later
                return "<ol>\n" if start == 1 else f"<ol start={start}>\n"
            case "math_block" | "math_unclosed":
                return self._math(token)
            case _:
                return self._code(token)

    def _paragraph(self, token: Token) -> str:
        if token.hidden:
            return "\n" if token.nesting < 0 else ""
        return "</p>\n" if token.nesting < 0 else "<p>"

    def _cell(self, token: Token, content: str) -> str:
        style = str(token.attrs.get("style", ""))
        align = style.rpartition(":")[2] if style else "left"
        if not content:
            return f"<{token.tag}></{token.tag}>"
        return f"<{token.tag}><div align={align}>{self._inline(content)}</div></{token.tag}>"

    def _code(self, token: Token) -> str:
        before = thread_time()
        html = code_block(token.content, token.info, self._colour)
        spent = thread_time() - before
        self._colour -= spent
        self._watch.extend(spent)
        return html

    def _math(self, token: Token) -> str:
        setting = token.type == "math_block" and self._may_be_set(token.content)
        opening = f'<pre class="{PROCESS}">' if setting else "<pre>"
        return f"<div class=ollama-math>{opening}{escape(token.content, quote=False)}</pre></div>\n"

    def _may_be_set(self, formula: str) -> bool:
        self.formulas += 1
        setting = self.formulas <= _MOST_FORMULAS and settable(formula)
        self.math = self.math or setting
        return setting

    def _inline(self, text: str, *, task: bool = False) -> str:
        """The HTML of a line of text; plain where it takes too much time or room."""
        html = self._remembered(text)
        if task and html[:4] in _TASKS:
            html = _TASKS[html[:4]] + html[4:]
        self.used += len(html)
        return html

    def _remembered(self, text: str) -> str:
        """The HTML from the last time, if nothing that it depends on can have changed."""
        known = self._page.known.get(text) or self.fresh.get(text)
        if known is None:
            if _PLAIN.fullmatch(text):
                return escape(text, quote=False)
            before = self.formulas
            html = self._parsed(text)
            if "[" in text:
                return html
            known = (html, self.formulas - before)
        elif known[1]:
            return self._parsed(text)
        self.fresh[text] = known
        return known[0]

    def _parsed(self, text: str) -> str:
        if any(map(text.startswith, self._page.hopeless)):
            return _plain_line(text)
        self._watch.share(_PIECE)
        try:
            return self._line(self._parser.inline(text, self.env), GROWTH * len(text) + _FREE)
        except Overrun:
            if len(text) > 500:
                self._page.hopeless.append(text[: 2 * len(text) // 3])
            return _plain_line(text)
        finally:
            self._watch.whole()

    def _line(self, tokens: Sequence[Token], room: int) -> str:
        room = min(room, self.granted - self.used + _FREE)
        parts: list[str] = []
        links: list[str] = []
        for at, token in enumerate(tokens):
            kind = token.type
            if kind in ("text", "text_special"):
                shown = escape(token.content, quote=False)
            elif kind in _FIXED:
                shown = _FIXED[kind]
            elif kind == "link_open":
                shown = _link_open(tokens, at, links)
            elif kind == "link_close":
                shown = links.pop()
            else:
                shown = self._span(token, inside_link=any(links))
            room -= len(shown)
            if room < 0:
                raise Overrun
            parts.append(shown)
        return "".join(parts)

    def _span(self, token: Token, *, inside_link: bool) -> str:
        if token.type == "code_inline":
            return f"<code>{escape(token.content, quote=False)}</code>"
        if token.type == "image":
            return _image(token, inside_link=inside_link)
        shown = escape(token.content, quote=False)
        return f'<samp class="{PROCESS}">{shown}</samp>' if self._may_be_set(token.content) else f"<code>{shown}</code>"


def code_block(code: str, info: str, seconds: float) -> str:
    """Code as JupyterLab's stylesheet colours it."""
    return f"<div class=highlight><pre>{_first_line_kept(highlighted(code, info, seconds))}</pre></div>\n"


def plain(text: str) -> str:
    """The text as it stands: what is shown where Markdown would take too long."""
    shown = _first_line_kept(visible(escape(text, quote=False)))
    return f"<div class=ollama-plain><pre>{shown}</pre></div>\n" if text else ""


def _first_line_kept(html: str) -> str:
    """Have a first line stay that is empty: HTML drops a newline that stands right behind `<pre>`."""
    return f"\n{html}" if html.startswith("\n") else html


def _plain_line(text: str) -> str:
    return escape(text, quote=False).replace("\n", "<br>\n")


def _text_of(tokens: Sequence[Token]) -> str:
    parts = (_text_of(token.children) if token.children else token.content or " " for token in tokens)
    return "".join(parts)


def _link_open(tokens: Sequence[Token], at: int, links: list[str]) -> str:
    """The opening tag, if the target may be clicked; what closes it goes onto `links`."""
    href = str(tokens[at].attrs.get("href", ""))
    if not allowed(href):
        links.append("")
        return ""
    end = next(i for i in range(at, len(tokens)) if tokens[i].type == "link_close")
    links.append("</a>" + _note(href, _text_of([token for token in tokens[at + 1 : end] if not token.nesting])))
    return _anchor(href)


def _anchor(href: str) -> str:
    away = ' target=_blank rel="noopener noreferrer"' if opens_elsewhere(href) else ""
    return f'<a href="{escape(href)}"{away}>'


def _note(href: str, text: str) -> str:
    host = target_note(href, text)
    return f" <small class=ollama-host>({escape(host)})</small>" if host else ""


def _image(token: Token, *, inside_link: bool) -> str:
    """A link in the picture's place: showing an answer makes no request."""
    href, alt = str(token.attrs.get("src", "")), _text_of(token.children or []) or token.content or "image"
    if inside_link or not allowed(href):
        return escape(alt, quote=False)
    return f"{_anchor(href)}{escape(alt, quote=False)}</a>{_note(href, alt)}"
