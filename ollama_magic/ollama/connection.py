"""Requests to one server: limits, look-ups, refusals, streamed bodies. `sender` has the sockets."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from ollama_magic.errors import OllamaMagicError, ServerError
from ollama_magic.ollama.connection_errors import broken_off
from ollama_magic.ollama.decoder import LINE_BYTES
from ollama_magic.ollama.listings import read_version
from ollama_magic.ollama.message_json import body_bytes
from ollama_magic.ollama.refusals import Refusal, is_refused, refused_in_json
from ollama_magic.ollama.retry_after import retry_seconds
from ollama_magic.ollama.sender import Sender
from ollama_magic.ollama.server_errors import error_of, read_object
from ollama_magic.ollama.unpacking import TooMuch, Unpacker, Unreadable
from ollama_magic.ollama.versions import ROUTES

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping

    import httpx

    from ollama_magic.ollama.address import Address
    from ollama_magic.ollama.secrets import Secrets
    from ollama_magic.ollama.sender import Transport

T = TypeVar("T")
_log = logging.getLogger("ollama_magic.ollama")
_END_S = 0.1  # how long the end of a body may take after its last line
_REFUSAL_BYTES = 1_000_000


@dataclass(frozen=True)
class Limits:
    """The limits of an answer in bytes and seconds (design.md §5); `look` is for a whole look-up."""

    line_bytes: int = LINE_BYTES
    answer_bytes: int = 64_000_000
    connect_loopback: float = 3
    connect: float = 10
    first_byte: float = 600
    silence: float = 300
    look: float = 10


class Decoder(Protocol[T]):
    """Decodes a streamed answer; `begun` once any object came, `ended` after the end mark."""

    begun: bool
    ended: bool

    def feed(self, data: bytes) -> list[T]: ...  # noqa: D102
    def close(self) -> list[T]: ...  # noqa: D102
    def cut(self, why: str) -> T: ...  # noqa: D102


class Connection:
    """Sends requests to one server; usable from any event loop, each of which gets its own connections."""

    def __init__(
        self, address: Address, secrets: Secrets, limits: Limits, ca_file: str | None, transport: Transport | None
    ) -> None:
        self.address = address
        self.limits = limits
        self.mask = secrets.mask
        self._sender = Sender(address, secrets, ca_file, transport, _connect_seconds(address, limits))

    async def stream(
        self,
        path: str,
        body: Callable[[], bytes],
        decoder: Decoder[T],
        *,
        begun: T | None = None,
        limits: Limits | None = None,
    ) -> AsyncGenerator[T, None]:
        """Yield `begun` when the headers arrive, then the decoded body, then why it broke off, if so.

        Closing the generator closes the connection. Raises an OllamaMagicError if no answer begins.
        """
        limits = limits or self.limits
        async with self._reply("POST", path, body(), limits) as response:
            if begun is not None:
                yield begun
            cut = ""
            pieces = response.aiter_raw()
            try:
                unpack = Unpacker(_encoding(response), limits.answer_bytes)
                async for data in pieces:
                    for chunk in decoder.feed(unpack(data)):
                        yield chunk
                    if decoder.ended:
                        return
            except Exception as error:  # noqa: BLE001 - no foreign exception leaves the package
                cut = _cut(error, limits)
            finally:
                if decoder.ended:
                    await _exhausted(pieces)
            for chunk in self._rest(decoder, cut):
                yield chunk

    def _rest(self, decoder: Decoder[T], cut: str) -> list[T]:
        """Return the rest of a body without an end mark; raise ServerError if it was empty."""
        chunks = decoder.close()
        if not decoder.begun and not decoder.ended:
            raise ServerError(f"{self.address.url} sent no answer: {cut or 'its body is empty'}; run this again.")
        return [*chunks, decoder.cut(cut)] if cut and not decoder.ended else chunks

    async def aclose(self) -> None:
        """Close the connections of the running loop."""
        await self._sender.aclose()

    async def look(
        self, method: str, path: str, body: Mapping[str, object] | None = None, seconds: float | None = None
    ) -> dict[str, Any]:
        """Return the JSON object that answers a request within `seconds`, by default those of a look-up."""
        data = await self.in_time(method, path, body_bytes(body) if body is not None else b"", seconds)
        text = data.decode("utf-8", "replace")
        value = read_object(text)
        if value is None:
            raise ServerError(f"{self.address.url} is not Ollama: its answer to {path} is not JSON; check the port.")
        if is_refused(path, value):
            raise refused_in_json(self.address, path, error_of(read_object(self.mask(text))))
        return value

    async def in_time(self, method: str, path: str, body: bytes, seconds: float | None = None) -> bytes:
        """Return the body that answers within `seconds`; raise ServerError if it breaks off."""
        seconds = seconds or self.limits.look
        late = None
        try:
            return await asyncio.wait_for(self._whole(method, path, body, seconds), seconds)
        except asyncio.TimeoutError:
            late = ServerError(f"{self.address.url} did not answer within {seconds:g} s; is it busy?")
        raise late

    async def whole(self, path: str, body: Mapping[str, object], seconds: float) -> bytes:
        """Return the body that answers a request, whose head may take `seconds`; raise ServerError if it breaks off."""
        return await self._whole("POST", path, body_bytes(body), seconds)

    async def _whole(self, method: str, path: str, body: bytes, seconds: float) -> bytes:
        async with self._reply(method, path, body, replace(self.limits, first_byte=seconds)) as response:
            data, cut = await self._body(response, self.limits.answer_bytes)
        if cut:
            raise ServerError(f"{self.address.url} sent an incomplete answer to {path}: {cut}; run this again.")
        return data

    async def _body(self, response: httpx.Response, most: int) -> tuple[bytes, str]:
        """Return what arrived of a body, and the clause that says why it broke off, or ""."""
        parts: list[bytes] = []
        try:
            unpack = Unpacker(_encoding(response), most)
            async for data in response.aiter_raw():
                parts.append(unpack(data))  # noqa: PERF401 - what came before an error counts
        except Exception as error:  # noqa: BLE001 - no foreign exception leaves the package
            return b"".join(parts), _cut(error, self.limits)
        return b"".join(parts), ""

    @contextlib.asynccontextmanager
    async def _reply(self, method: str, path: str, body: bytes, limits: Limits) -> AsyncIterator[httpx.Response]:
        """Send a request and open its answer; raise a refusal, and close the connection in the end."""
        began, limit = time.monotonic(), {"first_byte": limits.first_byte, "silence": limits.silence}
        with self._sender.connections() as pool:
            try:
                response = await self._sender.send(pool, method, path, body, **limit)
            except OllamaMagicError as error:
                _log.info("%s %s: %s after %.2f s", method, path, type(error).__name__, time.monotonic() - began)
                raise
            try:
                html = "html" in response.headers.get("content-type", "").lower()
                if not response.is_success or html:
                    raise await self._refusal(response, path)
                yield response
            finally:
                await response.aclose()
                _log.info(
                    "%s %s: %s in %.2f s, %d bytes sent, %d received",
                    *(method, path, response.status_code, time.monotonic() - began),
                    *(len(body), response.num_bytes_downloaded),
                )

    async def _refusal(self, response: httpx.Response, path: str) -> OllamaMagicError:
        body = b""
        with contextlib.suppress(asyncio.TimeoutError):
            body, _ = await asyncio.wait_for(self._body(response, _REFUSAL_BYTES), self.limits.look)
        headers = response.headers
        refusal = Refusal(
            self.address,
            path,
            response.status_code,
            content_type=headers.get("content-type", "").lower(),
            location=self.mask(headers.get("location", "")),
            authenticate=headers.get("www-authenticate", ""),
            body=self.mask(body.decode("utf-8", "replace")),
            proxy_variable=self._sender.proxy.variable if self._sender.proxy else "",
        )
        if refusal.no_route and path in ROUTES:
            refusal = replace(refusal, version=await self._version())
        error = refusal.error()
        if isinstance(error, ServerError):
            error.retry_after = retry_seconds(headers.get("retry-after", ""))
        return error

    async def _version(self) -> str:
        try:
            return read_version(await self.look("GET", "/api/version"))
        except OllamaMagicError:
            return ""


def _connect_seconds(address: Address, limits: Limits) -> float:
    return limits.connect_loopback if address.loopback else limits.connect


def _cut(error: Exception, limits: Limits) -> str:
    if isinstance(error, TooMuch):
        return f"it is longer than {limits.answer_bytes:,} bytes"
    if isinstance(error, Unreadable):
        return "its compression cannot be read"
    return broken_off(error, limits.silence)


def _encoding(response: httpx.Response) -> str:
    return str(response.headers.get("content-encoding", "")).strip().lower()


async def _exhausted(pieces: AsyncIterator[bytes]) -> None:
    """Read a body briefly to its end, so that its connection can be reused."""

    async def rest() -> None:
        async for _ in pieces:
            pass

    with contextlib.suppress(Exception):
        await asyncio.wait_for(rest(), _END_S)
