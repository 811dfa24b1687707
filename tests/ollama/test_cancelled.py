"""What becomes of connections whose request is cancelled."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import httpx

from ollama_magic.ollama.address import parse_address
from ollama_magic.ollama.secrets import Secrets
from ollama_magic.ollama.sender import Sender


class Hanging(httpx.AsyncBaseTransport):
    """Answers when it is told to, and counts how often it is closed."""

    def __init__(self) -> None:
        self.answer, self.closed = asyncio.Event(), 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await self.answer.wait()
        return httpx.Response(200, text="{}")

    async def aclose(self) -> None:
        await asyncio.sleep(0.005)
        self.closed += 1


def test_connections_of_a_cancelled_request_are_closed() -> None:
    """After a cancelled request its connections are closed, but not before the other requests on them have ended."""

    async def story() -> list[int]:
        transport = Hanging()
        sender = Sender(parse_address("http://127.0.0.1:9"), Secrets(), None, transport, 1)

        async def ask() -> None:
            with sender.connections() as pool:
                await sender.send(pool, "GET", "/api/version", b"", first_byte=5, silence=5)

        stopped, other = asyncio.create_task(ask()), asyncio.create_task(ask())
        await asyncio.sleep(0)
        stopped.cancel()
        with suppress(asyncio.CancelledError):
            await stopped
        closed = [transport.closed]
        transport.answer.set()
        await other
        await asyncio.sleep(0.05)
        closed.append(transport.closed)
        await ask()
        await sender.aclose()
        return [*closed, transport.closed]

    assert asyncio.run(story()) == [0, 1, 2]


def test_closing_waits_for_connections_that_are_being_closed() -> None:
    """Who closes a sender may end the loop at once: the connections of a cancelled request are closed by then."""

    async def story() -> int:
        transport = Hanging()
        sender = Sender(parse_address("http://127.0.0.1:9"), Secrets(), None, transport, 1)

        async def ask() -> None:
            with sender.connections() as pool:
                await sender.send(pool, "GET", "/api/version", b"", first_byte=5, silence=5)

        stopped = asyncio.create_task(ask())
        await asyncio.sleep(0)
        stopped.cancel()
        await asyncio.gather(stopped, return_exceptions=True)
        await sender.aclose()
        return transport.closed

    assert asyncio.run(story()) == 1
