"""What was sent as the newest turns of this kernel, by their numbers: the very requests, and where they went."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection

    from ollama_magic.conversation.reply import Reply
    from ollama_magic.ollama.address import Address
    from ollama_magic.ollama.requests import Request

MOST = 200  # turns


class Letter(NamedTuple):
    """A request, and the server that it went to."""

    request: Request
    host: Address


class SentTurns:
    """The newest requests; what is erased is in none of them."""

    def __init__(self) -> None:
        self._letters: dict[int, Letter] = {}
        self.newest: Request | None = None  # that of a turn which leaves no trace, too

    def note(self, number: int, reply: Reply) -> None:
        """Remember what was sent as the turn of that number."""
        self.newest = reply.request or self.newest
        if reply.request is not None and reply.host is not None:
            self._letters[number] = Letter(reply.request, reply.host)
        for old in list(self._letters)[:-MOST]:
            del self._letters[old]

    def of(self, number: int) -> Letter | None:
        """What was sent as that turn, if it is known."""
        return self._letters.get(number)

    def erase(self, numbers: Collection[int]) -> None:
        """Forget these turns, and all that were made since: their requests may say what those said."""
        for number in [number for number in self._letters if number >= min(numbers)]:
            del self._letters[number]
        self.newest = next((letter.request for letter in reversed(self._letters.values())), None)
