"""A live answer: core ipywidgets that grow with one reply, in a slot or a panel."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from ollama_magic.display.blocks import Blocks
from ollama_magic.display.document import growing_document
from ollama_magic.display.live_region import LiveRegion
from ollama_magic.display.question_row import QuestionRow
from ollama_magic.display.settled import before_html, end_html
from ollama_magic.display.status import StatusLine
from ollama_magic.display.steps import StepList
from ollama_magic.display.styles import style_element
from ollama_magic.display.thinking import ThinkingSection
from ollama_magic.display.vscode import style_for_host
from ollama_magic.display.widget_factory import WidgetFactory

if TYPE_CHECKING:
    from collections.abc import Callable

    from ollama_magic.conversation.reply import Reply

FASTEST_S = 1 / 24
BYTES_PER_S = 120_000  # of tail (design.md §3): a huge list, table or fence is sent less often
MESSAGES_PER_S, AT_ONCE = 40, 8  # never more than 60 in a second (tests/bench counts them)
SHARE = 5  # painting may take a fifth of the time
FAST, FAST_S = 500, 0.4  # tokens/s that no eye follows, and how often they are painted


class LiveAnswer:
    """The widgets of one reply; state lives in traits, so a page loaded in mid-answer shows everything.

    `raised`: the cell raises the error below its output.
    """

    def __init__(self, footer: str = "brief", *, raised: bool = True) -> None:
        self._footer = footer
        self._raised = raised
        self._thinking: ThinkingSection | None = None
        self._cost = 0.0
        self._rewritten = 0
        self._steps: StepList | None = None
        self._question: QuestionRow | None = None
        self._owed = 0.0  # messages ahead of their time
        self._painted = 0, 0.0  # chunks that had come at the last paint, and when it was

    def show(self, reply: Reply) -> float:
        """Paint once; the pause grows with its cost, the tail, and the messages it took.

        The lower cost of two paints counts, because a paint may import a lexer once.
        """
        began, sent, fast = time.perf_counter(), self._factory.sent, self._fast(reply)
        self._paint(reply, fast=fast)
        before, self._cost = self._cost, time.perf_counter() - began
        tail = self._answer.tail_bytes + (self._thinking.blocks.tail_bytes if self._thinking else 0)
        self._owed += self._factory.sent - sent
        rationed = (self._owed - AT_ONCE) / MESSAGES_PER_S
        pace = FAST_S if fast else FASTEST_S
        rest = max(pace, SHARE * min(before, self._cost), tail / BYTES_PER_S, rationed)
        self._owed = max(self._owed - rest * MESSAGES_PER_S, 0.0)
        return rest

    def _fast(self, reply: Reply) -> bool:
        """Whether tokens come faster than anybody can follow."""
        (chunks, since), now = self._painted, time.monotonic()
        self._painted = reply.status.chunks, now
        came = reply.status.chunks - chunks
        return came > max(FAST * (now - max(since, reply.status.first_at or now)), AT_ONCE)

    def _build(self, reply: Reply, stop: Callable[[], None] | None, *, styled: bool = True) -> None:
        self._factory = factory = WidgetFactory()
        style = style_element("display/live.css") + style_for_host(widgets=True) if styled else ""
        before = [factory.html(html) for html in (style, part_html(before_html(reply))) if html]
        self._answer = Blocks(factory, growing_document(reply), "ollama-magic-answer")
        self._status = StatusLine(factory, reply, stop)
        self._region = LiveRegion(factory)
        self._rows = [*before, self._answer.box, self._status.box, self._region.widget]
        self.root: Any = factory.box(self._rows, "ollama-magic-live")

    def _last(self, reply: Reply) -> None:
        """Paint the whole answer and the lines below it."""
        self._think(reply)
        if self._thinking:
            self._thinking.blocks.finish(reply.thinking_parts)
        self._show_steps(reply, live=False)
        self._ask(reply)
        self._rebuild_if_rewritten(reply)
        self._answer.finish(reply.text_parts)
        self._end(reply)

    def _paint(self, reply: Reply, *, fast: bool) -> None:
        self._think(reply)
        self._show_steps(reply)
        self._rebuild_if_rewritten(reply)
        self._region.announce([block.html for block in self._answer.grow(reply.text_parts, fast=fast)])
        self._ask(reply)
        self._status.show(reply)

    def _rebuild_if_rewritten(self, reply: Reply) -> None:
        """Start new blocks if text has left the answer."""
        if reply.status.rewritten == self._rewritten:
            return
        self._rewritten = reply.status.rewritten
        place = self._rows.index(self._answer.box)
        self._answer = Blocks(self._factory, growing_document(reply), "ollama-magic-answer")
        self._rows[place] = self._answer.box
        self._factory.set(self.root, "children", tuple(self._rows))

    def _think(self, reply: Reply) -> None:
        if not reply.thinking_parts:
            return
        if self._thinking is None:
            from ollama_magic.markdown.incremental import IncrementalMarkdown

            self._thinking = ThinkingSection(self._factory, IncrementalMarkdown())
            below = self._steps or self._answer
            self._rows.insert(self._rows.index(below.box), self._thinking.box)
            self._factory.set(self.root, "children", tuple(self._rows))
        self._thinking.blocks.grow(reply.thinking_parts)

    def _show_steps(self, reply: Reply, *, live: bool = True) -> None:
        if not reply.steps:
            return
        if self._steps is None:
            self._steps = StepList(self._factory)
            self._rows.insert(self._rows.index(self._answer.box), self._steps.box)
            self._factory.set(self.root, "children", tuple(self._rows))
        self._steps.show(list(reply.steps), live=live)

    def _ask(self, reply: Reply) -> None:
        question = reply.status.question
        if self._question is None and question is not None:
            self._question = QuestionRow(self._factory)
            self._rows.insert(self._rows.index(self._status.box), self._question.box)
            self._factory.set(self.root, "children", tuple(self._rows))
        if self._question is not None:
            self._question.show(question)

    def _end(self, reply: Reply) -> None:
        """Replace the status line by notes and footer."""
        self._status.settle(self._end_part(reply))

    def _say_end(self, reply: Reply) -> None:
        self._status.say(self._end_part(reply))

    def _end_part(self, reply: Reply) -> str:
        return part_html(end_html(reply, self._footer, raised=self._raised))


def part_html(html: str) -> str:
    """Return HTML for a widget; the hidden element keeps the last margin, which hosts take from a last child."""
    return f"<div class=jp-RenderedHTMLCommon>{html}<i hidden></i></div>" if html else ""
