"""A growing document as widgets: finished blocks are frozen, and only the tail is sent again."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ollama_magic.display.settled import IGNORE_TEX, spaced
from ollama_magic.display.vscode import html_for_host
from ollama_magic.markdown.fence import joined

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ollama_magic.display.widget_factory import WidgetFactory
    from ollama_magic.markdown.growing_code import Growing
    from ollama_magic.markdown.incremental import Paint
    from ollama_magic.markdown.renderer import Block

PORTION = 16_000  # about how many characters of HTML a frozen widget has
GROUP = 24  # blocks per box
AHEAD = 2  # blocks to create together, because each new one sends the list of children again
# JupyterLab gives first and last children smaller margins; a hidden sibling prevents that.
_UNSEEN = "<i hidden></i>"
_LAST = "<i hidden>"  # the end of the text closes both
_LOOK = "class=jp-RenderedHTMLCommon"
_LOOK_WITH_TEX = f'class="jp-RenderedHTMLCommon {IGNORE_TEX}"'


@dataclass(eq=False)
class _Frozen:
    """A widget with finished blocks."""

    parts: list[Block]
    first: bool
    widget: Any = None

    @property
    def math(self) -> bool:
        return any(block.math for block in self.parts)

    @property
    def text(self) -> str:
        """The HTML; a widget that typesets TeX marks the text without TeX itself, for others the box does."""
        html = _wrapped(self.parts, first=self.first)
        return html.replace(_LOOK, _LOOK_WITH_TEX, 1) if self.math else html


@dataclass(eq=False)
class Blocks:
    """The blocks of one document; `name` is a class of its box."""

    factory: WidgetFactory
    markdown: Growing
    name: str = ""
    tail_bytes: int = 0
    _seen: int = 0
    _finished: bool = False
    _positions: list[tuple[_Frozen, int]] = field(default_factory=list)
    _rows: Any = None  # the widget with the finished rows of the table that grows, if there are formulas in them
    _room: list[Any] = field(default_factory=list)  # the last widgets: those of the tail, then empty ones
    _groups: list[Any] = field(default_factory=list)  # the box, then boxes in it: a list of children stays short
    _waiting: bool = False  # the tail is not shown yet

    def __post_init__(self) -> None:
        self._room.append(self.factory.html())
        self.box = self.factory.box(self._room, f"{self.name} {IGNORE_TEX}")
        self._groups.append(self.box)

    def grow(self, parts: list[str], *, fast: bool = False) -> tuple[Block, ...]:
        """Show what was added to `parts` since the last call; return the blocks that are now final.

        `fast`: more comes at once, so beside finished blocks the tail may wait.
        """
        if self._feed(parts) or (self._waiting and not fast):
            return self._paint(self.markdown.update(), fast=fast)
        return ()

    def finish(self, parts: list[str]) -> tuple[Block, ...]:
        """Show the whole document, for the last time."""
        self._finished = True
        self._feed(parts)
        return self._paint(self.markdown.finish())

    @property
    def html(self) -> str:
        """The whole document, which has been finished, as one render of it."""
        return joined(frozen.parts[part] for frozen, part in self._positions)

    def _feed(self, parts: list[str]) -> bool:
        new = parts[self._seen :]
        self._seen += len(new)
        if new:
            self.markdown.feed("".join(new))
        return bool(new)

    def _paint(self, paint: Paint, *, fast: bool = False) -> tuple[Block, ...]:
        for index, block in paint.patched:
            self._patch(*self._positions[index], block)
        frozen = self._frozen(paint.frozen)
        self._waiting = fast and bool(frozen) and not self.tail_bytes and self._rows is None  # nothing shown goes away
        left = [] if self._waiting else _split(paint.tail)
        tail = [_wrapped([block], first=not self._positions and not at) for at, block in enumerate(left)]
        rows = tail.pop(0) if left and paint.tail.bridge[0].startswith("</tbody>") else ""
        self.tail_bytes = sum(map(len, tail))
        self._typeset_rows(rows)
        self._show(frozen, tail)
        if self._rows and not rows:
            self.factory.set(self._rows, "value", "")
            self._rows = None
        return tuple(paint.frozen)

    def _typeset_rows(self, rows: str) -> None:
        """Show the finished rows of a growing table in a widget that typesets TeX; it changes only with a new row."""
        if rows:
            html = rows.replace(_LOOK, _LOOK_WITH_TEX, 1)
            if self._rows is None:
                self._rows = self._insert(0, html)
            else:
                self.factory.set(self._rows, "value", html)

    def _frozen(self, blocks: Sequence[Block]) -> list[_Frozen]:
        found = []
        for portion in _portions(blocks):
            found.append(frozen := _Frozen(portion, not self._positions))
            self._positions += [(frozen, part) for part in range(len(portion))]
        return found

    def _show(self, finished: list[_Frozen], tail: list[str]) -> None:
        """Fill the last widgets in order; growing ones first, so that nothing disappears.

        A block with math needs a widget of another kind, after everything that is shown.
        """
        at, shown, filled = 0, sum(bool(widget.value) for widget in self._room), []
        for frozen in finished:
            html = frozen.text
            if frozen.math:
                at = max(at, shown)
                frozen.widget = self._insert(at, html)
            else:
                frozen.widget = self._at(at, html)
                filled.append((frozen.widget, html))
                at += 1
        filled += [(self._at(at + more, html), html) for more, html in enumerate(tail)]
        used = [widget for widget, _ in filled]
        filled += [(widget, "") for widget in self._room if widget not in used]
        for widget, html in sorted(filled, key=lambda one: len(one[0].value) - len(one[1])):
            self.factory.set(widget, "value", html)
        del self._room[:at]

    def _at(self, at: int, html: str) -> Any:
        """The widget at this position; a new one is made with what it will show."""
        if at == len(self._room):
            self._more_room(html)
        return self._room[at]

    def _insert(self, at: int, html: str) -> Any:
        """Insert a widget with math before the empty one at this position, or at the end."""
        widget = self.factory.html(html, math=True)
        if at == len(self._room):
            self._append([widget])
            return widget
        group = self._group_with(self._room[at])
        children = list(group.children)
        children.insert(children.index(self._room[at]), widget)
        self.factory.set(group, "children", tuple(children))
        return widget

    def _more_room(self, html: str) -> None:
        widgets = [self.factory.html(html), *(self.factory.html() for _ in range(0 if self._finished else AHEAD - 1))]
        self._room += widgets
        self._append(widgets)

    def _append(self, widgets: list[Any]) -> None:
        group = self._groups[-1]
        if len(group.children) + len(widgets) <= GROUP:
            self.factory.set(group, "children", (*group.children, *widgets))
        else:
            self._groups.append(self.factory.box(widgets))
            self.factory.set(self.box, "children", (*self.box.children, self._groups[-1]))

    def _group_with(self, widget: Any) -> Any:
        return next(group for group in reversed(self._groups) if widget in group.children)

    def _patch(self, frozen: _Frozen, part: int, block: Block) -> None:
        was_math = frozen.math
        frozen.parts[part] = block
        if frozen.math and not was_math:
            self._swap(frozen)
        else:
            self.factory.set(frozen.widget, "value", frozen.text)

    def _swap(self, frozen: _Frozen) -> None:
        """Replace the widget of a block that got math from a late link definition."""
        old, frozen.widget = frozen.widget, self.factory.html(frozen.text, math=True)
        group = self._group_with(old)
        children = [frozen.widget if child is old else child for child in group.children]
        self.factory.set(group, "children", tuple(children))
        self.factory.close(old)


def _split(tail: Block) -> list[Block]:
    """Split the tail into the part that hardly changes and its last block or item, which are sent separately."""
    before, last, (close, reopen) = tail.html[: tail.still], tail.html[tail.still :], tail.bridge
    if close:
        return [replace(tail, html=before + close, part="first"), replace(tail, html=reopen + last, part="last")]
    return [replace(tail, html=piece) for piece in (before, last) if piece]


def _wrapped(blocks: Sequence[Block], *, first: bool) -> str:
    html = html_for_host("".join(map(_placed, blocks)))
    before = _UNSEEN if html.startswith("<h") and not first else ""
    return f"<div {_LOOK}>{before}{html}{_LAST}"


def _portions(blocks: Sequence[Block]) -> list[list[Block]]:
    """Divide frozen blocks into widgets of limited size."""
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
    """Wrap a part of a long fence or list in a class, so that the style sheet joins it to its neighbours."""
    if not block.part:
        return spaced(block.html)
    html = spaced(block.html) if block.part == "last" or block.bridge[0] else block.html
    return f"<div class=ollama-magic-part-{block.part}>{html}</div>"
