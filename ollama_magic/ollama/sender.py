"""Sends requests, with connections for each event loop; the only module that creates httpx clients."""

from __future__ import annotations

import asyncio
import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import httpx

from ollama_magic.errors import OllamaMagicError
from ollama_magic.ollama.connection_errors import LOST, RequestContext
from ollama_magic.ollama.proxies import proxy_for
from ollama_magic.ollama.tls import bare_context, tls_context

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ollama_magic.ollama.address import Address
    from ollama_magic.ollama.proxies import ProxySetting
    from ollama_magic.ollama.secrets import Secrets

Transport = httpx.AsyncBaseTransport
_HEADERS = {"accept-encoding": "identity", "user-agent": "ollama_magic", "content-type": "application/json"}


@dataclass(eq=False)
class Pool:
    """The connections of one event loop, and how many requests use them."""

    client: httpx.AsyncClient
    users: int = 0
    retired: bool = False


class Sender:
    """Sends requests to one address; usable from any event loop, each of which gets its own connections."""

    def __init__(
        self, address: Address, secrets: Secrets, ca_file: str | None, transport: Transport | None, connect_s: float
    ) -> None:
        self.proxy: ProxySetting | None = None  # what the first request found in the environment
        self._address = address
        self._secrets = secrets
        self._ca_file = ca_file
        self._transport = transport
        self._connect_s = connect_s
        self._pools: WeakKeyDictionary[asyncio.AbstractEventLoop, Pool] = WeakKeyDictionary()
        self._closing: set[asyncio.Task[None]] = set()

    async def aclose(self) -> None:
        """Close the connections of the running loop, and wait for those that are being closed."""
        loop = asyncio.get_running_loop()
        pool = self._pools.pop(loop, None)
        if pool is not None:
            await pool.client.aclose()
        closing = [one for one in self._closing if one.get_loop() is loop]
        if closing:
            await asyncio.wait(closing)

    @contextmanager
    def connections(self) -> Iterator[Pool]:
        """Hold the connections for one request, until its response is closed.

        A request that is cancelled while a connection opens or closes leaves it open in httpcore 1.0.9, and nobody owns
        it. So its pool takes no more requests, and is closed with all that is in it when the others have ended.
        """
        pool = self._pool()
        pool.users += 1
        try:
            yield pool
        except asyncio.CancelledError:
            self._retire(pool)
            raise
        finally:
            pool.users -= 1
            if pool.retired and not pool.users:
                closing = asyncio.ensure_future(pool.client.aclose())
                self._closing.add(closing)
                closing.add_done_callback(self._closing.discard)

    async def send(
        self, pool: Pool, method: str, path: str, body: bytes, *, first_byte: float, silence: float
    ) -> httpx.Response:
        """Send a request; retry once if a connection from an earlier request was closed.

        Args:
            pool: The connections to use.
            method: The HTTP method.
            path: The path of an endpoint, such as "/api/chat".
            body: The whole body; may be empty.
            first_byte: Most seconds until the head of the answer.
            silence: Most seconds between two pieces of its body.

        Raises:
            OllamaMagicError: No answer began.
        """
        for last in (False, True):
            try:
                request = self._request(pool.client, method, path, body, first_byte)
                response = await pool.client.send(request, stream=True)
            except OllamaMagicError:
                raise
            except Exception as error:  # noqa: BLE001 - no foreign exception leaves the package
                failure = RequestContext(self._address, self.proxy, self._connect_s, first_byte).failure(error)
                dead = isinstance(error, LOST) and request.extensions["trace"].reused
            else:
                request.extensions["timeout"]["read"] = silence
                return response
            if last or not dead:
                break
        raise failure

    def _request(
        self, client: httpx.AsyncClient, method: str, path: str, body: bytes, first_byte: float
    ) -> httpx.Request:
        return client.build_request(
            method,
            self._address.join(path),
            content=body or None,
            headers=self._secrets.headers_for(self._address),
            timeout=httpx.Timeout(first_byte, connect=self._connect_s, pool=self._connect_s),
            extensions={"trace": _Trace()},
        )

    def _pool(self) -> Pool:
        loop = asyncio.get_running_loop()
        if loop not in self._pools:
            transport = self._transport or self._new_transport()
            self._pools[loop] = Pool(httpx.AsyncClient(transport=transport, trust_env=False, headers=_HEADERS))
        return self._pools[loop]

    def _retire(self, pool: Pool) -> None:
        pool.retired = True
        loop = asyncio.get_running_loop()
        if self._pools.get(loop) is pool:
            del self._pools[loop]

    def _new_transport(self) -> httpx.AsyncHTTPTransport:
        self.proxy = setting = proxy_for(self._address, os.environ)
        secure_proxy = setting is not None and setting.url.startswith("https:")
        context = tls_context(self._ca_file) if secure_proxy or self._address.scheme == "https" else bare_context()
        proxy = httpx.Proxy(setting.url, ssl_context=context if secure_proxy else None) if setting else None
        limits = httpx.Limits(max_connections=None)
        return httpx.AsyncHTTPTransport(verify=context, trust_env=False, proxy=proxy, limits=limits)


class _Trace:
    """Records from httpcore's events whether a request reused a connection."""

    def __init__(self) -> None:
        self._connected = self._sending = False

    @property
    def reused(self) -> bool:
        return self._sending and not self._connected

    async def __call__(self, event: str, _: object) -> None:
        self._connected |= event.endswith("connect_tcp.started")
        self._sending |= event.endswith("send_request_headers.started")
