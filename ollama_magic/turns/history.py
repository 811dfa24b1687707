"""The messages of earlier turns, kept between requests: a long history is sent with every turn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ollama_magic.ollama.message_list import MessageList
from ollama_magic.turns.turn_messages import messages_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ollama_magic.turns.turn_value import Turn


class History:
    """The messages of the turns that were sent last; turns that only follow them are added to them."""

    def __init__(self) -> None:
        self._system = ""
        self._turns: list[Turn] = []
        self._messages = MessageList()

    def messages(self, turns: Sequence[Turn], system: str) -> MessageList:
        """Return the system text, if any, and these turns with their steps, as `messages_of` does."""
        known = len(self._turns)
        if system != self._system or list(turns[:known]) != self._turns:
            known, self._messages = 0, MessageList(messages_of((), system))
        self._messages = self._messages.then(messages_of(turns[known:]))
        self._system, self._turns = system, list(turns)
        return self._messages
