"""The live answer of a panel's turn: the same widgets as in a cell, in the panel's box."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from ollama_magic.display.live_answer import LiveAnswer
from ollama_magic.panel.null_view import REST_S

if TYPE_CHECKING:
    from collections.abc import Callable

    from ollama_magic.conversation.reply import Reply


class PanelAnswer(LiveAnswer):
    """A view in a panel; it may join a running turn of a cell."""

    asks = True

    def __init__(self, reply: Reply, stop: Callable[[], None]) -> None:
        super().__init__("none", raised=False)
        self._closed = False
        self._lock = threading.Lock()  # it may be closed from another thread in mid-answer
        self._build(reply, stop, styled=False)

    def begin(self, reply: Reply, stop: Callable[[], None]) -> None:
        """Do nothing: the widgets exist already."""

    def show(self, reply: Reply) -> float:
        """Paint once, while it is shown."""
        with self._lock:
            return REST_S if self._closed else super().show(reply)

    def finish(self, reply: Reply) -> None:
        """Paint for the last time; the widgets stay."""
        with self._lock:
            if not self._closed:
                self._last(reply)

    def refresh_settled(self, reply: Reply) -> None:
        """Update the line below the answer."""
        with self._lock:
            if not self._closed:
                self._say_end(reply)

    def close(self) -> None:
        """Close the widgets, which are no longer shown."""
        with self._lock:
            self._closed = True
            self._factory.close_all()
