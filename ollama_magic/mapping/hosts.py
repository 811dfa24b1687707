"""The servers that answer a map: how many rows each takes at once, and which of them is left out for a while."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

from ollama_magic.errors import OllamaMagicError, ServerError, ServerUnreachable
from ollama_magic.foreign import one_line
from ollama_magic.mapping.pace import Pace

if TYPE_CHECKING:
    from ollama_magic.conversation.server import Server
    from ollama_magic.mapping.pace import Sent

Blame = Literal["row", "busy", "host"]

STRIKES = 3  # failures in a row after which a host is left out
HOPELESS = 12  # failures in a row after which nothing is expected of a host any more
BUSY_S = 60.0  # a server that has no room for so long counts as failing
RETRY_S = (1.0, 30.0)  # until it is tried once more: at first, and at most
_BUSY = (503, 429)
_OF_THE_HOST = ("memory", "runner_ended", "load_timeout", "disk_full", "architecture", "outdated")
_GATEWAY = (502, 504, 408, *range(520, 531))


def blame_of(error: OllamaMagicError, *, alone: bool) -> Blame:
    """Return what an error is about: this row, a server without room, or a host that fails whatever it is asked.

    Args:
        error: What the server, or the connection, said.
        alone: Whether there is no other host that could do better.
    """
    if isinstance(error, ServerUnreachable):
        return "host"
    if isinstance(error, ServerError):
        if error.status in _BUSY:
            return "busy"
        if error.status is None or error.status in _GATEWAY or (error.kind in _OF_THE_HOST and not alone):
            return "host"
    return "row"


class Host:
    """One server of a map, with its pace and its failures in a row."""

    def __init__(self, server: Server, now: float, fixed: int | None) -> None:
        self.server = server
        self.name = server.client.address.url.partition("://")[2]
        self.pace = Pace(fixed)
        self.on_their_way = 0
        self.checked = False  # whether it is known to have the model
        self.alive_at = now
        self.problem = ""
        self._strikes = 0
        self._trials = 0
        self._retry_at = 0.0

    @property
    def left_out(self) -> bool:
        """Whether it has failed so often that it is only tried now and then."""
        return self._strikes >= STRIKES

    def free_at(self, now: float) -> float:
        """Return when it can take a row: a time that has passed, or infinity until one of its rows ends."""
        if self.on_their_way >= (1 if self.left_out or not self.checked else self.pace.limit):
            return math.inf
        return max(self.pace.rests_until, self._retry_at if self.left_out else 0.0, now)

    def is_lost(self, now: float, seconds: float) -> bool:
        """Whether it has not answered for so long that nothing is to be expected of it."""
        return (self.left_out and now - self.alive_at > seconds) or self._strikes >= HOPELESS

    def send(self, now: float) -> Sent:
        """Note that a row is sent."""
        self.on_their_way += 1
        return self.pace.sent(now, self.on_their_way)

    def answered(self, now: float, sent: Sent) -> None:
        """Note that a row was answered."""
        self.pace.answered(now, sent)
        self.alive(now)

    def alive(self, now: float) -> None:
        """Note that it lives, whatever it said."""
        self.alive_at, self._strikes, self._trials, self.problem = now, 0, 0, ""

    def busy(self, now: float, sent: Sent, error: OllamaMagicError) -> None:
        """Note that it refused a row for lack of room; it lives, but that may go on for ever."""
        after = getattr(error, "retry_after", None)
        self.pace.trouble(now, sent, after)
        self.alive_at += after or 0.0
        if now - self.alive_at > BUSY_S:
            self._strike(now, error)

    def late(self, now: float, sent: Sent, error: OllamaMagicError) -> None:
        """Note that a row took too long."""
        self.pace.trouble(now, sent, 0.0)
        self.alive_at = now
        self._strike(now, error)

    def failed(self, now: float, sent: Sent, error: OllamaMagicError) -> None:
        """Note that it could not be reached, broke off, or failed itself."""
        self.pace.trouble(now, sent)
        self._strike(now, error)

    def unreachable(self, now: float, error: OllamaMagicError) -> None:
        """Note that it could not be reached when the map began."""
        self._strikes = STRIKES
        self._strike(now, error)
        self.problem = f"{self.name} is left out for now: {one_line(str(error), 200)}"

    def _strike(self, now: float, error: OllamaMagicError) -> None:
        self._strikes += 1
        if self.left_out:
            self._retry_at = now + min(RETRY_S[1], RETRY_S[0] * 2**self._trials)
            self._trials += 1
            why = one_line(str(error), 200)
            self.problem = f"{self.name} failed {STRIKES} times in a row and is tried only now and then: {why}"
