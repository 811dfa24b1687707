"""Where no widgets are shown: the slot's HTML is sent again, at most twice a second, and settled at the end."""

from __future__ import annotations

import time
from html import escape
from typing import TYPE_CHECKING

from ollama_magic.display.answer import growing
from ollama_magic.display.host import when_a_cell_ends
from ollama_magic.display.settled import IGNORE_TEX, ON_ITS_WAY, answer_html, before_html, bundle
from ollama_magic.display.status import status_text

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

    def __init__(self, slot: Slot, footer: str = "brief", *, background: bool = False) -> None:
        self.slot = slot
        self._footer = footer
        self._background = background
        self._document: Growing | None = None
        self._seen = 0
        self._frozen: list[str] = []
        self._tail = ""

    def begin(self, reply: Reply, stop: Callable[[], None]) -> None:  # noqa: ARG002 (a page without widgets has no button)
        """Open the slot, in the main thread and in the cell."""
        self.slot.open(self._bundle(reply), reply)

    def show(self, reply: Reply) -> float:
        """One update; the pause grows with the text."""
        began = time.perf_counter()
        self._grow(reply)
        found = self._bundle(reply)
        self.slot.update(found, reply)
        cost = time.perf_counter() - began
        return max(FASTEST_S, SHARE * cost, len(found["text/html"]) / BYTES_PER_S)

    def finish(self, reply: Reply) -> None:
        """Put the settled bundle in the slot.

        nbclient hears only what the cell sends that it is running: a background answer is sent once more from there.
        """
        settled = bundle(reply, self._footer, raised=not self._background)
        self.slot.settle(settled, reply)
        if self._background and self.slot.reachable:
            when_a_cell_ends(lambda: self.slot.update(settled, reply))

    def again(self, reply: Reply) -> None:
        """Put the settled bundle in the slot once more."""
        self.slot.update(bundle(reply, self._footer, raised=not self._background), reply)

    def _grow(self, reply: Reply) -> None:
        new = reply.text_parts[self._seen :]
        self._seen += len(new)
        self._document = self._document or growing(reply)
        self._document.feed("".join(new))
        paint = self._document.update()
        self._frozen += [block.html for block in paint.frozen]
        for index, block in paint.patched:
            self._frozen[index] = block.html
        self._tail = paint.tail.html

    def _bundle(self, reply: Reply) -> dict[str, str]:
        status = f"<p><small>{escape(status_text(reply, time.monotonic()))}</small></p>"
        answer = answer_html("".join(self._frozen) + self._tail)
        html = f'<div class="ollama-magic {IGNORE_TEX}">{before_html(reply)}{answer}{status}</div>'
        return {"text/html": html, "text/plain": ON_ITS_WAY}
