"""A growing document as widgets: finished blocks are frozen, only the tail is sent again. It renders nothing."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ollama_magic.display.settled import IGNORE_TEX, spaced

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ollama_magic.display.kit import WidgetKit
    from ollama_magic.markdown.growing_code import Growing
    from ollama_magic.markdown.incremental import Paint
    from ollama_magic.markdown.renderer import Block

PORTION = 16_000  # characters of HTML in one frozen widget, give or take a block
GROUP = 24  # blocks of a box
AT_ONCE = 8  # blocks that are made together, for a list of children is sent again with every new one
# JupyterLab gives first and last children smaller margins; an unseen neighbour keeps a block from being either.
_UNSEEN = "<i hidden></i>"
_LAST = "<i hidden>"  # what stands behind it ends both
_LOOK = "class=jp-RenderedHTMLCommon"


@dataclass(eq=False)
class _Frozen:
    """A widget that holds finished blocks."""

    parts: list[Block]
    first: bool
    widget: Any = None

    @property
    def math(self) -> bool:
        return any(block.math for block in self.parts)

    @property
    def text(self) -> str:
        """What a typesetter reads says itself where there is no TeX; to others, the box says it."""
        html = _wrapped(self.parts, first=self.first)
        return html.replace(_LOOK, f'class="{_LOOK[6:]} {IGNORE_TEX}"', 1) if self.math else html


@dataclass(eq=False)
class Blocks:
    """The blocks of one document; `name` is a class of its box."""

    kit: WidgetKit
    markdown: Growing
    name: str = ""
    tail_bytes: int = 0
    _seen: int = 0
    _where: list[tuple[_Frozen, int]] = field(default_factory=list)
    _room: list[Any] = field(default_factory=list)  # the last widgets: those of the tail, then empty ones

    def __post_init__(self) -> None:
        self._room += [self.kit.html(), self.kit.html()]
        self.box = self.kit.box([self.kit.box(self._room)], f"{self.name} {IGNORE_TEX}")

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
            self._patch(*self._where[index], block)
        frozen = self._frozen(paint.frozen)
        tail = [_wrapped([block], first=not self._where and not at) for at, block in enumerate(_split(paint.tail))]
        self.tail_bytes = sum(map(len, tail))
        self._show(frozen, tail)
        return tuple(paint.frozen)

    def _frozen(self, blocks: Sequence[Block]) -> list[_Frozen]:
        found = []
        for portion in _portions(blocks):
            found.append(frozen := _Frozen(portion, not self._where))
            self._where += [(frozen, part) for part in range(len(portion))]
        return found

    def _show(self, finished: list[_Frozen], tail: list[str]) -> None:
        """Fill the last widgets from the first one on; what grows is shown before anything shrinks.

        A block with math needs a widget of another kind, behind all that is shown.
        """
        at, shown, filled = 0, sum(bool(widget.value) for widget in self._room), []
        for frozen in finished:
            if frozen.math:
                at = max(at, shown)
                frozen.widget = self._insert(at, frozen.text)
            else:
                frozen.widget = self._at(at)
                filled.append((frozen.widget, frozen.text))
                at += 1
        filled += [(self._at(at + more), html) for more, html in enumerate(tail)]
        kept = [widget for widget, _ in filled]
        filled += [(widget, "") for widget in self._room if widget not in kept]
        for widget, html in sorted(filled, key=lambda one: len(one[0].value) - len(one[1])):
            self._set(widget, html)
        del self._room[:at]

    def _at(self, at: int) -> Any:
        if at == len(self._room):
            self._more_room()
        return self._room[at]

    def _insert(self, at: int, html: str) -> Any:
        """A widget with math before the one at this place, which is empty and may be drawn anew."""
        widget, behind = self.kit.html(html, math=True), self._at(at)
        group = self._group_with(behind)
        children = list(group.children)
        children.insert(children.index(behind), widget)
        self.kit.set(group, "children", tuple(children))
        return widget

    def _more_room(self) -> None:
        widgets = [self.kit.html() for _ in range(min(max(len(self._where), 2), AT_ONCE))]
        self._room += widgets
        groups = self.box.children
        if len(groups[-1].children) + len(widgets) <= GROUP:
            self.kit.set(groups[-1], "children", (*groups[-1].children, *widgets))
        else:
            self.kit.set(self.box, "children", (*groups, self.kit.box(widgets)))

    def _group_with(self, widget: Any) -> Any:
        return next(group for group in reversed(self.box.children) if widget in group.children)

    def _patch(self, frozen: _Frozen, part: int, block: Block) -> None:
        was_math = frozen.math
        frozen.parts[part] = block
        if frozen.math and not was_math:
            self._swap(frozen)
        else:
            self._set(frozen.widget, frozen.text)

    def _swap(self, frozen: _Frozen) -> None:
        """A late link definition brought math into a block that had none; rare enough to replace the widget."""
        old, frozen.widget = frozen.widget, self.kit.html(frozen.text, math=True)
        group = self._group_with(old)
        children = [frozen.widget if child is old else child for child in group.children]
        self.kit.set(group, "children", tuple(children))
        self.kit.close(old)

    def _set(self, widget: Any, html: str) -> None:
        if widget.value != html:
            self.kit.set(widget, "value", html)


def _split(tail: Block) -> list[Block]:
    """The part of the tail that hardly changes, and its last block or item: each is sent when it changes."""
    before, last, (close, reopen) = tail.html[: tail.still], tail.html[tail.still :], tail.bridge
    if close:
        return [replace(tail, html=before + close, part="first"), replace(tail, html=reopen + last, part="last")]
    return [replace(tail, html=piece) for piece in (before, last) if piece]


def _wrapped(blocks: Sequence[Block], *, first: bool) -> str:
    html = "".join(map(_placed, blocks))
    before = _UNSEEN if html.startswith("<h") and not first else ""
    return f"<div {_LOOK}>{before}{html}{_LAST}"


def _portions(blocks: Sequence[Block]) -> list[list[Block]]:
    """Cut what was frozen at once into widgets of a bearable size."""
    portions: list[list[Block]] = []
    size = PORTION + 1
    for block in blocks:
        if size > PORTION:
            portions.append([])
            size = 0
        portions[-1].append(block)
        size += len(block.html)
    return portions


def _placed(block: Block) -> str:
    """A piece of a long fence or list is named, so that the style sheet joins it to its neighbours."""
    if not block.part:
        return spaced(block.html)
    html = spaced(block.html) if block.part == "last" or block.bridge[0] else block.html
    return f"<div class=ollama-magic-part-{block.part}>{html}</div>"
