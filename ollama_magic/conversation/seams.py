"""What a turn asks of a server and of a view; it knows no more of either."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from ollama_magic.conversation.context_window import Window
    from ollama_magic.conversation.reply import Reply
    from ollama_magic.ollama.protocol import ChatChunk
    from ollama_magic.ollama.requests import Request


class ChatServer(Protocol):
    """What a turn asks of a server; `conversation/server.py` is the real one."""

    def stream(self, request: Request) -> AsyncGenerator[ChatChunk, None]:
        """Yield the chunks of an answer, the first one empty, when its headers come."""

    async def model_for(self, name: str | None, needs: frozenset[str]) -> str:
        """Return the name that will answer and has these capabilities, or raise."""

    async def digest(self, name: str, *, fresh: bool) -> str:
        """The digest of a model, empty if it is not known."""

    async def can_think(self, name: str) -> bool:
        """Whether the model is known to think."""

    def window_known(self, request: Request) -> int | None:
        """The context window that this request has, as far as that is known without asking."""

    async def window(self, request: Request) -> Window:
        """The context window that this request has and the largest that its model can have, asked for in a moment."""

    async def version(self) -> str:
        """The server's version, empty if it does not say so in a moment."""

    async def stuck(self, model: str) -> bool:
        """Whether the model should have begun to answer by now."""

    def left(self, model: str) -> None:
        """Note that an answer was left in the middle."""

    def answered(self, model: str) -> None:
        """Note that the model answers."""


class View(Protocol):
    """What shows a reply; widget, cell and terminal differ in `display/` only."""

    def begin(self, reply: Reply, stop: Callable[[], None]) -> None:
        """Open the display, in the main thread and in the cell."""

    def show(self, reply: Reply) -> float:
        """Paint the reply as it is; return the seconds to rest before the next paint."""

    def finish(self, reply: Reply) -> None:
        """Paint for the last time, and settle."""

    def again(self, reply: Reply) -> None:
        """Settle once more: something that is told of the reply has changed."""
