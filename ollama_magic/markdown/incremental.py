"""Markdown as it grows: what can no longer change is frozen, and only the rest is rendered again (design.md §3).

Everything before line s is frozen when a top-level block starts at s, line s is complete, and line s−1 is blank or s
touches a code fence (nothing that follows can reach over one). A long fence is frozen in parts of complete lines.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from time import thread_time
from typing import TYPE_CHECKING, Any

from ollama_magic.foreign import repaired, without_controls
from ollama_magic.markdown.fence import OpenFence
from ollama_magic.markdown.html import GROWTH, Page, Writer, plain
from ollama_magic.markdown.link_definitions import References
from ollama_magic.markdown.parser import Overrun
from ollama_magic.markdown.renderer import Block, MarkdownRenderer

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from markdown_it.token import Token

_EMPTY = Block("")
_PATCHING = 1.0  # seconds for late link definitions while the text grows; the rest waits for the end


@dataclass(frozen=True)
class Paint:
    """Blocks newly `frozen`, the `tail` that may still change, and earlier blocks `patched`: (index, new block)."""

    frozen: tuple[Block, ...]
    tail: Block
    patched: tuple[tuple[int, Block], ...]


@dataclass
class _Source:
    """Where a frozen block came from, to render it again when a link definition arrives late."""

    text: str
    formulas: int
    block: Block


class IncrementalMarkdown:
    """Ends, however the text is cut into pieces, exactly as one render of it."""

    def __init__(self, renderer: MarkdownRenderer | None = None) -> None:
        self._renderer = renderer or MarkdownRenderer()
        self._page = Page()
        self._held = ""
        self._pieces: list[str] = []
        self._tail = ""
        self._shown = _EMPTY
        self._fence: OpenFence | None = None
        self._frozen: list[Block] = []
        self._count = 0
        self._sources: dict[int, _Source] = {}
        self._waiting: dict[str, set[int]] = defaultdict(set)
        self._dirty: set[int] = set()
        self._unsure: set[int] = set()  # blocks whose definitions are hidden because a link is expected to use them
        self._patching = _PATCHING
        self._retry_at = 0

    def feed(self, delta: str) -> None:
        """Take a piece of text; a last carriage return or half a character waits for the next piece."""
        text = self._held + delta
        self._held = text[-1:] if text[-1:] == "\r" or "\ud800" <= text[-1:] <= "\udbff" else ""
        text = without_controls(repaired(text[: len(text) - len(self._held)]))
        if text:
            self._pieces.append(text)

    def update(self) -> Paint:
        """What changed since the last call."""
        if self._pieces:
            text = "".join(self._pieces)
            self._pieces.clear()
            self._grow(text)
        return self._paint()

    def finish(self) -> Paint:
        """Everything is final: the tail is empty."""
        held, self._held = self._held, ""
        self._pieces.append("\n" if held == "\r" else repaired(held))
        self._grow("".join(self._pieces), last=True)
        self._pieces.clear()
        if self._fence:
            self._add_fence(self._fence.finish())
        self._shown, self._fence = _EMPTY, None
        self._patching = float("inf")
        return self._paint()

    def _paint(self) -> Paint:
        patched = tuple(self._patch())
        frozen, self._frozen = tuple(self._frozen), []
        self._count += len(frozen)
        return Paint(frozen, self._shown, patched)

    def _grow(self, text: str, *, last: bool = False) -> None:
        while text or (last and self._tail):
            if self._fence:
                text = self._grow_fence(self._fence, text)
            else:
                self._tail += text
                text = ""
                if last or len(self._tail) >= self._retry_at:
                    text = self._parse_tail(last=last)
                else:
                    self._shown = Block(plain(self._tail))

    def _grow_fence(self, fence: OpenFence, text: str) -> str:
        """Feed the open fence; what follows its end."""
        self._page.granted += GROWTH * len(text)
        blocks, rest = fence.feed(text)
        self._add_fence(blocks)
        if fence.closed:
            self._fence, self._shown = None, _EMPTY
            return rest
        self._shown = fence.tail()
        return ""

    def _add_fence(self, blocks: Sequence[Block]) -> None:
        for block in blocks:
            self._page.used += len(block.html)
            self._frozen.append(block)

    def _parse_tail(self, *, last: bool) -> str:
        """Freeze what is final, at the `last` all of it, and show the rest.

        Text that belongs to a fence opened by it is handed back.
        """
        writer = self._renderer.writer(self._page, len(self._tail), colour=False)
        writer.env["growing"] = not last
        try:
            tokens = self._renderer.parser.blocks(self._tail, writer.env)
            first, start = _boundary(tokens, self._tail, writer.env.get("open_math"))
            cut = _offset(self._tail, start)
            if start:
                self._freeze(tokens[:first], cut, writer.env["references"])
                self._tail = self._tail[cut:]
                writer = self._tail_writer(writer)
                tokens = tokens[first:]
            fence = OpenFence.opened_by(tokens, self._tail)
            if fence:
                text, self._tail, self._fence = self._tail, "", fence
                return fence.skip_opening(text)
            if last:
                self._freeze(tokens, len(self._tail), writer.env["references"])
                self._tail = ""
                return ""
            html = writer.write(tokens, len(self._tail))
            self._shown = Block(html, writer.formulas.any_set, still=writer.still, bridge=writer.bridge)
            self._page.known, self._retry_at = writer.fresh, 0
        except Overrun:
            self._overrun(last=last)
        return ""

    def _overrun(self, *, last: bool) -> None:
        """Show the tail as it stands, and try again when it is twice as long."""
        self._retry_at, shown = 2 * len(self._tail), Block(plain(self._tail))
        if last:
            self._frozen.append(shown)
            self._tail = ""
        else:
            self._shown = shown

    def _tail_writer(self, old: Writer) -> Writer:
        """A writer that counts on from what has just been frozen, with every definition that is in sight."""
        writer = self._renderer.writer(self._page, len(self._tail), colour=False)
        writer.env["references"] = References({**old.env["references"], **self._page.references})
        writer.expected = set(self._waiting)
        return writer

    def _freeze(self, tokens: Sequence[Token], cut: int, seen: dict[str, Any]) -> None:
        """Make the first `cut` characters final. Their links count on definitions that are final too, on no others."""
        text = self._tail[:cut]
        lines = text.count("\n") if cut < len(self._tail) else math.inf
        expected = set(self._waiting)
        self._define({label: found for label, found in seen.items() if found["map"][0] < lines})
        writer = self._renderer.writer(self._page, len(text), colour=True)
        writer.expected = expected
        self._add(writer, tokens, text)

    def _define(self, seen: dict[str, Any]) -> None:
        """Make definitions final; the first one of a label wins."""
        for label in seen.keys() - self._page.references.keys():
            self._page.references[label] = seen[label]
            self._dirty |= self._waiting.pop(label, set())

    def _add(self, writer: Writer, tokens: Sequence[Token], text: str) -> None:
        """Freeze one block; what shows nothing, and never will, makes none."""
        self._page.granted += GROWTH * len(text)
        formulas = self._page.formulas
        try:
            block = Block(writer.write(tokens, len(text)), writer.formulas.any_set)
        except Overrun:
            block = Block(plain(text))
        self._page.used += len(block.html)
        self._page.formulas = writer.formulas.count
        index = self._count + len(self._frozen)
        defines = self._page.definitions.note_block(index, tokens)
        if not block.html and not defines:
            return
        self._frozen.append(block)
        if defines:
            self._unsure.add(index)
        missed = writer.references.missed
        if missed or defines or writer.references.used:
            self._sources[index] = _Source(text, formulas, block)
        self._note_links(index, writer)

    def _note_links(self, index: int, writer: Writer) -> None:
        """Note which labels a block asked for: those that may be defined later, and those that it uses."""
        for label in writer.references.missed:
            self._waiting[label].add(index)
        self._dirty |= self._page.definitions.note_uses(index, writer.references.used)

    def _patch(self) -> Iterable[tuple[int, Block]]:
        """Render again the frozen blocks that asked for a label which is now defined."""
        while (self._dirty or self._unsure) and self._patching > 0:
            if not self._dirty:
                self._dirty, self._unsure = self._unsure, set()
            before = thread_time()
            index = self._dirty.pop()
            source = self._sources[index]
            block = self._rerendered(source, index)
            self._patching -= thread_time() - before
            if block != source.block:
                source.block = block
                fresh = index - self._count
                if fresh >= 0:
                    self._frozen[fresh] = block
                else:
                    yield index, block

    def _rerendered(self, source: _Source, index: int) -> Block:
        writer = self._renderer.writer(self._page, len(source.text), colour=True)
        writer.formulas.count = source.formulas
        try:
            tokens = self._renderer.parser.blocks(source.text, writer.env)
            block = Block(writer.write(tokens, len(source.text)), writer.formulas.any_set)
        except Overrun:
            return source.block
        self._note_links(index, writer)
        self._page.used += len(block.html) - len(source.block.html)
        return block


def _boundary(tokens: Sequence[Token], text: str, open_math: int | None) -> tuple[int, int]:
    """The token and the line at which the part that may still change begins; (0, 0): nothing is final."""
    lines = text.split("\n")
    last = len(lines) - 1 if open_math is None else min(open_math + 1, len(lines) - 1)
    found, fence_end = (0, 0), 0
    for index, token in enumerate(tokens):
        if token.level or not token.map or token.nesting < 0:
            continue
        start, is_fence = token.map[0], token.type == "fence"
        stands_alone = is_fence or start == fence_end or not lines[start - 1].strip(" \t")
        if 0 < start < last and stands_alone and not token.hidden:
            found = (index, start)
        fence_end = token.map[1] if is_fence else 0
    return found


def _offset(text: str, line: int) -> int:
    """Where a line begins."""
    at = 0
    for _ in range(line):
        at = text.index("\n", at) + 1
    return at
