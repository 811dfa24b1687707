"""An async client for one server, with a method for each endpoint."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from ollama_magic.errors import OllamaMagicError, ServerError
from ollama_magic.foreign import repaired
from ollama_magic.ollama.connection import Connection, Limits
from ollama_magic.ollama.decoder import ChunkDecoder, ProgressDecoder
from ollama_magic.ollama.embeddings import Embeddings, joined, read_embedding, read_embeddings
from ollama_magic.ollama.listings import read_ps, read_show, read_tags, read_version
from ollama_magic.ollama.message_json import body_bytes
from ollama_magic.ollama.protocol import ChatChunk, ChatRequest
from ollama_magic.ollama.request_bodies import (
    chat_body,
    chat_bytes,
    create_body,
    embed_body,
    generate_body,
    named,
    old_embed_body,
    pull_body,
)
from ollama_magic.ollama.secrets import Secrets

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping, Sequence

    from ollama_magic.ollama.address import Address
    from ollama_magic.ollama.protocol import (
        CreateRequest,
        GenerateRequest,
        KeepAlive,
        ModelFacts,
        ModelSummary,
        Options,
        Progress,
        Request,
        RunningModel,
    )
    from ollama_magic.ollama.sender import Transport

__all__ = ["Limits", "OllamaClient"]

_LIMITS = Limits()
_NO_ROUTE = (404, 405)
_PROGRESS_BYTES = 1 << 40
_TEXTS_AT_ONCE = 256  # as numbers they are some megabytes


class OllamaClient:
    """A client for one server; usable from any event loop, each of which gets its own connections."""

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
        """Yield an empty chunk when the headers arrive, then every chunk of the answer.

        The last one has `done`, `error` or `cut`; a body that just ends has none of them. Closing the generator
        (`contextlib.aclosing`) closes the connection. Raises an OllamaMagicError if no answer begins.
        """
        return self._chunks("/api/chat", partial(chat_bytes, request))

    def stream_generate(self, request: GenerateRequest) -> AsyncGenerator[ChatChunk, None]:
        """Yield a single answer like `stream_chat`, without the token ids that servers add."""
        return self._chunks("/api/generate", partial(body_bytes, generate_body(request)))

    async def answer(self, request: Request, seconds: float) -> ChatChunk:
        """Return a whole answer as one chunk, which has `done`, `error` or `cut`.

        It is asked for in one piece: a server whose client leaves cannot get stuck then (protocol.md §21), and short
        answers cost less. Cancelling closes the connection.

        Args:
            request: The request.
            seconds: Most seconds until the server begins to send the answer.

        Raises:
            OllamaMagicError: The server refused it, cannot be reached, or hung up.
        """
        chat = isinstance(request, ChatRequest)
        body = chat_body(request) if isinstance(request, ChatRequest) else generate_body(request)
        data = await self._connection.whole(
            "/api/chat" if chat else "/api/generate", {**body, "stream": False}, seconds
        )
        decoder = ChunkDecoder(max(self._connection.limits.line_bytes, len(data)), self._connection.mask)
        chunks = [*decoder.feed(data), *decoder.close()]
        if not chunks:
            raise ServerError(f"{self.address.url} sent no answer: its body is empty; run this again.")
        return _whole(chunks)

    def stream_pull(self, name: str, *, insecure: bool = False) -> AsyncGenerator[Progress, None]:
        """Yield the lines of a download; the last one is `done`, or has `error` or `cut`.

        Closing it earlier pauses the download: the next pull resumes it.
        Raises an OllamaMagicError if no answer begins.
        """
        return self._progress("/api/pull", pull_body(name, insecure=insecure))

    def stream_create(self, request: CreateRequest) -> AsyncGenerator[Progress, None]:
        """Yield the lines of a creation, like `stream_pull`; a missing base is downloaded first."""
        return _to_the_end(self._progress("/api/create", create_body(request), ends=False))

    def _chunks(self, path: str, body: Callable[[], bytes]) -> AsyncGenerator[ChatChunk, None]:
        decoder = ChunkDecoder(self._connection.limits.line_bytes, self._connection.mask)
        return self._connection.stream(path, body, decoder, begun=ChatChunk())

    def _progress(self, path: str, body: dict[str, object], *, ends: bool = True) -> AsyncGenerator[Progress, None]:
        """Stream progress with longer limits: a download takes hours, and a checksum minutes of silence."""
        limits = self._connection.limits
        decoder = ProgressDecoder(limits.line_bytes, self._connection.mask, ends=ends)
        patient = replace(limits, answer_bytes=_PROGRESS_BYTES, silence=max(limits.silence, limits.first_byte))
        return self._connection.stream(path, partial(body_bytes, body), decoder, limits=patient)

    async def version(self) -> str:
        """Return the server's version, such as "0.24.0"; "" if unknown."""
        return read_version(await self._connection.look("GET", "/api/version"))

    async def tags(self) -> list[ModelSummary]:
        """Return the models on the server, usually newest first."""
        return read_tags(await self._connection.look("GET", "/api/tags"))

    async def ps(self) -> list[RunningModel]:
        """Return the loaded models; servers before v0.1.38 list none."""
        try:
            return read_ps(await self._connection.look("GET", "/api/ps"))
        except ServerError as error:
            if error.status in _NO_ROUTE:
                return []
            raise

    async def show(self, model: str, *, verbose: bool = False) -> ModelFacts:
        """Return the facts of one model, with its tensors and tokens if verbose; raise ModelNotFound."""
        more = {"verbose": True} if verbose else {}
        return read_show(await self._connection.look("POST", "/api/show", named(model) | more), verbose=verbose)

    async def embed(
        self,
        model: str,
        inputs: Sequence[str],
        *,
        truncate: bool | None = None,
        dimensions: int | None = None,
        options: Options | None = None,
        keep_alive: KeepAlive = None,
        seconds: float | None = None,
    ) -> Embeddings:
        """Return a vector for each text, requested some hundreds at a time. Raises ModelNotFound.

        A request may take `seconds`, by default as long as the first byte of an answer.
        A text that is too long is cut silently, or is a ServerError if `truncate` is False. Servers before v0.2.6 are
        asked text by text, and their vectors are cut and normalised by the client.
        """
        more = {"options": dict(options or {}) or None, "keep_alive": keep_alive}
        parts = [inputs[at : at + _TEXTS_AT_ONCE] for at in range(0, len(inputs), _TEXTS_AT_ONCE)] or [inputs]
        found = []
        for part in parts:
            body = embed_body(model, part, {"truncate": truncate, "dimensions": dimensions, **more})
            try:
                found.append(read_embeddings(await self._patient("/api/embed", body, seconds), len(part)))
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
        """Copy a model to another name, replacing a model of that name. Raises ModelNotFound."""
        await self._done("POST", "/api/copy", {"source": source, "destination": destination})

    async def delete(self, name: str) -> None:
        """Remove a model from the server's disk, though not from its memory. Raises ModelNotFound."""
        await self._done("DELETE", "/api/delete", named(name))

    async def load(self, name: str, keep_alive: KeepAlive = None) -> None:
        """Load a model, which may take minutes. Raises ModelNotFound."""
        settings = {} if keep_alive is None else {"keep_alive": keep_alive}
        try:
            await self._patient("/api/generate", {"model": name, "prompt": "", "stream": False, **settings})
        except ServerError as error:
            if error.kind != "no_generate":
                raise
        else:
            return
        await self._patient("/api/embed", {"model": name, "input": [], **settings})

    async def unload(self, model: str) -> None:
        """Unload a model; this also frees a stuck one (protocol.md §21)."""
        await self._connection.look(
            "POST", "/api/chat", {"model": model, "messages": [], "keep_alive": 0, "stream": False}
        )

    async def render(self, request: ChatRequest) -> str:
        """Return the rendered prompt (protocol.md §6.6); "" from a server before v0.11.5."""
        only = {"stream": False, "_debug_render_only": True, "options": {**request.options, "num_predict": 1}}
        found = (await self._connection.look("POST", "/api/chat", {**chat_body(request), **only})).get("_debug_info")
        return repaired(str(found.get("rendered_template", ""))) if isinstance(found, dict) else ""

    async def alive(self) -> bool:
        """Whether an Ollama server answers at the address."""
        try:
            return b"Ollama is running" in await self._connection.in_time("GET", "/", b"")
        except OllamaMagicError:
            return False

    async def _patient(self, path: str, body: Mapping[str, object], seconds: float | None = None) -> dict[str, Any]:
        """Send a look-up that may have to load a model first."""
        return await self._connection.look("POST", path, body, seconds or self._connection.limits.first_byte)

    async def _done(self, method: str, path: str, body: Mapping[str, object]) -> None:
        """Send a change, to which a server replies with an empty body."""
        await self._connection.in_time(method, path, body_bytes(body), self._connection.limits.silence)

    async def aclose(self) -> None:
        """Close the connections of the running loop."""
        await self._connection.aclose()


async def _to_the_end(lines: AsyncGenerator[Progress, None]) -> AsyncGenerator[Progress, None]:
    """Yield the lines without a success before the last line, which is that of the base's download."""
    held: Progress | None = None
    async with aclosing(lines):
        async for line in lines:
            held = line if line.done else None
            if held is None:
                yield line
    if held is not None:
        yield held


def _whole(chunks: Sequence[ChatChunk]) -> ChatChunk:
    """Return the last chunk with the texts of all: a server may stream although it was told not to."""
    if len(chunks) == 1:
        return chunks[0]
    content, thinking = ("".join(texts) for texts in ([c.content for c in chunks], [c.thinking for c in chunks]))
    return chunks[-1]._replace(content=content, thinking=thinking)
