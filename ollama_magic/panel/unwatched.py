"""The view of a turn that has no place of its own: whoever watches it joins."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from ollama_magic.conversation.reply import Reply

REST_S = 3600.0


class Unwatched:
    """Shows nothing."""

    def begin(self, reply: Reply, stop: Callable[[], None]) -> None:
        """Open nothing."""

    def show(self, reply: Reply) -> float:
        """Paint nothing."""
        del reply
        return REST_S

    def finish(self, reply: Reply) -> None:
        """Settle nothing."""

    def again(self, reply: Reply) -> None:
        """Settle nothing."""
