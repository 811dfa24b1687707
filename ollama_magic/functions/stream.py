"""Streams: `for` in any thread, `async for` on the running loop."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, Generic, TypeVar

from ollama_magic.errors import AnswerCut, InputError, TurnStopped
from ollama_magic.functions.caller_run import CallerRun
from ollama_magic.functions.sessions import server_of_this_loop, session
from ollama_magic.loop_thread import MainThreadWatch

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
    from typing import TypeAlias

    from ollama_magic.conversation.server import Server

    Arrived: TypeAlias = "asyncio.Queue[T | None]"

T = TypeVar("T")

_CLOSE_S = 0.01  # between two checks whether a cancelled piece has ended


class Stream(Generic[T]):
    """An iterable that sends its request when the iteration begins, once; leaving it closes the connection.

    An incomplete stream raises an OllamaMagicError, or TurnStopped after ■.
    """

    def __init__(self, host: str | None = None) -> None:
        self._host = host
        self._begun = False

    def _pieces(self, server: Server) -> AsyncGenerator[T | CallerRun, None]:
        """Yield the pieces, and the tool calls that the caller's thread runs."""
        raise NotImplementedError

    def __iter__(self) -> Iterator[T]:
        return self._in_this_thread()

    def __aiter__(self) -> AsyncIterator[T]:
        self._begin()
        arrived: Arrived[T] = asyncio.Queue()
        return _OnThisLoop(asyncio.ensure_future(self._pump(arrived)), arrived)

    def _in_this_thread(self) -> Generator[T, None, None]:
        """Fetch each piece on the private loop, so that this works while another loop runs."""
        self._begin()
        ours = session()
        pieces = self._pieces(ours.server(self._host))
        watch = MainThreadWatch()  # one for all: that of a single piece begins too late to see ■
        try:
            while (piece := ours.call(_next(pieces))) is not None:
                watch.check()
                if isinstance(piece, CallerRun):
                    piece.run()
                else:
                    yield piece
        except KeyboardInterrupt:
            raise TurnStopped("Stopped; the answer is incomplete.") from None
        finally:
            ours.loop_thread.finish(_closed(pieces))

    async def _pump(self, arrived: Arrived[T]) -> None:
        """Fetch the pieces in a task of the caller's loop, which also closes the connection."""
        try:
            async with server_of_this_loop(self._host) as server, aclosing(self._pieces(server)) as pieces:
                async for piece in pieces:
                    if isinstance(piece, CallerRun):
                        await piece.arun()
                    else:
                        arrived.put_nowait(piece)
        finally:
            arrived.put_nowait(None)

    def _begin(self) -> None:
        if self._begun:
            raise InputError("This stream was already used; call the function again for a new one.")
        self._begun = True


class _OnThisLoop(Generic[T]):
    """The iterator of `async for`; the fetching task is cancelled when it is dropped.

    An async generator would be closed by a task of its own, which `asyncio.run` cancels before it begins.
    """

    def __init__(self, fetching: asyncio.Task[None], arrived: Arrived[T]) -> None:
        self._fetching, self._arrived = fetching, arrived
        fetching.add_done_callback(_retrieve_exception)

    def __aiter__(self) -> AsyncIterator[T]:
        return self

    async def __anext__(self) -> T:
        try:
            piece = await self._arrived.get()
        except asyncio.CancelledError:
            self._fetching.cancel()
            raise
        if piece is None:
            self._arrived.put_nowait(None)  # for whoever asks once more, or is waiting as well
            await asyncio.wait({self._fetching})
            if self._fetching.cancelled():  # not CancelledError: nobody has cancelled the caller
                raise AnswerCut("This stream was stopped; call the function again for a new one.")
            self._fetching.result()
            raise StopAsyncIteration
        return piece

    def __del__(self) -> None:
        if not self._fetching.done():
            with suppress(RuntimeError):  # the loop and its task are closed
                self._fetching.get_loop().call_soon_threadsafe(self._fetching.cancel)


def _retrieve_exception(task: asyncio.Task[None]) -> None:
    """Retrieve an error that nobody waits for, else asyncio prints it."""
    if not task.cancelled():
        task.exception()


async def _next(pieces: AsyncGenerator[T, None]) -> T | None:
    try:
        return await pieces.__anext__()
    except StopAsyncIteration:
        return None


async def _closed(pieces: AsyncGenerator[T, None]) -> None:
    """Close a generator, even if the cancellation of its last piece is still pending."""
    for _ in range(100):
        with suppress(RuntimeError):
            await pieces.aclose()
            return
        await asyncio.sleep(_CLOSE_S)
