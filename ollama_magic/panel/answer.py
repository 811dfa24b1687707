"""The live answer of a panel's turn: the same widgets as in a cell, in the panel's box."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ollama_magic.display.live_answer import LiveAnswer

if TYPE_CHECKING:
    from collections.abc import Callable

    from ollama_magic.conversation.reply import Reply


class PanelAnswer(LiveAnswer):
    """A view that stands in a panel; it joins a turn that may have begun elsewhere."""

    def __init__(self, reply: Reply, stop: Callable[[], None]) -> None:
        super().__init__("none", raised=False)
        self._build(reply, stop, style="")

    def begin(self, reply: Reply, stop: Callable[[], None]) -> None:
        """It has begun."""

    def finish(self, reply: Reply) -> None:
        """Paint for the last time; the widgets stay."""
        self._last(reply)

    def again(self, reply: Reply) -> None:
        """Say anew what stands under the answer."""
        self._say_end(reply)

    def close(self) -> None:
        """Close the widgets; their owner has taken them off the screen."""
        self._kit.close_all()
