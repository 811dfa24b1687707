"""The Markdown parser: CommonMark, tables, strikethrough, math; watched by a clock. Tokens in, tokens out; no HTML."""

from __future__ import annotations

from time import thread_time
from typing import TYPE_CHECKING, Any, Literal

from markdown_it import MarkdownIt
from markdown_it.rules_block.state_block import StateBlock
from markdown_it.token import Token

from ollama_magic.markdown.bare_urls import bare_url
from ollama_magic.markdown.data_images import data_image
from ollama_magic.markdown.details import details
from ollama_magic.markdown.emphasis import InlineState, dunder
from ollama_magic.markdown.fence_rule import fence
from ollama_magic.markdown.line_breaks import line_break
from ollama_magic.markdown.link_definitions import definition
from ollama_magic.markdown.links import readable
from ollama_magic.markdown.math import math_inline
from ollama_magic.markdown.math_blocks import math_block
from ollama_magic.markdown.paragraphs import paragraph
from ollama_magic.markdown.pipe_tables import table
from ollama_magic.markdown.plain_tags import balance, plain_tag

if TYPE_CHECKING:
    from markdown_it.rules_inline.state_inline import StateInline

DEEPEST = 24  # levels of quotes and lists; deeper ones are shown as text
_MOST_DELIMITERS = 4_000
_INTERRUPTS = ["paragraph", "reference", "blockquote", "list"]


class Overrun(Exception):
    """The text would take more time or room than it is worth."""


class Watch:
    """A limit on this thread's CPU time: a busy machine does not turn rich text into plain text."""

    def __init__(self, seconds: float) -> None:
        self._last = self._end = thread_time() + seconds
        self._ticks = 0

    def tick(self) -> None:
        """Raise Overrun when the time is up; looks at the clock now and then only."""
        self._ticks += 1
        if not self._ticks & 7:
            self.check()

    def check(self) -> None:
        """Raise Overrun when the time is up."""
        if thread_time() > self._end:
            raise Overrun

    def share(self, seconds: float) -> None:
        """Give the next piece at most this long, within the whole."""
        self._end = min(self._last, thread_time() + seconds)

    def whole(self) -> None:
        """Back to the limit of the whole."""
        self._end = self._last

    def extend(self, seconds: float) -> None:
        """Do not count this long: it was spent within a limit of its own."""
        self._last += seconds
        self._end += seconds


class _BlockToken(Token):
    """A block token without a dict of its own: a large table has 50,000, and what holds dicts is searched for garbage.

    Rules give a token attributes by giving it another dict.
    """

    __slots__ = ()

    def __init__(self, kind: str, tag: str, nesting: Literal[-1, 0, 1]) -> None:
        self.type, self.tag, self.nesting = kind, tag, nesting
        self.attrs, self.meta = _NOTHING, _NOTHING
        self.map = self.children = None
        self.content = self.markup = self.info = ""
        self.level, self.block, self.hidden = 0, True, False


_NOTHING: dict[str, Any] = {}
_CLOSED = {tag: _BlockToken(f"{tag}_close", tag, -1) for tag in ("td", "th", "tr")}


class _Blocks(StateBlock):
    """The state of block rules; the end of a cell or row is one and the same token, for rules never change it."""

    def push(self, ttype: str, tag: str, nesting: Literal[-1, 0, 1]) -> Token:
        """Append a token."""
        self.level -= nesting < 0
        token: Token | None = _CLOSED.get(tag) if nesting < 0 else None
        if token is None:
            token = _BlockToken(ttype, tag, nesting)
            token.level = self.level
        self.level += nesting > 0
        self.tokens.append(token)
        return token


class Parser:
    """One markdown-it instance; it keeps no state between texts."""

    def __init__(self) -> None:
        self.md = MarkdownIt("commonmark", {"html": False, "maxNesting": DEEPEST + 6}).enable(
            ["table", "strikethrough"]
        )
        self.md.disable(["html_block", "html_inline"])
        setattr(self.md, "validateLink", readable)  # noqa: B010 (mypy forbids assigning to a method)
        extend(self.md)
        self.md.block.ruler.before("table", "watch", _watch_block, {"alt": _INTERRUPTS})
        self.md.inline.ruler.before("text", "watch", _watch_inline)
        self._after = self.md.inline.ruler2.getRules("")

    def blocks(self, text: str, env: dict[str, Any]) -> list[Token]:
        """The block tokens of a text; `env` holds `watch` and `references`, and gets `open_math`, a line."""
        state = _Blocks(text, self.md, env, [])
        self.md.block.tokenize(state, state.line, state.lineMax)
        return state.tokens

    def inline(self, text: str, env: dict[str, Any]) -> list[Token]:
        """The inline tokens of one paragraph, cell or heading."""
        state = InlineState(text, self.md, env, [])
        self.md.inline.tokenize(state)
        if _most_delimiters(state) > _MOST_DELIMITERS:
            raise Overrun
        for rule in self._after:
            rule(state)
        return balance(state.tokens)


def extend(md: MarkdownIt) -> None:
    """Teach a markdown-it instance our rules."""
    block, inline = md.block.ruler, md.inline.ruler
    block.disable(["lheading", "fence"])  # titles are read with paragraphs
    block.before("table", "math_block", math_block, {"alt": _INTERRUPTS})
    block.before("table", "details", details, {"alt": _INTERRUPTS})
    block.at("table", table, {"alt": ["paragraph", "reference"]})
    block.before("code", "our_fence", fence, {"alt": _INTERRUPTS})
    block.at("reference", definition)
    block.at("paragraph", paragraph)
    inline.at("newline", line_break)
    inline.before("escape", "math_inline", math_inline)
    inline.before("emphasis", "dunder", dunder)
    inline.before("escape", "bare_url", bare_url)
    inline.before("image", "data_image", data_image)
    inline.before("autolink", "plain_tag", plain_tag)


def _watch_block(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Check time and room; what is nested too deep becomes a paragraph, so that none of it is lost."""
    state.env["watch"].tick()
    if len(state.tokens) > 3 * len(state.src) + 1_000:
        raise Overrun
    return not silent and state.level >= DEEPEST and paragraph(state, start, end, silent)


def _watch_inline(state: StateInline, silent: bool) -> bool:  # noqa: ARG001 (the signature is markdown-it's)
    state.env["watch"].tick()
    return False


def _most_delimiters(state: StateInline) -> int:
    """The longest list of delimiters: pairing them takes, at worst, its square."""
    inner = (len(meta["delimiters"]) for meta in state.tokens_meta if meta)
    return max(len(state.delimiters), max(inner, default=0))
