"""One server as turns see it: what it says to a request, which of its models answers, and which it may have stuck."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from ollama_magic.errors import InputError, OllamaMagicError
from ollama_magic.foreign import one_line
from ollama_magic.ollama.models import ModelBook, normal_name, same_model
from ollama_magic.ollama.protocol import ChatRequest

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from ollama_magic.conversation.seams import Request
    from ollama_magic.ollama.client import OllamaClient
    from ollama_magic.ollama.protocol import ChatChunk

DIGEST_S = 1.0


class Server:
    """A client, its book of models, and the models that were left in mid-answer.

    About one left stream in some hundreds leaves a model stuck on a real server (dossier §21).
    """

    def __init__(self, client: OllamaClient) -> None:
        self.client = client
        self.book = ModelBook(client)
        self._left: set[str] = set()
        self._digests: dict[str, str] = {}
        self.windows: dict[str, int] = {}  # tokens, by the model's name as it was asked for

    async def model_for(self, name: str | None, needs: frozenset[str]) -> str:
        """Return the name that will answer; raise ModelNotFound or InputError if none can."""
        name = name or await self.book.choose()
        facts = await self.book.look_up(name, needs)
        silent = facts is not None and facts.capabilities is None  # servers before v0.6.4
        if facts and silent and "insert" in needs and facts.template and ".Suffix" not in facts.template:
            shown = one_line(name, 80)
            raise InputError(f"{shown} cannot fill in between a prompt and a suffix; leave out --suffix.")
        return name

    async def digest(self, name: str, *, fresh: bool) -> str:
        """The digest of a model, empty if it is not known; `fresh` asks anew, for a model may have been pulled."""
        if fresh or name not in self._digests:
            self._digests[name] = await self._look_up_digest(name)
        return self._digests[name]

    async def _look_up_digest(self, name: str) -> str:
        """A server that does not answer at once is not waited for: the turn is worth more than its model's digest."""
        look = asyncio.ensure_future(self.client.tags())
        try:
            await asyncio.wait({look}, timeout=DIGEST_S)
            models = look.result() if look.done() else []
        except OllamaMagicError:
            models = []
        finally:
            look.cancel()
        return next((model.digest for model in models if same_model(name, model.name)), "")

    async def learn_window(self, model: str) -> None:
        """Ask how large the context window of a loaded model is."""
        with suppress(OllamaMagicError):
            for running in await self.client.ps():
                if same_model(model, running.name) and running.context_length:
                    self.windows[model] = running.context_length

    async def can_think(self, name: str) -> bool:
        """Whether the model is known to think."""
        facts = await self.book.look_up(name)
        return bool(facts and facts.capabilities and "thinking" in facts.capabilities)

    def stream(self, request: Request) -> AsyncGenerator[ChatChunk, None]:
        """Yield the chunks, the first one empty, when the headers come; leaving it closes the connection."""
        if isinstance(request, ChatRequest):
            return self.client.stream_chat(request)
        return self.client.stream_generate(request)

    def left(self, model: str) -> None:
        """Note that an answer of this model was left in the middle."""
        self._left.add(normal_name(model))

    async def unload(self, model: str) -> None:
        """Free the memory that a model takes, which frees a stuck one too; raise ModelNotFound for an unknown one."""
        await self.book.look_up(model, frozenset())
        await self.client.unload(model)
        self.answered(model)

    def answered(self, model: str) -> None:
        """Note that this model answers, and so is not stuck."""
        self._left.discard(normal_name(model))

    async def stuck(self, model: str) -> bool:
        """Whether this model was left in mid-answer, is loaded, and so should have begun to answer by now."""
        if normal_name(model) not in self._left:
            return False
        try:
            return any(same_model(model, running.name) for running in await self.client.ps())
        except OllamaMagicError:
            return False
