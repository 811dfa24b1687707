"""What a panel asks of the notebook: the acts of its buttons and menus. The magics know how they are done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ollama_magic.conversation.handle import TurnHandle
    from ollama_magic.conversation.remembered import Turn


class Desk(Protocol):
    """Any of these may be called from any thread; the lines that come back are for people.

    What cannot be done raises an OllamaMagicError.
    """

    def send(self, prompt: str, instead_of: Turn | None = None) -> TurnHandle:
        """Begin a turn without a cell; that one and all behind it are set aside in the same step."""

    def undo(self) -> str:
        """Take the newest step back, and say what it was."""

    def begin_anew(self) -> str:
        """Go on in a new conversation."""

    def switch(self, name: str) -> str:
        """Go on in that conversation."""

    def choose_model(self, name: str) -> str:
        """Tell the conversation's model; an empty name takes it back."""

    async def models(self) -> list[str]:
        """The names of the models that can chat."""
