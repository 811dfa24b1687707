"""One answer as it comes, outside of any notebook's conversation: its chunks, and the reply that grows with them."""

from __future__ import annotations

import time
from asyncio import CancelledError
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ollama_magic.conversation.advice import notes_on, with_cure
from ollama_magic.conversation.context_window import demand_of
from ollama_magic.conversation.reply import (
    AS_JSON,
    AS_MARKDOWN,
    AS_TEXT,
    CHAT,
    COMPLETE,
    CUT,
    FAILED,
    GENERATE,
    RUNNING,
    STOPPED,
    Reply,
)
from ollama_magic.conversation.request import CHATS, Plan, messages_in, model_for
from ollama_magic.conversation.think_tags import ThinkTags
from ollama_magic.errors import AnswerCut, OllamaMagicError, ServerError
from ollama_magic.functions.stream import Stream
from ollama_magic.functions.where import session
from ollama_magic.ollama.requests import GenerateRequest

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator

    from ollama_magic.conversation.server import Server
    from ollama_magic.ollama.protocol import ChatChunk
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
        self.reply = Reply(kind=GENERATE if isinstance(request, GenerateRequest) else CHAT, form=_form(request))
        self._request = request
        self._tags = ThinkTags()
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
        reply = self.reply
        try:
            reply.model = await self._model(server)
            reply.request = request = replace(self._request, model=reply.model)
            reply.sent, reply.host = messages_in(request), server.client.address
            async with aclosing(server.stream(request)) as chunks:
                async for chunk in chunks:
                    for piece in self._read(chunk):
                        yield piece
                    if self._is_last(chunk):
                        reply.notes = await notes_on(reply, request, demand_of([], reply.sent), server)
                        return
            raise AnswerCut("The answer was cut: the stream ended without its end mark; ask again for a whole one.")
        except (CancelledError, GeneratorExit):
            if reply.request is not None and reply.state == RUNNING:
                server.left(reply.model)
            self._end(STOPPED)
            raise
        except OllamaMagicError as error:
            reply.error = await self._told(error, server)
            self._end(CUT if isinstance(error, AnswerCut) else FAILED)
            raise reply.error from None
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
        return await model_for(asked, ours.conversation(), server, self._needs())

    def _needs(self) -> frozenset[str]:
        more = {"thinking": self._request.think, "insert": getattr(self._request, "suffix", "")}
        return CHATS | {name for name, wanted in more.items() if wanted}

    def _read(self, chunk: ChatChunk) -> list[Chunk]:
        """What a chunk adds to the reply; thinking that an old server has put into the text is taken out of it."""
        now, reply = time.monotonic(), self.reply
        reply.headers_at = reply.headers_at or now
        thinking, text = chunk.thinking, chunk.content
        if thinking:
            self._tags = ThinkTags()
        if text:
            tagged, text = self._tags.feed(text)
            thinking += tagged
        if chunk.done or chunk.error or chunk.cut:
            held, rest = self._tags.close()
            thinking, text = thinking + held, text + rest
        return self._kept(thinking, text)

    def _kept(self, thinking: str, text: str) -> list[Chunk]:
        reply = self.reply
        reply.thinking_parts += [thinking] if thinking else []
        reply.text_parts += [text] if text else []
        made = ([Chunk("", thinking)] if thinking else []) + ([Chunk(text)] if text else [])
        if made:
            reply.chunks += 1
            reply.first_at = reply.first_at or time.monotonic()
        return made

    def _is_last(self, chunk: ChatChunk) -> bool:
        if chunk.error:
            raise ServerError(f"The server failed: {chunk.error.rstrip('.')}; ask again.")
        if chunk.cut:
            raise AnswerCut(f"The answer was cut: {chunk.cut}; ask again for a whole one.")
        if chunk.done:
            self.reply.stats = chunk.stats
            self.reply.done_reason = chunk.done_reason
            self._end(COMPLETE)
        return chunk.done

    def _end(self, state: str) -> None:
        if self.reply.state == RUNNING:
            self.reply.state, self.reply.ended_at = state, time.monotonic()


def _form(request: Request) -> str:
    if request.format is not None:
        return AS_JSON
    return AS_TEXT if getattr(request, "suffix", "") else AS_MARKDOWN
