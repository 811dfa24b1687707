"""Reading an answer as a turn does: text, thinking, how it ended, and the one line about it."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ollama_magic.errors import OllamaMagicError
from ollama_magic.ollama.address import parse_address
from ollama_magic.ollama.client import Limits, OllamaClient
from ollama_magic.ollama.messages import Message
from ollama_magic.ollama.protocol import ChatChunk, ChatRequest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

REQUEST = ChatRequest("m", (Message("user", "hi"),))
SHORT = Limits(connect_loopback=2, first_byte=2, silence=0.3, look=2)


@dataclass
class Answer:
    """What came of one request; state is complete, cut or failed."""

    text: str = ""
    thinking: str = ""
    state: str = "cut"
    line: str = ""
    error: BaseException | None = None
    chunks: list[ChatChunk] = field(default_factory=list)

    def take(self, chunk: ChatChunk) -> None:
        """Append what a chunk brings."""
        self.chunks.append(chunk)
        self.text += chunk.content
        self.thinking += chunk.thinking
        if chunk.done:
            self.state = "complete"
        if chunk.error is not None:
            self.state, self.line = "failed", chunk.error
        if chunk.cut:
            self.line = chunk.cut


async def read(chunks: AsyncIterator[ChatChunk]) -> Answer:
    """Read a stream to its end."""
    answer = Answer()
    try:
        async for chunk in chunks:
            answer.take(chunk)
    except OllamaMagicError as error:
        answer.state, answer.line, answer.error = "failed", str(error), error
    return answer


def ask(address: str, limits: Limits = SHORT, request: ChatRequest = REQUEST, **settings: object) -> Answer:
    """Put one request to the server at an address, with a client of its own."""

    async def run() -> Answer:
        client = OllamaClient(parse_address(address), limits=limits, **settings)
        try:
            return await read(client.stream_chat(request))
        finally:
            await client.aclose()

    return asyncio.run(run())


def line(content: str = "", *, done: bool = False, **more: object) -> bytes:
    """Return one line of a stream."""
    value = {"model": "m", "message": {"role": "assistant", "content": content}, "done": done, **more}
    return json.dumps(value).encode() + b"\n"


END = line(done=True, done_reason="stop")


def joined(chunks: Iterable[ChatChunk]) -> str:
    """Return the text of chunks."""
    return "".join(chunk.content for chunk in chunks)


def one_readable(text: str) -> bool:
    """Whether this is one line that a person can read: no newline, no class of another library, not endless."""
    foreign = ("httpx", "httpcore", "Traceback", "Errno", "Error(", "0x", "h11", "anyio")
    return 0 < len(text) <= 500 and text.isprintable() and not any(word in text for word in foreign)
