"""What a turn needs from a server and from a view."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from ollama_magic.conversation.context_window import Window
    from ollama_magic.conversation.reply import Reply
    from ollama_magic.ollama.protocol import ChatChunk, Request


class ChatServer(Protocol):
    """What a turn needs from a server; `conversation/server.py` implements it."""

    def stream(self, request: Request) -> AsyncGenerator[ChatChunk, None]:
        """Yield the chunks of an answer, the first one empty, when its headers come."""

    async def model_for(self, name: str | None, needs: frozenset[str]) -> str:
        """Return the name that will answer and has these capabilities, or raise."""

    async def digest(self, name: str, *, fresh: bool) -> str:
        """The digest of a model, empty if it is not known."""

    async def can_think(self, name: str) -> bool:
        """Whether the model is known to think."""

    async def lacks(self, name: str, needs: frozenset[str]) -> frozenset[str]:
        """Those of these capabilities that the model is known not to have."""

    def window_known(self, request: Request) -> int | None:
        """The context window of this request, if it is known without asking the server."""

    async def window(self, request: Request) -> Window:
        """The context window of this request and the largest that its model supports; asks the server briefly."""

    async def version(self) -> str:
        """The server's version, empty if it does not answer quickly."""

    async def stuck(self, model: str) -> bool:
        """Whether the model should have begun to answer by now."""

    def left(self, model: str) -> None:
        """Note that an answer of this model was abandoned."""

    def answered(self, model: str) -> None:
        """Note that the model answers."""


class View(Protocol):
    """What shows a reply; `display/` has the implementations. `asks`: it has buttons for a question of the turn."""

    @property
    def asks(self) -> bool:
        """Whether it shows the buttons of `reply.status.question`, and they are answered."""

    def begin(self, reply: Reply, stop: Callable[[], None]) -> None:
        """Open the display, in the main thread and in the cell."""

    def show(self, reply: Reply) -> float:
        """Paint the current reply; return the seconds to wait before the next paint."""

    def finish(self, reply: Reply) -> None:
        """Paint for the last time, and settle."""

    def refresh_settled(self, reply: Reply) -> None:
        """Update the settled display: a note or the saved state has changed."""
