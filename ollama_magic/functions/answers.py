"""One streamed answer outside any notebook: its chunks, and the reply that grows with them."""

from __future__ import annotations

import time
from asyncio import CancelledError
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Generic

from ollama_magic.conversation.advice import explain_window_error, notes_on
from ollama_magic.conversation.context_window import demand_of
from ollama_magic.conversation.media import check_size
from ollama_magic.conversation.reply import CHAT, COMPLETE, GENERATE, RUNNING, STOPPED, Reply
from ollama_magic.conversation.reply_accumulator import ReplyAccumulator, is_last
from ollama_magic.conversation.request import Plan, form_of, messages_in, model_for, needs_of, settings_of
from ollama_magic.conversation.tool_loop import ToolLoop
from ollama_magic.conversation.tool_rounds import sees
from ollama_magic.errors import AnswerCut, OllamaMagicError, ServerError
from ollama_magic.functions.attached import attachments_from, request_with
from ollama_magic.functions.caller_run import CallerRun
from ollama_magic.functions.sessions import session
from ollama_magic.functions.stream import Stream
from ollama_magic.ollama.protocol import ChatRequest, GenerateRequest

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator, Iterator, Sequence

    from typing_extensions import TypeVar

    from ollama_magic.answer_types.answer_format import AnswerFormat
    from ollama_magic.conversation.server import Server
    from ollama_magic.ollama.protocol import Request
    from ollama_magic.tools.tool import Tool

    V = TypeVar("V", default=Any)
else:
    from typing import TypeVar

    V = TypeVar("V")


class Chunk(str):
    """A piece of an answer's text; where the model thinks, the text is empty and `thinking` has the piece."""

    __slots__ = ("thinking",)
    thinking: str

    def __new__(cls, text: str = "", thinking: str = "") -> Chunk:  # noqa: D102, PYI034 - Self needs Python 3.11
        made = super().__new__(cls, text)
        made.thinking = thinking
        return made


class AnswerStream(Stream[Chunk], Generic[V]):
    """An answer, chunk by chunk; `reply` grows with it, and `await` returns it complete."""

    def __init__(
        self,
        request: Request,
        host: str | None = None,
        answer_format: AnswerFormat[V] | None = None,
        tools: Sequence[Tool] = (),
        attach: object = None,
    ) -> None:
        super().__init__(host)
        attached = attachments_from(attach, session()) if attach is not None else ()
        self.reply: Reply[V] = Reply(
            prompt=messages_in(request)[-1].content,
            kind=GENERATE if isinstance(request, GenerateRequest) else CHAT,
            form=form_of(request.format, _suffix(request)),
            format=answer_format,
            attachments=attached,
        )
        self._request = request_with(request, attached)
        check_size(messages_in(self._request))
        self._tools = tools
        self.on_end: Callable[[Reply], None] = lambda _: None

    def whole(self) -> Reply[V]:
        """Wait for the complete answer; raise if it ends otherwise."""
        for _ in self:
            pass
        return self.reply

    def __await__(self) -> Generator[Any, None, Reply[V]]:
        return self._awaited().__await__()

    async def _awaited(self) -> Reply[V]:
        async for _ in self:
            pass
        return self.reply

    def _in_this_thread(self) -> Generator[Chunk, None, None]:
        yield from super()._in_this_thread()
        if self.reply.state != COMPLETE:  # `%reload_ext` closes the loop, and the stream ends as if it were whole
            raise AnswerCut("The answer was stopped: ollama_magic was unloaded meanwhile; ask again.")

    async def _pieces(self, server: Server) -> AsyncGenerator[Chunk | CallerRun, None]:
        reply = self.reply
        try:
            request = replace(self._request, model=await self._model(server))
            reply.request, reply.sent, reply.host = request, messages_in(request), server.client.address
            reply.settings = settings_of(request, host=reply.host.url)
            async with aclosing(self._rounds(server, request)) as pieces:
                async for piece in pieces:
                    yield piece
            reply.notes += await notes_on(reply, request, demand_of([], reply.sent), server)
            reply.end(COMPLETE)
        except (CancelledError, GeneratorExit):
            if reply.request is not None and reply.state == RUNNING:
                server.left(reply.model)
            reply.end(STOPPED)
            raise
        except OllamaMagicError as error:
            shown = await self._explained(error, server)
            reply.fail(shown)
            raise shown from None
        finally:
            self.on_end(reply)

    async def _rounds(self, server: Server, request: Request) -> AsyncGenerator[Chunk | CallerRun, None]:
        """Yield the chunks of an answer, and the tool calls for the caller's thread; then those of the next answer."""
        accumulator = ReplyAccumulator(self.reply, "retry", saves=False)
        loop = ToolLoop(self.reply, self._tools, session().mask, session().settings().tool_rounds)
        asked = request
        while True:
            async with aclosing(self._answer(server, asked, accumulator)) as chunks:
                async for chunk in chunks:
                    yield chunk
            found = accumulator.take_round()
            if not loop.goes_on(found, self.reply.done_reason) or not isinstance(request, ChatRequest):
                return
            for run in loop.runs(*found):
                yield CallerRun(run)
            if loop.has_images and not await sees(server, request.model):
                loop.leave_out_images()
            asked = loop.next_request(request)

    async def _answer(
        self, server: Server, request: Request, accumulator: ReplyAccumulator
    ) -> AsyncGenerator[Chunk, None]:
        async with aclosing(server.stream(request)) as chunks:
            async for chunk in chunks:
                self.reply.status.headers_at = self.reply.status.headers_at or time.monotonic()
                for piece in _pieces_of(*accumulator.add(chunk)):
                    yield piece
                if is_last(chunk):
                    for piece in _pieces_of(*accumulator.flush()):
                        yield piece
                    accumulator.end(chunk)
                    return
        raise accumulator.cut()

    async def _explained(self, error: OllamaMagicError, server: Server) -> OllamaMagicError:
        request = self.reply.request
        if request is None or not isinstance(error, ServerError):
            return error
        return await explain_window_error(error, request, demand_of([], self.reply.sent), server)

    async def _model(self, server: Server) -> str:
        """Return the requested model, else the one that `%%chat` would use."""
        ours = session()
        asked = Plan("", self._request.model or None, ours.settings().model or None)
        images = messages_in(self._request).images
        needs = needs_of(self._request.think, _suffix(self._request), self._tools, images)
        return await model_for(asked, ours.conversation(), server, needs)


def _suffix(request: Request) -> str:
    return getattr(request, "suffix", "")


def _pieces_of(thinking: str, text: str) -> Iterator[Chunk]:
    if thinking:
        yield Chunk("", thinking)
    if text:
        yield Chunk(text)
