"""The way to one server: sockets, limits, refusals and streamed bodies. No httpx name leaves it but `Transport`."""

from __future__ import annotations

import asyncio
import contextlib
import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol, TypeVar
from weakref import WeakKeyDictionary

import httpx

from ollama_magic.errors import OllamaMagicError, ServerError
from ollama_magic.ollama.bodies import TooMuch, Unpacker, Unreadable
from ollama_magic.ollama.complaints import Refusal, read_object
from ollama_magic.ollama.decoder import LINE_BYTES
from ollama_magic.ollama.failures import LOST, Way, broken_off
from ollama_magic.ollama.listings import read_version
from ollama_magic.ollama.protocol import body_bytes
from ollama_magic.ollama.proxies import proxy_for
from ollama_magic.ollama.tls import bare_context, tls_context
from ollama_magic.ollama.versions import ROUTES

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Mapping

    from ollama_magic.ollama.address import Address
    from ollama_magic.ollama.proxies import ProxySetting
    from ollama_magic.ollama.secrets import Secrets

Transport = httpx.AsyncBaseTransport
T = TypeVar("T")
_HEADERS = {"accept-encoding": "identity", "user-agent": "ollama_magic", "content-type": "application/json"}
_MOMENT = 0.1  # what the end of a body may take once its last line is read
_REFUSAL_BYTES = 1_000_000


@dataclass(frozen=True)
class Limits:
    """What an answer may take, in bytes and seconds (design §5); `look` is a whole look-up."""

    line_bytes: int = LINE_BYTES
    answer_bytes: int = 64_000_000
    connect_loopback: float = 3
    connect: float = 10
    first_byte: float = 600
    silence: float = 300
    look: float = 10


class Decoder(Protocol[T]):
    """Turns the bytes of a streamed answer into values; `ended` after the end mark, `begun` once anything came."""

    begun: bool
    ended: bool

    def feed(self, data: bytes) -> list[T]: ...  # noqa: D102
    def close(self) -> list[T]: ...  # noqa: D102
    def cut(self, why: str) -> T: ...  # noqa: D102


class Connection:
    """Requests to one server; usable from any event loop, each of which gets connections of its own."""

    def __init__(
        self, address: Address, secrets: Secrets, limits: Limits, ca_file: str | None, transport: Transport | None
    ) -> None:
        self.address = address
        self.limits = limits
        self.mask = secrets.mask
        self._secrets = secrets
        self._ca_file = ca_file
        self._transport = transport
        self._proxy: ProxySetting | None = None
        self._https: WeakKeyDictionary[asyncio.AbstractEventLoop, httpx.AsyncClient] = WeakKeyDictionary()

    async def stream(
        self,
        path: str,
        body: Mapping[str, object],
        decoder: Decoder[T],
        *,
        begun: T | None = None,
        limits: Limits | None = None,
    ) -> AsyncGenerator[T, None]:
        """Yield `begun` when the headers came, then what the decoder makes of the body, then why it broke off, if so.

        Who leaves earlier hangs up. Raises an OllamaMagicError if no answer begins.
        """
        limits = limits or self.limits
        async with self._reply("POST", path, body_bytes(body), limits) as response:
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
        """Return what a body without an end mark leaves behind; if nothing at all came, that is an error."""
        chunks = decoder.close()
        if not decoder.begun and not decoder.ended:
            raise ServerError(f"{self.address.url} sent no answer: {cut or 'its body is empty'}; run this again.")
        return [*chunks, decoder.cut(cut)] if cut and not decoder.ended else chunks

    async def aclose(self) -> None:
        """Close the connections of the running loop; those of loops that are gone went with them."""
        https = self._https.pop(asyncio.get_running_loop(), None)
        if https is not None:
            await https.aclose()

    async def look(
        self, method: str, path: str, body: Mapping[str, object] | None = None, seconds: float | None = None
    ) -> dict[str, Any]:
        """Return the JSON object that answers a request within some seconds, those of a look-up by default."""
        data = await self.in_time(method, path, body_bytes(body) if body is not None else b"", seconds)
        value = read_object(data.decode("utf-8", "replace"))
        if value is None:
            raise ServerError(f"{self.address.url} is not Ollama: its answer to {path} is no JSON; look at the port.")
        return value

    async def in_time(self, method: str, path: str, body: bytes, seconds: float | None = None) -> bytes:
        """Return the whole body that answers within some seconds; raises ServerError where it breaks off."""
        seconds = seconds or self.limits.look
        late = None
        try:
            return await asyncio.wait_for(self._whole(method, path, body, seconds), seconds)
        except asyncio.TimeoutError:
            late = ServerError(f"{self.address.url} did not answer within {seconds:g} s; is it busy?")
        raise late

    async def _whole(self, method: str, path: str, body: bytes, seconds: float) -> bytes:
        async with self._reply(method, path, body, replace(self.limits, first_byte=seconds)) as response:
            data, cut = await self._body(response, self.limits.answer_bytes)
        if cut:
            raise ServerError(f"{self.address.url} sent no whole answer to {path}: {cut}; run this again.")
        return data

    async def _body(self, response: httpx.Response, most: int) -> tuple[bytes, str]:
        """Return what came of a body, and the clause that says why it broke off, or ""."""
        parts: list[bytes] = []
        try:
            unpack = Unpacker(_encoding(response), most)
            async for data in response.aiter_raw():
                parts.append(unpack(data))  # noqa: PERF401 - what came before an error is kept
        except Exception as error:  # noqa: BLE001 - no foreign exception leaves the package
            return b"".join(parts), _cut(error, self.limits)
        return b"".join(parts), ""

    @contextlib.asynccontextmanager
    async def _reply(self, method: str, path: str, body: bytes, limits: Limits) -> AsyncIterator[httpx.Response]:
        """Send a request and open its answer; a refusal is raised, and whatever happens the connection is left."""
        response = await self._sent(method, path, body, limits)
        try:
            html = "html" in response.headers.get("content-type", "").lower()
            if not response.is_success or html:
                raise await self._refusal(response, path)
            yield response
        finally:
            await response.aclose()

    async def _refusal(self, response: httpx.Response, path: str) -> OllamaMagicError:
        body = b""
        with contextlib.suppress(asyncio.TimeoutError):
            body, _ = await asyncio.wait_for(self._body(response, _REFUSAL_BYTES), self.limits.look)
        refusal = Refusal(
            self.address.url,
            path,
            response.status_code,
            response.headers.get("content-type", "").lower(),
            self.mask(response.headers.get("location", "")),
            self.mask(body.decode("utf-8", "replace")),
        )
        if refusal.no_route and path in ROUTES:
            refusal = replace(refusal, version=await self._version())
        return refusal.error()

    async def _version(self) -> str:
        try:
            return read_version(await self.look("GET", "/api/version"))
        except OllamaMagicError:
            return ""

    async def _sent(self, method: str, path: str, body: bytes, limits: Limits) -> httpx.Response:
        """Send once, and once more without a word if a connection from an earlier request turned out dead."""
        for last in (False, True):
            try:
                request = self._request(method, path, body, limits.first_byte)
                response = await self._connections().send(request, stream=True)
            except OllamaMagicError:
                raise
            except Exception as error:  # noqa: BLE001 - no foreign exception leaves the package
                failure = self._way(limits.first_byte).failure(error)
                dead = isinstance(error, LOST) and request.extensions["trace"].reused
            else:
                request.extensions["timeout"]["read"] = limits.silence
                return response
            if last or not dead:
                break
        raise failure

    def _request(self, method: str, path: str, body: bytes, first_byte: float) -> httpx.Request:
        return self._connections().build_request(
            method,
            self.address.join(path),
            content=body or None,
            headers=self._secrets.headers_for(self.address),
            timeout=httpx.Timeout(first_byte, connect=self._connect_s, pool=self._connect_s),
            extensions={"trace": _Trace()},
        )

    def _connections(self) -> httpx.AsyncClient:
        loop = asyncio.get_running_loop()
        if loop not in self._https:
            transport = self._transport or self._new_transport()
            self._https[loop] = httpx.AsyncClient(transport=transport, trust_env=False, headers=_HEADERS)
        return self._https[loop]

    def _new_transport(self) -> httpx.AsyncHTTPTransport:
        self._proxy = setting = proxy_for(self.address, os.environ)
        secure = self.address.scheme == "https" or (setting is not None and setting.url.startswith("https:"))
        context = tls_context(self._ca_file) if secure else bare_context()
        proxy = (
            httpx.Proxy(setting.url, ssl_context=context if setting.url.startswith("https:") else None)
            if setting
            else None
        )
        return httpx.AsyncHTTPTransport(
            verify=context, trust_env=False, proxy=proxy, limits=httpx.Limits(max_connections=None)
        )

    @property
    def _connect_s(self) -> float:
        return self.limits.connect_loopback if self.address.loopback else self.limits.connect

    def _way(self, read_s: float) -> Way:
        return Way(self.address, self._proxy, self._connect_s, read_s)


class _Trace:
    """Hears from httpcore whether a request opened a connection or took one that was there."""

    def __init__(self) -> None:
        self._connected = self._sending = False

    @property
    def reused(self) -> bool:
        return self._sending and not self._connected

    async def __call__(self, event: str, _: object) -> None:
        self._connected |= event.endswith("connect_tcp.started")
        self._sending |= event.endswith("send_request_headers.started")


def _cut(error: Exception, limits: Limits) -> str:
    if isinstance(error, TooMuch):
        return f"it is longer than {limits.answer_bytes:,} bytes"
    if isinstance(error, Unreadable):
        return "it is packed in a way that cannot be read"
    return broken_off(error, limits.silence)


def _encoding(response: httpx.Response) -> str:
    return str(response.headers.get("content-encoding", "")).strip().lower()


async def _exhausted(pieces: AsyncIterator[bytes]) -> None:
    """Read a body to its end, so that its connection can serve again, but not for long."""

    async def rest() -> None:
        async for _ in pieces:
            pass

    with contextlib.suppress(Exception):
        await asyncio.wait_for(rest(), _MOMENT)
