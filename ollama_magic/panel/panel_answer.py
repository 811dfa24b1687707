"""The live answer of a panel's turn: the same widgets as in a cell, in the panel's box."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ollama_magic.display.live_answer import LiveAnswer

if TYPE_CHECKING:
    from collections.abc import Callable

    from ollama_magic.conversation.reply import Reply


class PanelAnswer(LiveAnswer):
    """A view in a panel; it may join a running turn of a cell."""

    asks = True

    def __init__(self, reply: Reply, stop: Callable[[], None]) -> None:
        super().__init__("none", raised=False)
        self._build(reply, stop, styled=False)

    def begin(self, reply: Reply, stop: Callable[[], None]) -> None:
        """Do nothing: the widgets exist already."""

    def finish(self, reply: Reply) -> None:
        """Paint for the last time; the widgets stay."""
        self._last(reply)

    def refresh_settled(self, reply: Reply) -> None:
        """Update the line below the answer."""
        self._say_end(reply)

    def close(self) -> None:
        """Close the widgets, which are no longer shown."""
        self._factory.close_all()
