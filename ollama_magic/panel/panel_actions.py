"""The actions of a panel's buttons and menus, which `commands` implements."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ollama_magic.conversation.handle import TurnHandle
    from ollama_magic.turns.attachment import Attachment
    from ollama_magic.turns.turn_value import Turn


class PanelActions(Protocol):
    """Actions that may be called from any thread; their results are messages for the user.

    An action that fails raises an OllamaMagicError.
    """

    def send(self, prompt: str, instead_of: Turn | None = None, attachments: tuple[Attachment, ...] = ()) -> TurnHandle:
        """Start a turn without a cell; `instead_of` and all later turns are set aside in the same step."""

    def keep(self, turn: Turn, column: Turn) -> str:
        """Remember one of a turn's alternatives instead of it, and say what that makes of later answers."""

    def undo(self) -> str:
        """Undo the newest step, and say what it was."""

    def begin_anew(self) -> str:
        """Continue in a new conversation."""

    def switch(self, name: str) -> str:
        """Continue in that conversation."""

    def choose_model(self, name: str) -> str:
        """Set the conversation's model; an empty name removes the setting."""

    async def models(self) -> list[str]:
        """The names of the models that can chat."""
