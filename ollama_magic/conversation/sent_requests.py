"""The requests of this kernel's newest turns, by turn number."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection

    from ollama_magic.conversation.reply import Reply
    from ollama_magic.ollama.address import Address
    from ollama_magic.ollama.protocol import ChatRequest, Request
    from ollama_magic.tools.tool import Tool

LIMIT = 200  # turns


class SentRequest(NamedTuple):
    """A request, its server (None: not known), notes about it, and the functions that it lists."""

    request: ChatRequest
    host: Address | None = None
    notes: tuple[str, ...] = ()
    tools: tuple[Tool, ...] = ()


class SentRequests:
    """The newest requests, without erased text."""

    def __init__(self) -> None:
        self._requests: dict[int, SentRequest] = {}
        self.newest: Request | None = None  # including one whose turn is not stored

    def note(self, number: int, reply: Reply) -> None:
        """Remember what was sent as the turn of that number."""
        from ollama_magic.ollama.protocol import ChatRequest

        self.newest = reply.request or self.newest
        if isinstance(reply.request, ChatRequest):
            self._requests[number] = SentRequest(reply.request, reply.host, tools=reply.tools)
        for old in list(self._requests)[:-LIMIT]:
            del self._requests[old]

    def of(self, number: int) -> SentRequest | None:
        """What was sent as that turn, if it is known."""
        return self._requests.get(number)

    def has(self, request: Request | None) -> bool:
        """Whether this request is known, and none of its text was erased."""
        return request is not None and any(
            one is request for one in (self.newest, *(sent.request for sent in self._requests.values()))
        )

    def erase(self, numbers: Collection[int]) -> None:
        """Forget these turns and all later ones: their requests may contain the same text."""
        for number in [number for number in self._requests if number >= min(numbers)]:
            del self._requests[number]
        self.newest = next((sent.request for sent in reversed(self._requests.values())), None)
