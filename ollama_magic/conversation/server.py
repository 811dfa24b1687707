"""One server as turns see it: what it says to a request, which of its models answers, and which it may have stuck."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from ollama_magic.conversation.context_window import Window
from ollama_magic.errors import InputError, OllamaMagicError
from ollama_magic.foreign import one_line
from ollama_magic.ollama.models import ModelBook, normal_name, same_model
from ollama_magic.ollama.protocol import ChatRequest

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Coroutine

    from ollama_magic.ollama.client import OllamaClient
    from ollama_magic.ollama.protocol import ChatChunk, RunningModel
    from ollama_magic.ollama.requests import Request

T = TypeVar("T")

DIGEST_S, LOOK_S = 1.0, 0.5


class Server:
    """A client, its book of models, and the models that were left in mid-answer.

    About one left stream in some hundreds leaves a model stuck on a real server (dossier §21).
    """

    def __init__(self, client: OllamaClient) -> None:
        self.client = client
        self.book = ModelBook(client)
        self._left: set[str] = set()
        self._digests: dict[str, str] = {}
        self.windows: dict[str, Window] = {}  # by the model's name as it was asked for

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
        models = await self._soon(self.client.tags(), DIGEST_S, [])
        return next((model.digest for model in models if same_model(name, model.name)), "")

    async def _soon(self, look_up: Coroutine[Any, Any, T], seconds: float, otherwise: T) -> T:
        """A server that does not answer at once is not waited for: the turn is worth more than what is told of it."""
        look = asyncio.ensure_future(look_up)
        try:
            await asyncio.wait({look}, timeout=seconds)
            return look.result() if look.done() else otherwise
        except OllamaMagicError:
            return otherwise
        finally:
            look.cancel()

    async def version(self) -> str:
        """The server's version, empty if it does not say so at once."""
        return await self._soon(self.client.version(), LOOK_S, "")

    def window_known(self, request: Request) -> int | None:
        """The context window that this request has, as far as that is known without asking."""
        told = request.options.get("num_ctx")
        return told if isinstance(told, int) else self.windows.get(request.model, Window()).size

    async def window(self, request: Request) -> Window:
        """The context window that this request has and the largest that its model can have."""
        found = await self._soon(self._window(request.model), LOOK_S, Window())
        return found if found.size else Window(self.window_known(request), found.most)

    async def learn_window(self, request: Request) -> None:
        """Note how large the context window of a model is that was loaded without being told one."""
        found = await self._window(request.model)
        if found.size and "num_ctx" not in request.options:
            self.windows[request.model] = found

    async def _window(self, model: str) -> Window:
        facts = None
        with suppress(OllamaMagicError):
            facts = await self.book.look_up(model, frozenset())
        runner = await self._runner(model)
        return Window(runner.context_length if runner else None, facts.context_length if facts else None)

    async def _runner(self, model: str) -> RunningModel | None:
        """What is loaded for a model; models of the same weights share a runner, which has the name of one of them."""
        running: list[RunningModel] = []
        with suppress(OllamaMagicError):
            running = await self.client.ps()
        found = next((one for one in running if same_model(model, one.name)), None)
        for one in running if found is None else ():
            if await self.book.same_weights(one.name, model):
                return one
        return found

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
        return normal_name(model) in self._left and await self._runner(model) is not None
