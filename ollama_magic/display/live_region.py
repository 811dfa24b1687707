"""A hidden region that announces finished blocks to screen readers, but not the changing tail."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ollama_magic.display.widget_factory import WidgetFactory

LONGEST = 600  # most characters of one announcement: longer ones could not be read out in time
PAUSE_S = 3.0
_TAG = re.compile(r"<[^>]*>")
_UNSEEN = "position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap"


class LiveRegion:
    """A polite live region of which only the text changes."""

    def __init__(self, factory: WidgetFactory) -> None:
        self._factory = factory
        self._ready = ""
        self._last = 0.0
        self.widget: Any = factory.html(_region(""))

    def announce(self, blocks: Sequence[str]) -> None:
        """Announce these blocks of HTML, with earlier ones that had to wait."""
        self._ready += " ".join(_TAG.sub(" ", html) for html in blocks)
        if self._ready and time.monotonic() - self._last >= PAUSE_S:
            self._last = time.monotonic()
            words, self._ready = " ".join(self._ready.split()), ""
            self._factory.set(self.widget, "value", _region(words if len(words) <= LONGEST else words[:LONGEST] + "…"))


def _region(words: str) -> str:
    return f'<div role="log" aria-live="polite" aria-atomic="true" style="{_UNSEEN}">{words}</div>'
