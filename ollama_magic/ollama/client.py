"""What can be asked of one server: an async client, an endpoint a method. The sockets are in `connection`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ollama_magic.errors import OllamaMagicError, ServerError
from ollama_magic.foreign import one_line, repaired
from ollama_magic.ollama.connection import Connection, Limits, Transport
from ollama_magic.ollama.decoder import ChunkDecoder
from ollama_magic.ollama.listings import read_ps, read_show, read_tags
from ollama_magic.ollama.protocol import ChatChunk, chat_body
from ollama_magic.ollama.secrets import Secrets

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from ollama_magic.ollama.address import Address
    from ollama_magic.ollama.protocol import ChatRequest, ModelFacts, ModelSummary, RunningModel

__all__ = ["Limits", "OllamaClient"]

_LIMITS = Limits()


class OllamaClient:
    """Talks to one server; usable from any event loop, each of which gets connections of its own."""

    def __init__(
        self,
        address: Address,
        secrets: Secrets | None = None,
        limits: Limits = _LIMITS,
        ca_file: str | None = None,
        transport: Transport | None = None,
    ) -> None:
        self.address = address
        self._connection = Connection(address, secrets or Secrets(), limits, ca_file, transport)

    def __repr__(self) -> str:
        return f"OllamaClient({self.address.url})"

    def stream_chat(self, request: ChatRequest) -> AsyncGenerator[ChatChunk, None]:
        """Yield an empty chunk when the headers came, then every chunk of the answer.

        The last one has `done`, `error` or `cut`; a body that just ends has none of them. Who leaves earlier hangs up:
        close the generator then (`contextlib.aclosing`). Raises an OllamaMagicError if no answer begins.
        """
        return self._stream_chunks("/api/chat", chat_body(request))

    def _stream_chunks(self, path: str, body: dict[str, object]) -> AsyncGenerator[ChatChunk, None]:
        decoder = ChunkDecoder(self._connection.limits.line_bytes, self._connection.mask)
        return self._connection.stream(path, body, decoder, ChatChunk())

    async def version(self) -> str:
        """Return the server's version, such as "0.24.0"; "" if it does not say."""
        found = (await self._connection.look("GET", "/api/version")).get("version")
        return one_line(found, 60) if isinstance(found, str) else ""

    async def tags(self) -> list[ModelSummary]:
        """Return the models on the server, as a rule the newest first."""
        return read_tags(await self._connection.look("GET", "/api/tags"))

    async def ps(self) -> list[RunningModel]:
        """Return the loaded models; servers before v0.1.38 cannot tell and have none."""
        try:
            return read_ps(await self._connection.look("GET", "/api/ps"))
        except ServerError as error:
            if error.status == 404:
                return []
            raise

    async def show(self, model: str) -> ModelFacts:
        """Return what the server knows of one model; raises ModelNotFound."""
        return read_show(await self._connection.look("POST", "/api/show", {"model": model, "name": model}))

    async def unload(self, model: str) -> None:
        """Free the memory that a model takes; this also frees a stuck one (dossier §21)."""
        await self._connection.look(
            "POST", "/api/chat", {"model": model, "messages": [], "keep_alive": 0, "stream": False}
        )

    async def render(self, request: ChatRequest) -> str:
        """Return the prompt as the model gets it (dossier §6.6), since v0.11.5; "" from a server that cannot tell."""
        only = {"stream": False, "_debug_render_only": True, "options": {**request.options, "num_predict": 1}}
        found = (await self._connection.look("POST", "/api/chat", {**chat_body(request), **only})).get("_debug_info")
        return repaired(str(found.get("rendered_template", ""))) if isinstance(found, dict) else ""

    async def alive(self) -> bool:
        """Whether an Ollama server answers at the address."""
        try:
            return b"Ollama is running" in await self._connection.in_time("GET", "/", b"")
        except OllamaMagicError:
            return False

    async def aclose(self) -> None:
        """Close the connections of the running loop; those of loops that are gone went with them."""
        await self._connection.aclose()
