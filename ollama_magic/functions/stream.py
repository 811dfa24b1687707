"""What comes piece by piece: `for` in any thread, `async for` on the loop that runs, or whole."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, Generic, TypeVar

from ollama_magic.errors import InputError, TurnStopped
from ollama_magic.functions.where import server_of_this_loop, session

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
    from typing import TypeAlias

    from ollama_magic.conversation.server import Server

    Arrived: TypeAlias = "asyncio.Queue[T | None]"

T = TypeVar("T")

_CLOSE_S = 0.01  # between two looks whether a cancelled piece has ended


class Stream(Generic[T]):
    """Pieces that are asked for when the iteration begins, once; who breaks off hangs up.

    Only what is whole ends quietly: else the iteration raises an OllamaMagicError, and TurnStopped after ■.
    """

    def __init__(self, host: str | None = None) -> None:
        self._host = host
        self._begun = False

    def _pieces(self, server: Server) -> AsyncGenerator[T, None]:
        raise NotImplementedError

    def __iter__(self) -> Iterator[T]:
        return self._in_this_thread()

    def __aiter__(self) -> AsyncIterator[T]:
        self._begin()
        arrived: Arrived[T] = asyncio.Queue()
        return _OnThisLoop(asyncio.ensure_future(self._pump(arrived)), arrived)

    def _in_this_thread(self) -> Generator[T, None, None]:
        """Take piece by piece from the private loop, so that it works within a running one too."""
        self._begin()
        ours = session()
        pieces = self._pieces(ours.server(self._host))
        try:
            while (piece := ours.call(_next(pieces))) is not None:
                yield piece
        except KeyboardInterrupt:
            raise TurnStopped("Stopped; the answer is not whole.") from None
        finally:
            ours.call(_closed(pieces))

    async def _pump(self, arrived: Arrived[T]) -> None:
        """Fetch the pieces, as a task of the caller's loop: whatever ends it, the connection is closed within it."""
        try:
            async with server_of_this_loop(self._host) as server, aclosing(self._pieces(server)) as pieces:
                async for piece in pieces:
                    arrived.put_nowait(piece)
        finally:
            arrived.put_nowait(None)

    def _begin(self) -> None:
        if self._begun:
            raise InputError("This has been streamed already; call the function again to ask again.")
        self._begun = True


class _OnThisLoop(Generic[T]):
    """What `async for` takes from; a loop that is left drops it, and then the task that fetches is cancelled.

    An async generator would be closed by a task of its own then, which `asyncio.run` cancels before it has begun.
    """

    def __init__(self, fetching: asyncio.Task[None], arrived: Arrived[T]) -> None:
        self._fetching, self._arrived = fetching, arrived
        fetching.add_done_callback(_looked_at)

    def __aiter__(self) -> AsyncIterator[T]:
        return self

    async def __anext__(self) -> T:
        try:
            piece = await self._arrived.get()
        except asyncio.CancelledError:
            self._fetching.cancel()
            raise
        if piece is None:
            await self._fetching
            raise StopAsyncIteration
        return piece

    def __del__(self) -> None:
        if not self._fetching.done():
            with suppress(RuntimeError):  # the loop is closed, and the task with it
                self._fetching.get_loop().call_soon_threadsafe(self._fetching.cancel)


def _looked_at(task: asyncio.Task[None]) -> None:
    """Take note of an error that nobody waits for any more, else asyncio prints it."""
    if not task.cancelled():
        task.exception()


async def _next(pieces: AsyncGenerator[T, None]) -> T | None:
    try:
        return await pieces.__anext__()
    except StopAsyncIteration:
        return None


async def _closed(pieces: AsyncGenerator[T, None]) -> None:
    """Close a generator, also one whose last piece was cancelled a moment ago and has not heard of it yet."""
    for _ in range(100):
        with suppress(RuntimeError):
            await pieces.aclose()
            return
        await asyncio.sleep(_CLOSE_S)
