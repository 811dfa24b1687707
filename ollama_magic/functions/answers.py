"""One answer as it comes, outside of any notebook's conversation: its chunks, and the reply that grows with them."""

from __future__ import annotations

import time
from asyncio import CancelledError
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ollama_magic.conversation.advice import notes_on, with_cure
from ollama_magic.conversation.context_window import demand_of
from ollama_magic.conversation.growth import Growth, is_last
from ollama_magic.conversation.reply import CHAT, GENERATE, RUNNING, STOPPED, Reply
from ollama_magic.conversation.request import Plan, form_of, messages_in, model_for, needs_of
from ollama_magic.errors import OllamaMagicError, ServerError
from ollama_magic.functions.stream import Stream
from ollama_magic.functions.where import session
from ollama_magic.ollama.requests import GenerateRequest

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator, Iterator

    from ollama_magic.conversation.server import Server
    from ollama_magic.ollama.requests import Request


class Chunk(str):
    """A piece of an answer's text; where the model thinks, the text is empty and `thinking` has the piece."""

    __slots__ = ("thinking",)
    thinking: str

    def __new__(cls, text: str = "", thinking: str = "") -> Chunk:  # noqa: D102, PYI034 - Self needs Python 3.11
        made = super().__new__(cls, text)
        made.thinking = thinking
        return made


class AnswerStream(Stream[Chunk]):
    """An answer, chunk by chunk; `reply` grows with it, and `await` gives it whole."""

    def __init__(self, request: Request, host: str | None = None) -> None:
        super().__init__(host)
        self.reply = Reply(
            kind=GENERATE if isinstance(request, GenerateRequest) else CHAT,
            form=form_of(request.format, _suffix(request)),
        )
        self._request = request
        self.on_end: Callable[[Reply], None] = lambda _: None

    def whole(self) -> Reply:
        """Wait for the complete answer; anything less raises."""
        for _ in self:
            pass
        return self.reply

    def __await__(self) -> Generator[Any, None, Reply]:
        return self._awaited().__await__()

    async def _awaited(self) -> Reply:
        async for _ in self:
            pass
        return self.reply

    async def _pieces(self, server: Server) -> AsyncGenerator[Chunk, None]:
        reply, growth = self.reply, Growth(self.reply, "ask again", keeps=False)
        try:
            reply.model = await self._model(server)
            reply.request = request = replace(self._request, model=reply.model)
            reply.sent, reply.host = messages_in(request), server.client.address
            async with aclosing(server.stream(request)) as chunks:
                async for chunk in chunks:
                    reply.headers_at = reply.headers_at or time.monotonic()
                    for piece in _pieces_of(*growth.take(chunk)):
                        yield piece
                    if is_last(chunk):
                        for piece in _pieces_of(*growth.let_go()):
                            yield piece
                        growth.end(chunk)
                        reply.notes = await notes_on(reply, request, demand_of([], reply.sent), server)
                        return
            raise growth.cut()
        except (CancelledError, GeneratorExit):
            if reply.request is not None and reply.state == RUNNING:
                server.left(reply.model)
            reply.end(STOPPED)
            raise
        except OllamaMagicError as error:
            told = await self._told(error, server)
            reply.fail(told)
            raise told from None
        finally:
            self.on_end(reply)

    async def _told(self, error: OllamaMagicError, server: Server) -> OllamaMagicError:
        request = self.reply.request
        if request is None or not isinstance(error, ServerError):
            return error
        return await with_cure(error, request, demand_of([], self.reply.sent), server)

    async def _model(self, server: Server) -> str:
        """The one that was asked for, else the one that `%%chat` would ask."""
        ours = session()
        asked = Plan("", self._request.model or None, ours.settings().model or None)
        needs = needs_of(self._request.think, _suffix(self._request))
        return await model_for(asked, ours.conversation(), server, needs)


def _suffix(request: Request) -> str:
    return getattr(request, "suffix", "")


def _pieces_of(thinking: str, text: str) -> Iterator[Chunk]:
    if thinking:
        yield Chunk("", thinking)
    if text:
        yield Chunk(text)
