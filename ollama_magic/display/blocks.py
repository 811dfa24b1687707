"""A growing document as widgets: finished blocks are frozen, only the tail is sent again. It renders nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ollama_magic.display.settled import IGNORE_TEX, spaced

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ollama_magic.display.kit import WidgetKit
    from ollama_magic.markdown.incremental import IncrementalMarkdown, Paint
    from ollama_magic.markdown.renderer import Block

PORTION = 16_000  # characters of HTML in one frozen widget, give or take a block
GROUP = 24  # blocks of a box: the list of children is sent again with every new one
# JupyterLab gives first and last children smaller margins; an unseen neighbour keeps a block from being either.
_UNSEEN = "<i hidden></i>"
_LOOK = "class=jp-RenderedHTMLCommon"


@dataclass(eq=False)
class _Frozen:
    widget: Any
    parts: list[Block]
    first: bool
    group: Any

    @property
    def math(self) -> bool:
        return any(block.math for block in self.parts)


@dataclass(eq=False)
class Blocks:
    """The blocks of one document; `name` is a class of its box."""

    kit: WidgetKit
    markdown: IncrementalMarkdown
    name: str = ""
    tail_bytes: int = 0
    _seen: int = 0
    _where: list[tuple[_Frozen, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._tail = self.kit.html()
        self._group = self.kit.box([self._tail])
        self.box = self.kit.box([self._group], f"{self.name} {IGNORE_TEX}")

    def grow(self, parts: list[str]) -> tuple[Block, ...]:
        """Show what was added to `parts` since the last call; return the blocks that are final now."""
        if self._feed(parts):
            return self._paint(self.markdown.update())
        return ()

    def finish(self, parts: list[str]) -> tuple[Block, ...]:
        """Show the whole document, for the last time."""
        self._feed(parts)
        return self._paint(self.markdown.finish())

    def _feed(self, parts: list[str]) -> bool:
        new = parts[self._seen :]
        self._seen += len(new)
        if new:
            self.markdown.feed("".join(new))
        return bool(new)

    def _paint(self, paint: Paint) -> tuple[Block, ...]:
        for index, block in paint.patched:
            frozen, part = self._where[index]
            self._patch(frozen, part, block)
        tail = _wrapped(_joined([paint.tail]), first=not (self._where or paint.frozen))
        self.tail_bytes = len(tail)
        if paint.frozen:
            *most, last = _portions(paint.frozen)
            for portion in most:
                self._freeze(portion, "")
            self._freeze(last, tail)
        elif self._tail.value != tail:
            self.kit.set(self._tail, "value", tail)
        return tuple(paint.frozen)

    def _freeze(self, blocks: list[Block], tail: str) -> None:
        """The new tail is shown before the old one shrinks, so that the cell never collapses."""
        old, frozen = self._tail, _Frozen(self._tail, blocks, not self._where, self._group)
        self._where += [(frozen, part) for part in range(len(blocks))]
        self._tail = self.kit.html(tail)
        added = [self._tail]
        if frozen.math:
            frozen.widget = self.kit.html(self._text(frozen), math=True)
            added.insert(0, frozen.widget)
        self._append(added)
        frozen.group = self._group if frozen.math else frozen.group
        self.kit.set(old, "value", "" if frozen.math else self._text(frozen))

    def _append(self, widgets: list[Any]) -> None:
        if len(self._group.children) >= GROUP:
            self._group = self.kit.box(widgets)
            self.kit.set(self.box, "children", (*self.box.children, self._group))
        else:
            self.kit.set(self._group, "children", (*self._group.children, *widgets))

    def _patch(self, frozen: _Frozen, part: int, block: Block) -> None:
        was_math = frozen.math
        frozen.parts[part] = block
        if frozen.math and not was_math:
            self._swap(frozen)
        else:
            self.kit.set(frozen.widget, "value", self._text(frozen))

    def _swap(self, frozen: _Frozen) -> None:
        """A late link definition brought math into a block that had none; rare enough to replace the widget."""
        old, frozen.widget = frozen.widget, self.kit.html(self._text(frozen), math=True)
        children = [frozen.widget if child is old else child for child in frozen.group.children]
        self.kit.set(frozen.group, "children", tuple(children))
        self.kit.close(old)

    def _text(self, frozen: _Frozen) -> str:
        """What a typesetter reads says itself where there is no TeX; to others, the box says it."""
        html = _wrapped(_joined(frozen.parts), first=frozen.first)
        return html.replace(_LOOK, f'class="{_LOOK[6:]} {IGNORE_TEX}"', 1) if frozen.math else html


def _wrapped(html: str, *, first: bool) -> str:
    if not html:
        return ""
    before = _UNSEEN if html.startswith("<h") and not first else ""
    return f"<div {_LOOK}>{before}{html}{_UNSEEN}</div>"


def _portions(blocks: Sequence[Block]) -> list[list[Block]]:
    """Cut what was frozen at once into widgets of a bearable size."""
    portions: list[list[Block]] = [[]]
    for block in blocks:
        if sum(len(other.html) for other in portions[-1]) > PORTION:
            portions.append([])
        portions[-1].append(block)
    return portions


def _joined(blocks: Sequence[Block]) -> str:
    return "".join(map(_placed, blocks))


def _placed(block: Block) -> str:
    """A piece of a long fence is named, so that the style sheet joins it to its neighbours."""
    if not block.part:
        return spaced(block.html)
    html = spaced(block.html) if block.part == "last" else block.html
    return f'<div class="ollama-magic-part-{block.part}">{html}</div>'
