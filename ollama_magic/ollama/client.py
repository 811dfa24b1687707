"""What can be asked of one server: an async client, an endpoint a method. The sockets are in `connection`."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ollama_magic.errors import OllamaMagicError, ServerError
from ollama_magic.foreign import repaired
from ollama_magic.ollama.connection import Connection, Limits, Transport
from ollama_magic.ollama.decoder import ChunkDecoder, ProgressDecoder
from ollama_magic.ollama.listings import read_ps, read_show, read_tags, read_version
from ollama_magic.ollama.protocol import ChatChunk, body_bytes, chat_body
from ollama_magic.ollama.requests import (
    Embeddings,
    create_body,
    embed_body,
    generate_body,
    named,
    old_embed_body,
    pull_body,
)
from ollama_magic.ollama.secrets import Secrets
from ollama_magic.ollama.vectors import joined, read_embedding, read_embeddings

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping, Sequence

    from ollama_magic.ollama.address import Address
    from ollama_magic.ollama.protocol import ChatRequest, ModelFacts, ModelSummary, RunningModel
    from ollama_magic.ollama.requests import CreateRequest, GenerateRequest, Progress

__all__ = ["Limits", "OllamaClient"]

_LIMITS = Limits()
_NO_ROUTE = (404, 405)
_PROGRESS_BYTES = 1 << 40
_TEXTS_AT_ONCE = 256  # as numbers they are some megabytes


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
        return self._chunks("/api/chat", chat_body(request))

    def stream_generate(self, request: GenerateRequest) -> AsyncGenerator[ChatChunk, None]:
        """Yield a single turn as `stream_chat` yields a chat; the token ids that servers add to it are left out."""
        return self._chunks("/api/generate", generate_body(request))

    def stream_pull(self, name: str, *, insecure: bool = False) -> AsyncGenerator[Progress, None]:
        """Yield what a download tells, the last line `done`, or with `error` or `cut`; else it just ended, not done.

        Who leaves earlier pauses it: what came stays on the server, and the next pull goes on from there.
        Raises an OllamaMagicError if nothing begins.
        """
        return self._progress("/api/pull", pull_body(name, insecure=insecure))

    def stream_create(self, request: CreateRequest) -> AsyncGenerator[Progress, None]:
        """Yield what the making of a model tells, as `stream_pull` does: a missing base is downloaded first."""
        return _to_the_end(self._progress("/api/create", create_body(request), ends=False))

    def _chunks(self, path: str, body: dict[str, object]) -> AsyncGenerator[ChatChunk, None]:
        decoder = ChunkDecoder(self._connection.limits.line_bytes, self._connection.mask)
        return self._connection.stream(path, body, decoder, begun=ChatChunk())

    def _progress(self, path: str, body: dict[str, object], *, ends: bool = True) -> AsyncGenerator[Progress, None]:
        """A download takes hours, and checking a large file takes minutes without a word."""
        limits = self._connection.limits
        decoder = ProgressDecoder(limits.line_bytes, self._connection.mask, ends=ends)
        patient = replace(limits, answer_bytes=_PROGRESS_BYTES, silence=max(limits.silence, limits.first_byte))
        return self._connection.stream(path, body, decoder, limits=patient)

    async def version(self) -> str:
        """Return the server's version, such as "0.24.0"; "" if it does not say."""
        return read_version(await self._connection.look("GET", "/api/version"))

    async def tags(self) -> list[ModelSummary]:
        """Return the models on the server, as a rule the newest first."""
        return read_tags(await self._connection.look("GET", "/api/tags"))

    async def ps(self) -> list[RunningModel]:
        """Return the loaded models; servers before v0.1.38 cannot tell and have none."""
        try:
            return read_ps(await self._connection.look("GET", "/api/ps"))
        except ServerError as error:
            if error.status in _NO_ROUTE:
                return []
            raise

    async def show(self, model: str, *, verbose: bool = False) -> ModelFacts:
        """Return what the server knows of one model, with its tensors and tokens if verbose; raises ModelNotFound."""
        more = {"verbose": True} if verbose else {}
        return read_show(await self._connection.look("POST", "/api/show", named(model) | more), verbose=verbose)

    async def embed(
        self,
        model: str,
        inputs: Sequence[str],
        *,
        truncate: bool | None = None,
        dimensions: int | None = None,
        options: Mapping[str, object] | None = None,
        keep_alive: float | str | None = None,
    ) -> Embeddings:
        """Return a vector for each text, asked for some hundreds at a time. Raises ModelNotFound.

        A text that is too long is cut without a word, unless `truncate` is False: then it is a ServerError.
        Servers before v0.2.6 are asked text by text, and their vectors cut and brought to length 1 here.
        """
        more = {"options": dict(options or {}) or None, "keep_alive": keep_alive}
        parts = [inputs[at : at + _TEXTS_AT_ONCE] for at in range(0, len(inputs), _TEXTS_AT_ONCE)] or [inputs]
        found = []
        for part in parts:
            body = embed_body(model, part, {"truncate": truncate, "dimensions": dimensions, **more})
            try:
                found.append(read_embeddings(await self._patient("/api/embed", body), len(part)))
            except ServerError as error:
                if error.status not in _NO_ROUTE:
                    raise
                return await self._old_embed(model, inputs, dimensions, more)
        return joined(found)

    async def _old_embed(
        self, model: str, inputs: Sequence[str], dimensions: int | None, more: Mapping[str, object]
    ) -> Embeddings:
        vectors = []
        for text in inputs:
            found = await self._patient("/api/embeddings", old_embed_body(model, text, more))
            vectors.append(read_embedding(found, dimensions))
        return Embeddings(model, vectors)

    async def copy(self, source: str, destination: str) -> None:
        """Give a model a second name; another model of that name is lost. Raises ModelNotFound."""
        await self._done("POST", "/api/copy", {"source": source, "destination": destination})

    async def delete(self, name: str) -> None:
        """Remove a model from the server's disk, though not from its memory. Raises ModelNotFound."""
        await self._done("DELETE", "/api/delete", named(name))

    async def load(self, name: str, keep_alive: float | str | None = None) -> None:
        """Bring a model into memory, which may take minutes; one for embeddings too. Raises ModelNotFound."""
        kept = {} if keep_alive is None else {"keep_alive": keep_alive}
        try:
            await self._patient("/api/generate", {"model": name, "prompt": "", "stream": False, **kept})
        except ServerError as error:
            if error.status != 400 or "does not support generate" not in str(error):
                raise
        else:
            return
        await self._patient("/api/embed", {"model": name, "input": [], **kept})

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

    async def _patient(self, path: str, body: Mapping[str, object]) -> dict[str, Any]:
        """Ask for what may have to load a model first."""
        return await self._connection.look("POST", path, body, self._connection.limits.first_byte)

    async def _done(self, method: str, path: str, body: Mapping[str, object]) -> None:
        """Ask for a change, which a server answers with an empty body."""
        await self._connection.in_time(method, path, body_bytes(body), self._connection.limits.silence)

    async def aclose(self) -> None:
        """Close the connections of the running loop; those of loops that are gone went with them."""
        await self._connection.aclose()


async def _to_the_end(lines: AsyncGenerator[Progress, None]) -> AsyncGenerator[Progress, None]:
    """A success that is not the last line was that of the base's download, and is left out."""
    held: Progress | None = None
    async with aclosing(lines):
        async for line in lines:
            held = line if line.done else None
            if held is None:
                yield line
    if held is not None:
        yield held
