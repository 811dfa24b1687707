"""The view of a panel's turn, whose real views join later."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from ollama_magic.conversation.reply import Reply

REST_S = 3600.0


class NullView:
    """Shows nothing; the views that join it have the buttons."""

    asks = True

    def begin(self, reply: Reply, stop: Callable[[], None]) -> None:
        """Open nothing."""

    def show(self, reply: Reply) -> float:
        """Paint nothing."""
        del reply
        return REST_S

    def finish(self, reply: Reply) -> None:
        """Settle nothing."""

    def refresh_settled(self, reply: Reply) -> None:
        """Settle nothing."""
