"""Tokens as strict HTML: fixed tags, fixed classes, and of the model's making nothing but text and checked targets.

Attributes: `href`, `target`, `rel`, fixed classes, `align` of a cell's content (JupyterLab's stylesheet aligns cells
themselves to the right), the `start` number of a list, and `dir="auto"` on blocks with right-to-left text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import escape
from time import thread_time
from typing import TYPE_CHECKING, Any

from ollama_magic.foreign import visible
from ollama_magic.markdown.code import highlighted
from ollama_magic.markdown.inline_html import Formulas, line_html
from ollama_magic.markdown.link_definitions import DEFINITION, Definitions, References, definitions_html
from ollama_magic.markdown.math import PROCESS
from ollama_magic.markdown.parser import Overrun, Parser, Watch
from ollama_magic.markdown.scripts import RIGHT_TO_LEFT, directed, reads_from_right, with_soft_hyphens

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markdown_it.token import Token

GROWTH = 18  # characters of HTML for one of Markdown, at most
_FREE = 4_000
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
}
# What closes a growing table below its finished rows, and opens it for the last one.
_BETWEEN_ROWS = ("</tbody>\n</table></div>\n", "<div class=ollama-table><table>\n<tbody>\n")
_PLAIN = re.compile(
    r"(?:[^\\`*_\[\]<&$~!\n:]|:(?!//))*"
)  # a line in which no rule of ours or of CommonMark finds anything
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
    definitions: Definitions = field(default_factory=Definitions)


class Writer:
    """Writes the HTML of one piece of an answer, within the watch's time and the page's room; `colour` in seconds."""

    def __init__(self, parser: Parser, page: Page, watch: Watch, colour: float = 0.0) -> None:
        self._parser, self._page, self._watch, self._colour = parser, page, watch, colour
        self.references = References(page.references)
        self.env: dict[str, Any] = {"watch": watch, "references": self.references}
        self.formulas = Formulas(page.formulas)
        self.expected: set[str] = set()  # labels that other blocks will use
        self.used = self.still = self._items = 0
        self.bridge = ("", "")
        self._top: Token | None = None  # the top-level block that is being written
        self._formulas_before = 0
        self._starts: list[int] = []  # of the top-level blocks among the parts
        self._defined: list[tuple[int, list[Token]]] = []  # definitions, to be shown if nothing used them
        self.granted = page.granted - page.used
        self.fresh: dict[str, tuple[str, int]] = {}

    def write(self, tokens: Sequence[Token], source_length: int) -> str:
        """The HTML of some top-level blocks that were parsed with `env`."""
        self.granted += GROWTH * source_length
        parts: list[str] = []
        at, end, last = 0, len(tokens), 0
        while at < end:
            self._watch.tick()
            if self._may_be_last(tokens[at], parts):
                last = len(parts)
            at = self._block(tokens, at, parts)
        self._show_definitions(parts)
        self._set_directions(parts)
        before = visible("".join(parts[:last]))
        html = before + visible("".join(parts[last:]))
        self.still = len(before)
        self.used = len(html)
        if self.used > self.granted + _FREE:
            raise Overrun
        return html

    def _show_definitions(self, parts: list[str]) -> None:
        if self._defined:
            used = self.env["references"].used | self._page.definitions.used() | self.expected
            for at, tokens in self._defined:
                parts[at] = definitions_html(tokens, used)

    def _set_directions(self, parts: list[str]) -> None:
        """Give the top-level blocks with right-to-left text a direction."""
        if all(map(str.isascii, parts)):
            return
        for start, end in zip(self._starts, [*self._starts[1:], len(parts)], strict=True):
            if any(map(RIGHT_TO_LEFT.search, parts[start:end])):
                parts[start] = directed(parts[start])
                if end == len(parts):
                    self.bridge = self.bridge[0], directed(self.bridge[1])

    def _may_be_last(self, token: Token, parts: list[str]) -> bool:
        """Whether what grows may begin here: a top-level block, a later item of a list, a row below formulas."""
        if not token.level and token.nesting >= 0:
            self._top, self._items, self.bridge = token, 0, ("", "")
            self._formulas_before = self.formulas.count
            self._starts.append(len(parts))
            return True
        if not self._top:
            return False
        if token.type == "tr_open" and self._top.type == "table_open" and self.formulas.count > self._formulas_before:
            self.bridge = _BETWEEN_ROWS
            return True
        if token.type != "list_item_open" or token.level != 1:
            return False
        self._items += 1
        if self._items > 1:
            opening = self._opening_or_closing(self._top, self._items - 1)
            self.bridge = f"</{self._top.tag}>\n", opening
        return self._items > 1

    def _block(self, tokens: Sequence[Token], at: int, parts: list[str]) -> int:
        """Write the token at `at`; the place of the next one."""
        token = tokens[at]
        kind = token.type
        if kind in _FIXED:
            parts.append(_FIXED[kind])
        elif kind == DEFINITION:
            return self._definitions(tokens, at, parts)
        elif kind == "inline":
            task = at > 1 and tokens[at - 2].type == "list_item_open"
            parts.append(self._inline(token.content, task=task))
        elif kind in ("td_open", "th_open"):
            parts.append(self._cell(token, tokens[at + 1].content))
            return at + 3
        else:
            parts.append(self._opening_or_closing(token))
        return at + 1

    def _definitions(self, tokens: Sequence[Token], at: int, parts: list[str]) -> int:
        """Leave room for definitions that stand together."""
        end = at + 1
        while end < len(tokens) and tokens[end].type == DEFINITION and _follows(tokens[end - 1], tokens[end]):
            end += 1
        self._defined.append((len(parts), list(tokens[at:end])))
        parts.append("")
        return end

    def _opening_or_closing(self, token: Token, later: int = 0) -> str:
        match token.type:
            case "paragraph_open" | "paragraph_close":
                return self._paragraph(token)
            case "heading_open" | "heading_close":
                return f"</{token.tag}>\n" if token.nesting < 0 else f"<{token.tag}>"
            case "bullet_list_open" | "ordered_list_open":
                return _list_open(token, later)
            case "details_open" | "details_close" | "summary_open" | "summary_close":
                return _folded(token)
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
        align = style.rpartition(":")[2] or ("right" if reads_from_right(content) else "left")
        if not content:
            return f"<{token.tag}></{token.tag}>"
        return f"<{token.tag}><div align={align}>{self._inline(content, in_cell=True)}</div></{token.tag}>"

    def _code(self, token: Token) -> str:
        before = thread_time()
        html = code_block(token.content, token.info, self._colour)
        spent = thread_time() - before
        self._colour -= spent
        self._watch.extend(spent)
        return html

    def _math(self, token: Token) -> str:
        setting = token.type == "math_block" and self.formulas.may_be_set(token.content)
        opening = f'<pre class="{PROCESS}">' if setting else "<pre>"
        return f"<div class=ollama-math>{opening}{escape(token.content, quote=False)}</pre></div>\n"

    def _inline(self, text: str, *, task: bool = False, in_cell: bool = False) -> str:
        """The HTML of a line of text; plain where it takes too much time or room."""
        self.env["in_cell"] = in_cell
        html = self._remembered(text)
        if task and html[:4] in _TASKS:
            html = _TASKS[html[:4]] + html[4:]
        self.used += len(html)
        return html

    def _remembered(self, text: str) -> str:
        """The HTML from the last time, if nothing that it depends on can have changed."""
        key = f"\0{text}" if self.env["in_cell"] and "<" in text else text  # no text contains a control character
        known = self._page.known.get(key) or self.fresh.get(key)
        if known is None:
            if _PLAIN.fullmatch(text):
                return with_soft_hyphens(escape(text, quote=False))
            before = self.formulas.count
            html = self._parsed(text)
            if "[" in text:
                return html
            known = (html, self.formulas.count - before)
        elif known[1]:
            return self._parsed(text)
        self.fresh[key] = known
        return known[0]

    def _parsed(self, text: str) -> str:
        if any(map(text.startswith, self._page.hopeless)):
            return _plain_line(text)
        self._watch.share(_PIECE)
        try:
            room = min(GROWTH * len(text) + _FREE, self.granted - self.used + _FREE)
            return line_html(self._parser.inline(text, self.env), room, self.formulas)
        except Overrun:
            if len(text) > 500:
                self._page.hopeless.append(text[: 2 * len(text) // 3])
            return _plain_line(text)
        finally:
            self._watch.whole()


def code_block(code: str, info: str, seconds: float) -> str:
    """Code as JupyterLab's stylesheet colours it."""
    return f"<div class=highlight><pre>{_with_first_line(highlighted(code, info, seconds))}</pre></div>\n"


def plain(text: str) -> str:
    """The text as it stands: what is shown where Markdown would take too long."""
    shown = _with_first_line(visible(escape(text, quote=False)))
    return f"<div class=ollama-plain><pre>{shown}</pre></div>\n" if text else ""


def _with_first_line(html: str) -> str:
    """Have a first line stay that is empty: HTML drops a newline that stands right behind `<pre>`."""
    return f"\n{html}" if html.startswith("\n") else html


def _plain_line(text: str) -> str:
    return escape(text, quote=False).replace("\n", "<br>\n")


def _follows(before: Token, token: Token) -> bool:
    return bool(before.map and token.map and before.map[1] == token.map[0])


def _folded(token: Token) -> str:
    """The tags of a `details`; while it may still go on, nothing is folded away."""
    tag = {"summary": "p"}.get(token.tag, "") if token.hidden else token.tag
    line_end = "\n" if token.nesting < 0 or token.tag == "details" else ""
    return f"<{'/' if token.nesting < 0 else ''}{tag}>{line_end}" if tag else ""


def _list_open(token: Token, later: int) -> str:
    start = int(token.attrs.get("start", 1)) + later
    return "<ul>\n" if token.tag == "ul" else "<ol>\n" if start == 1 else f"<ol start={start}>\n"
