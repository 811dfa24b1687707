"""One server as turns use it: streams, model look-ups, context windows, and models that may be stuck."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from ollama_magic.conversation.context_window import Window
from ollama_magic.errors import InputError, OllamaMagicError
from ollama_magic.foreign import one_line
from ollama_magic.ollama.catalog import ModelCatalog
from ollama_magic.ollama.model_names import normal_name, same_model
from ollama_magic.ollama.protocol import ChatRequest

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Coroutine

    from ollama_magic.ollama.client import OllamaClient
    from ollama_magic.ollama.protocol import ChatChunk, Request, RunningModel

T = TypeVar("T")

DIGEST_S, LOOK_S = 1.0, 0.5


class Server:
    """A client, its catalog of models, and the models whose answers were abandoned.

    About one in some hundreds of abandoned streams leaves a model stuck on a real server (protocol.md §21).
    """

    def __init__(self, client: OllamaClient) -> None:
        self.client = client
        self.catalog = ModelCatalog(client)
        self._left: set[str] = set()
        self._digests: dict[str, str] = {}
        self.windows: dict[str, Window] = {}  # by the model's name as it was asked for

    async def model_for(self, name: str | None, needs: frozenset[str]) -> str:
        """Return the name that will answer; raise ModelNotFound or InputError if none can."""
        name = name or await self.catalog.choose()
        facts = await self.catalog.look_up(name, needs)
        silent = facts is not None and facts.capabilities is None  # servers before v0.6.4
        if facts and silent and "insert" in needs and facts.template and ".Suffix" not in facts.template:
            shown = one_line(name, 80)
            raise InputError(f"{shown} cannot fill in between a prompt and a suffix; leave out --suffix.")
        return name

    async def embedding_model(self, name: str | None) -> str:
        """Return the named model, else the newest one that makes embeddings."""
        if not name:
            return await self.catalog.choose_embedding()
        await self.catalog.look_up(name, frozenset())
        return name

    async def digest(self, name: str, *, fresh: bool) -> str:
        """The digest of a model, empty if it is not known; `fresh` asks the server even if it was asked before."""
        if fresh or name not in self._digests:
            self._digests[name] = await self._look_up_digest(name)
        return self._digests[name]

    async def _look_up_digest(self, name: str) -> str:
        models = await self._soon(self.client.tags(), DIGEST_S, [])
        return next((model.digest for model in models if same_model(name, model.name)), "")

    async def _soon(self, look_up: Coroutine[Any, Any, T], seconds: float, otherwise: T) -> T:
        """Return the result of a look-up, or `otherwise` if it fails or takes longer: a turn must not wait for it."""
        look = asyncio.ensure_future(look_up)
        try:
            await asyncio.wait({look}, timeout=seconds)
            return look.result() if look.done() else otherwise
        except OllamaMagicError:
            return otherwise
        finally:
            look.cancel()

    async def version(self) -> str:
        """The server's version, empty if it does not answer quickly."""
        return await self._soon(self.client.version(), LOOK_S, "")

    def window_known(self, request: Request) -> int | None:
        """The context window of this request, if it is known without asking the server."""
        num_ctx = request.options.get("num_ctx")
        return num_ctx if isinstance(num_ctx, int) else self.windows.get(request.model, Window()).size

    async def window(self, request: Request) -> Window:
        """The context window of this request and the largest that its model supports."""
        found = await self._soon(self._window(request.model), LOOK_S, Window())
        return found if found.size else Window(self.window_known(request), found.most)

    async def learn_window(self, request: Request) -> None:
        """Remember the context window of a model that was loaded without num_ctx."""
        found = await self._window(request.model)
        if found.size and "num_ctx" not in request.options:
            self.windows[request.model] = found

    async def _window(self, model: str) -> Window:
        facts = None
        with suppress(OllamaMagicError):
            facts = await self.catalog.look_up(model, frozenset())
        runner = await self._runner(model)
        return Window(runner.context_length if runner else None, facts.context_length if facts else None)

    async def _runner(self, model: str) -> RunningModel | None:
        """What is loaded for a model; models with the same weights share a runner under one of their names."""
        running: list[RunningModel] = []
        with suppress(OllamaMagicError):
            running = await self.client.ps()
        found = next((one for one in running if same_model(model, one.name)), None)
        for one in running if found is None else ():
            if await self.catalog.same_weights(one.name, model):
                return one
        return found

    async def can_think(self, name: str) -> bool:
        """Whether the model is known to think."""
        facts = await self.catalog.look_up(name)
        return bool(facts and facts.capabilities and "thinking" in facts.capabilities)

    async def lacks(self, name: str, needs: frozenset[str]) -> frozenset[str]:
        """Those of these capabilities that the model is known not to have."""
        facts = await self.catalog.look_up(name)
        return frozenset() if facts is None or facts.capabilities is None else needs - facts.capabilities

    def stream(self, request: Request) -> AsyncGenerator[ChatChunk, None]:
        """Yield the chunks, the first one empty when the headers arrive; closing it closes the connection."""
        if isinstance(request, ChatRequest):
            return self.client.stream_chat(request)
        return self.client.stream_generate(request)

    def left(self, model: str) -> None:
        """Note that an answer of this model was abandoned."""
        self._left.add(normal_name(model))

    async def unload(self, model: str) -> None:
        """Unload a model, which frees a stuck one too; raise ModelNotFound for an unknown one."""
        await self.catalog.look_up(model, frozenset())
        await self.client.unload(model)
        self.answered(model)

    def answered(self, model: str) -> None:
        """Note that this model answers, so it is not stuck."""
        self._left.discard(normal_name(model))

    async def stuck(self, model: str) -> bool:
        """Whether an answer of this model was abandoned and it is still loaded, so that it may be stuck."""
        return normal_name(model) in self._left and await self._runner(model) is not None
