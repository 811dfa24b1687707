"""For those who listen: one unseen region that announces finished blocks. The flickering tail is never read out."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ollama_magic.display.kit import WidgetKit
    from ollama_magic.markdown.renderer import Block

LONGEST = 600  # characters of one announcement: more than that cannot be listened to in the time it stands
PAUSE_S = 3.0
_TAG = re.compile(r"<[^>]*>")
_UNSEEN = "position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap"


class LiveRegion:
    """A polite live region; attributes and place never change, only its words."""

    def __init__(self, kit: WidgetKit) -> None:
        self._kit = kit
        self._ready = ""
        self._last = 0.0
        self.widget: Any = kit.html(_region(""))

    def tell(self, blocks: Sequence[Block]) -> None:
        """Announce these blocks, with those that had to wait."""
        self._ready += " ".join(_TAG.sub(" ", block.html) for block in blocks)
        if self._ready and time.monotonic() - self._last >= PAUSE_S:
            self._last = time.monotonic()
            words, self._ready = " ".join(self._ready.split()), ""
            self._kit.set(self.widget, "value", _region(words if len(words) <= LONGEST else words[:LONGEST] + "…"))


def _region(words: str) -> str:
    return f'<div role="log" aria-live="polite" aria-atomic="true" style="{_UNSEEN}">{words}</div>'
