"""The messages of a request as one value that can be continued: what all of them need is made once for each."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

from ollama_magic.ollama.message_json import body_bytes, message_body
from ollama_magic.ollama.messages import DIGEST_BYTES, Message

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class MessageList(tuple[Message, ...]):  # noqa: SLOT001 (a tuple has no slots)
    """Messages in their order, with what a request needs of all of them.

    A long history is sent with every turn, so a list that continues another one shares its JSON and its hashes.

    Attributes:
        size: The bytes of all texts as UTF-8.
        prompts: How many are the user's.
        images: The bytes of all images and sound, in order.

    Example:
        >>> MessageList([Message("user", "Hello")]).then([Message("assistant", "Hi")]).size
        7
    """

    size: int
    prompts: int
    images: tuple[bytes, ...]
    _log: _Log

    def __new__(cls, messages: Iterable[Message] = ()) -> MessageList:  # noqa: PYI034 (a list is not copied)
        """Return these messages; those that are of this class already as they are."""
        if isinstance(messages, MessageList):
            return messages
        empty = super().__new__(cls)
        empty.size, empty.prompts, empty.images, empty._log = 0, 0, (), _Log()
        return empty.then(messages)

    def then(self, more: Iterable[Message]) -> MessageList:
        """Return these messages with more behind them; raise InputError if one cannot be written as JSON."""
        new = tuple(more)
        made = super().__new__(type(self), (*self, *new))
        made.size = self.size + sum([message.size for message in new])
        made.prompts = self.prompts + sum([message.role == "user" for message in new])
        made.images = (*self.images, *(image for message in new for image in message.images))
        made._log = self._log.following(len(self), new)
        return made

    def json(self, before: bytes = b"", behind: bytes = b"") -> bytes:
        """Return their JSON objects with a comma between each two, and around them what saves copying them again."""
        return self._log.json(len(self), before, behind)

    @property
    def digests(self) -> bytes:
        """Their hashes, one behind the other."""
        return bytes(self._log.digests[: DIGEST_BYTES * len(self)])

    def __reduce__(self) -> tuple[type[MessageList], tuple[tuple[Message, ...]]]:
        """A copy in another process has a log of its own."""
        return MessageList, (tuple(self),)


class _Log:
    """The JSON and the hashes of messages. It is only appended to, so several lists can have a part of it each."""

    def __init__(self) -> None:
        self.digests = bytearray()
        self._messages: list[Message] = []
        self._pieces: list[bytearray | Message] = []  # JSON; not of large images
        self._ends: list[tuple[int, int]] = []  # for each message the number of pieces, and its end in the last one
        self._lock = Lock()

    def following(self, count: int, more: Sequence[Message]) -> _Log:
        """Return a log in which these messages follow the first `count`: this one, unless others stand there."""
        with self._lock:
            known = self._messages[count : count + len(more)]
            same = all(old.digest == new.digest for old, new in zip(known, more, strict=False))
            log = self if same else self._first(count)
            for message in more[len(known) if same else 0 :]:
                log.append(message)
        return log

    def json(self, count: int, before: bytes, behind: bytes) -> bytes:
        """The JSON of the first `count` messages between two texts."""
        with self._lock:
            pieces = self._pieces if count == len(self._messages) else self._first_pieces(count)
            texts = [piece if isinstance(piece, bytearray) else _json(piece) for piece in pieces]
            parted = [part for text in texts for part in (b", ", text)][1:]
            return b"".join([before, *parted, behind])

    def _first(self, count: int) -> _Log:
        log = _Log()
        log.digests = self.digests[: DIGEST_BYTES * count]
        log._messages, log._ends = self._messages[:count], self._ends[:count]
        log._pieces = self._first_pieces(count)
        return log

    def _first_pieces(self, count: int) -> list[bytearray | Message]:
        """Return the pieces of the first `count` messages; a text may go on behind them, so it is copied."""
        number, end = self._ends[count - 1] if count else (0, 0)
        return [
            piece[:end] if place == number and isinstance(piece, bytearray) else piece
            for place, piece in enumerate(self._pieces[:number], 1)
        ]

    def append(self, message: Message) -> None:
        """Write one more message."""
        if message.images:
            self._pieces.append(message)
            self._ends.append((len(self._pieces), 0))
        else:
            json = _json(message)
            text = self._pieces[-1] if self._pieces else None
            if isinstance(text, bytearray):
                text += b", " + json
            else:
                text = bytearray(json)
                self._pieces.append(text)
            self._ends.append((len(self._pieces), len(text)))
        self._messages.append(message)
        self.digests += message.digest


def json_of(messages: Iterable[Message], before: bytes, behind: bytes) -> bytes:
    """Return the JSON objects of messages with a comma between each two, between two texts."""
    if isinstance(messages, MessageList):
        return messages.json(before, behind)
    return b"".join([before, b", ".join(map(_json, messages)), behind])


def _json(message: Message) -> bytes:
    return body_bytes(message_body(message))
