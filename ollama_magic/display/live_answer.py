"""A live answer: core ipywidgets that grow with one reply, wherever they stand. Slots and panels are not known here."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any

from ollama_magic.display.answer import growing
from ollama_magic.display.blocks import Blocks
from ollama_magic.display.kit import WidgetKit
from ollama_magic.display.live_region import LiveRegion
from ollama_magic.display.settled import before_html, end_html
from ollama_magic.display.status import StatusLine
from ollama_magic.display.style import LIVE_STYLE
from ollama_magic.display.thinking import ThinkingSection

if TYPE_CHECKING:
    from collections.abc import Callable

    from ollama_magic.conversation.reply import Reply

FASTEST_S = 1 / 30
BYTES_PER_S = 120_000  # of tail: one giant list, table or fence is sent less often
# For a given sum of bytes, pauses that grow with the square root of a paint's bytes keep the mean delay least.
FRUGAL = 0.00144  # seconds for the root of a byte: some 40 bytes for one of the answer at 150 tokens/s
FRUGAL_S = 0.0415
MESSAGES_PER_S, AT_ONCE = 40, 8  # never more than 60 in a second
SHARE = 5  # a paint may take a fifth of the time


class LiveAnswer:
    """The widgets of one reply; state lives in traits, so a page loaded in mid-answer shows everything.

    `raised`: the cell raises under its output what went wrong.
    """

    def __init__(self, footer: str = "brief", *, raised: bool = True) -> None:
        self._footer = footer
        self._raised = raised
        self._thinking: ThinkingSection | None = None
        self._cost = 0.0
        self._owed = 0.0  # messages ahead of their time

    def show(self, reply: Reply) -> float:
        """One paint; the pause grows with its cost, with the tail, and with the messages it took.

        The lesser cost of two paints counts: importing a lexer once is no reason for a long rest.
        """
        began, sent, weight = time.perf_counter(), self._kit.sent, self._kit.weight
        self._paint(reply)
        before, self._cost = self._cost, time.perf_counter() - began
        tail = self._answer.tail_bytes + (self._thinking.blocks.tail_bytes if self._thinking else 0)
        frugal = min(FRUGAL * math.sqrt(self._kit.weight - weight), FRUGAL_S)
        self._owed += self._kit.sent - sent
        rationed = (self._owed - AT_ONCE) / MESSAGES_PER_S
        rest = max(frugal, FASTEST_S, SHARE * min(before, self._cost), tail / BYTES_PER_S, rationed)
        self._owed = max(self._owed - rest * MESSAGES_PER_S, 0.0)
        return rest

    def _build(self, reply: Reply, stop: Callable[[], None] | None, style: str = LIVE_STYLE) -> None:
        self._kit = kit = WidgetKit()
        before = [kit.html(html) for html in (style, _part(before_html(reply))) if html]
        self._answer = Blocks(kit, growing(reply), "ollama-magic-answer")
        self._status = StatusLine(kit, reply, stop)
        self._region = LiveRegion(kit)
        self._rows = [*before, self._answer.box, self._status.box, self._region.widget]
        self.root: Any = kit.box(self._rows, "ollama-magic-live")

    def _last(self, reply: Reply) -> None:
        """The last paint: all of the answer, and what stands under it."""
        self._think(reply)
        if self._thinking:
            self._thinking.blocks.finish(reply.thinking_parts)
        self._answer.finish(reply.text_parts)
        self._end(reply)

    def _paint(self, reply: Reply) -> None:
        self._think(reply)
        self._region.tell(self._answer.grow(reply.text_parts))
        self._status.show(reply)

    def _think(self, reply: Reply) -> None:
        if not reply.thinking_parts:
            return
        if self._thinking is None:
            from ollama_magic.markdown.incremental import IncrementalMarkdown

            self._thinking = ThinkingSection(self._kit, IncrementalMarkdown())
            self._rows.insert(self._rows.index(self._answer.box), self._thinking.box)
            self._kit.set(self.root, "children", tuple(self._rows))
        self._thinking.blocks.grow(reply.thinking_parts)

    def _end(self, reply: Reply) -> None:
        """Notes and footer take the place of the status line."""
        self._status.settle(self._end_part(reply))

    def _say_end(self, reply: Reply) -> None:
        self._status.say(self._end_part(reply))

    def _end_part(self, reply: Reply) -> str:
        return _part(end_html(reply, self._footer, raised=self._raised))


def _part(html: str) -> str:
    return f"<div class=jp-RenderedHTMLCommon>{html}<i hidden></i></div>" if html else ""
