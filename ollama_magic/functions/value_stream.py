"""The elements of an answer that is a list, as they are finished: `stream(…, format=list[T])`."""

from __future__ import annotations

from collections import deque
from contextlib import closing
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from ollama_magic.answer_types.elements import GrowingList

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Generator, Iterator

    from ollama_magic.answer_types.answer_format import AnswerFormat
    from ollama_magic.conversation.reply import Reply
    from ollama_magic.functions.answers import Chunk

T = TypeVar("T")


class ChunkStream(Protocol):
    """An answer that comes in pieces."""

    reply: Reply[Any]

    def __iter__(self) -> Iterator[Chunk]: ...
    def __aiter__(self) -> AsyncIterator[Chunk]: ...


S = TypeVar("S", bound=ChunkStream)


class ValueStream(Generic[T]):
    """The elements of a list, each as soon as it is finished, by `for` or `async for`; `reply` grows with them.

    They are validated in the thread that takes them. The first that does not fit raises AnswerInvalid.
    """

    def __init__(self, answer: ChunkStream, element: AnswerFormat[T]) -> None:
        self._answer = answer
        self._element = element
        self.reply: Reply[list[T]] = answer.reply

    def __iter__(self) -> Iterator[T]:
        return self._in_this_thread()

    def __aiter__(self) -> AsyncIterator[T]:
        return _OnThisLoop(self, self._answer.__aiter__(), self.growing())

    def whole(self) -> Reply[list[T]]:
        """Wait for the complete answer; anything less raises."""
        for _ in self._answer:
            pass
        return self.reply

    def __await__(self) -> Generator[Any, None, Reply[list[T]]]:
        return self._awaited().__await__()

    async def _awaited(self) -> Reply[list[T]]:
        async for _ in self._answer:
            pass
        return self.reply

    def _in_this_thread(self) -> Generator[T, None, None]:
        growing = self.growing()
        chunks: Any = self._answer.__iter__()
        with closing(chunks):
            for chunk in chunks:
                yield from growing.add(chunk)
        yield from self.left(growing)

    def growing(self) -> GrowingList[T]:
        """Return what makes elements of the text."""
        asked = self.reply.format
        return GrowingList(self._element, asked.label if asked is not None else self._element.label)

    def left(self, growing: GrowingList[T]) -> list[T]:
        """Return the elements that only the whole answer gives: one in a fence; AnswerInvalid if it is no list."""
        return [] if growing.closed and not growing.rest.strip() else self.reply.value[growing.count :]


class _OnThisLoop(Generic[T]):
    """What `async for` takes from; a loop that is left drops it, and with it the answer's own iterator."""

    def __init__(self, stream: ValueStream[T], chunks: AsyncIterator[Chunk], growing: GrowingList[T]) -> None:
        self._stream, self._chunks, self._growing = stream, chunks, growing
        self._ready: deque[T] = deque()
        self._ended = False

    def __aiter__(self) -> AsyncIterator[T]:
        return self

    async def __anext__(self) -> T:
        while not self._ready and not self._ended:
            try:
                self._ready += self._growing.add(await self._chunks.__anext__())
            except StopAsyncIteration:
                self._ended = True
                self._ready += self._stream.left(self._growing)
        if not self._ready:
            raise StopAsyncIteration
        return self._ready.popleft()


def values_of(answer: S) -> S | ValueStream[Any]:
    """Return the stream of the elements, where the answer is a list of a type; else the answer."""
    element = answer.reply.format.element if answer.reply.format is not None else None
    return answer if element is None else ValueStream(answer, element)
