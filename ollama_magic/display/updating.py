"""The view without widgets: sends the slot's HTML again, at most twice a second, and settles it at the end."""

from __future__ import annotations

import time
from html import escape
from typing import TYPE_CHECKING

from ollama_magic.display.document import growing_document
from ollama_magic.display.host import when_a_cell_ends
from ollama_magic.display.settled import IGNORE_TEX, ON_ITS_WAY, answer_html, before_html, bundle
from ollama_magic.display.status import status_text
from ollama_magic.display.steps import steps_html
from ollama_magic.display.vscode import html_for_host, style_for_host

if TYPE_CHECKING:
    from collections.abc import Callable

    from ollama_magic.conversation.reply import Reply
    from ollama_magic.display.slot import Slot
    from ollama_magic.markdown.growing_code import Growing

FASTEST_S = 0.5
SHARE = 10
BYTES_PER_S = 60_000


class UpdatingView:
    """Shows one reply by updates of its slot; thinking is shown when the answer settles."""

    asks = False  # it has no buttons

    def __init__(self, slot: Slot, footer: str = "brief", *, background: bool = False) -> None:
        self.slot = slot
        self._footer = footer
        self._background = background
        self._document: Growing | None = None
        self._seen = 0
        self._rewritten = 0
        self._frozen: list[str] = []
        self._tail = ""

    def begin(self, reply: Reply, stop: Callable[[], None]) -> None:  # noqa: ARG002 (a page without widgets has no button)
        """Open the slot, in the main thread and in the cell."""
        self.slot.open(self._bundle(reply), reply)

    def show(self, reply: Reply) -> float:
        """Update once; the pause grows with the text."""
        began = time.perf_counter()
        self._grow(reply)
        found = self._bundle(reply)
        self.slot.update(found, reply)
        return self._rest(time.perf_counter() - began, found)

    def finish(self, reply: Reply) -> None:
        """Put the settled bundle in the slot.

        nbclient receives only outputs of the running cell, so a background answer is sent once more from there.
        """
        settled = bundle(reply, self._footer, raised=not self._background)
        self.slot.settle(settled, reply)
        if self._background and self.slot.reachable:
            when_a_cell_ends(lambda: self.slot.update(settled, reply))

    def refresh_settled(self, reply: Reply) -> None:
        """Put the settled bundle in the slot once more."""
        self.slot.update(bundle(reply, self._footer, raised=not self._background), reply)

    def _grow(self, reply: Reply) -> None:
        if reply.status.rewritten != self._rewritten:  # text has left the answer
            self._rewritten, self._document, self._frozen = reply.status.rewritten, None, []
        new = reply.text_parts[self._seen :]
        self._seen += len(new)
        self._document = self._document or growing_document(reply)
        self._document.feed("".join(new))
        paint = self._document.update()
        self._frozen += [block.html for block in paint.frozen]
        for index, block in paint.patched:
            self._frozen[index] = block.html
        self._tail = paint.tail.html

    @staticmethod
    def _rest(cost: float, found: dict[str, str]) -> float:
        return max(FASTEST_S, SHARE * cost, len(found["text/html"]) / BYTES_PER_S)

    def _bundle(self, reply: Reply) -> dict[str, str]:
        return {"text/html": style_for_host() + self._growing_html(reply), "text/plain": ON_ITS_WAY}

    def _growing_html(self, reply: Reply) -> str:
        status = f"<p><small>{escape(status_text(reply, time.monotonic()))}</small></p>"
        steps = steps_html(list(reply.steps), live=True)
        answer = answer_html(html_for_host("".join(self._frozen) + self._tail))
        parts = before_html(reply) + steps + answer + status
        return f'<div class="ollama-magic {IGNORE_TEX}">{parts}</div>'
