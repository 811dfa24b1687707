"""A very small server for thousands of rows: it looks up, answers prompts, embeds, and counts; one thread, one loop.

As a process (`python -m tests.mapping.quick_server LATENCY PLACES`) it prints its address, and lives as long as its
standard input is open; its answers are the prompts.
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Answer = Callable[[str], Awaitable["str | Refusal"]]

FACTS = {"capabilities": ["completion", "embedding"], "details": {}, "model_info": {}}


class Refusal:
    """What is answered instead: a status with headers, or a connection that just ends (0)."""

    def __init__(self, status: int, **headers: str) -> None:
        self.status, self.headers = status, headers


async def echo(prompt: str) -> str:
    """The prompt itself."""
    return prompt


class QuickServer:
    """A server on loopback in a thread of its own.

    Args:
        answer: What a prompt is answered, on the server's loop.
        latency: Seconds that an answer takes at least.
        places: How many are answered at once; the others wait.
        model: The only model that it has, with this `digest`.
        port: Where it listens; 0 for anywhere.
    """

    def __init__(
        self,
        answer: Answer = echo,
        *,
        latency: float = 0.0,
        places: int = 1000,
        model: str = "quick:latest",
        digest: str = "d1",
        port: int = 0,
    ) -> None:
        self.answer, self.latency, self.model, self.digest = answer, latency, model, digest
        self.asked: Counter[str] = Counter()  # the prompts and texts that came
        self.left = 0  # clients that hung up before their answer
        self.now = self.most = 0  # prompts at once
        self.batches = 0
        self._places, self._port = places, port
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._clients: set[asyncio.StreamWriter] = set()

    def start(self) -> QuickServer:
        """Listen."""
        threading.Thread(target=self._serve, daemon=True).start()
        self._ready.wait(10)
        return self

    def stop(self) -> None:
        """Close everything at once, as a server that is killed."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._end)
        self._thread.join(5)

    def __enter__(self) -> QuickServer:  # noqa: PYI034 (Self needs Python 3.11)
        return self.start()

    def __exit__(self, *error: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def total(self) -> int:
        """How many prompts and texts came."""
        return sum(self.asked.values())

    def _serve(self) -> None:
        self._thread = threading.current_thread()
        asyncio.set_event_loop(self._loop)
        self._slots = asyncio.Semaphore(self._places)
        server = self._loop.run_until_complete(asyncio.start_server(self._client, "127.0.0.1", self._port))
        self._port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()
        for writer in self._clients:
            writer.transport.abort()
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    def _end(self) -> None:
        self._loop.stop()

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._clients.add(writer)
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                size = next(
                    (int(line[15:]) for line in head.split("\r\n") if line.lower()[:15] == "content-length:"), 0
                )
                body = json.loads(await reader.readexactly(size)) if size else {}
                reply = await self._reply(head.split(" ", 2)[1], body, reader)
                if reply is None:
                    return
                writer.write(reply)
                await writer.drain()
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            pass
        finally:
            self._clients.discard(writer)
            writer.close()

    async def _reply(self, path: str, body: dict[str, Any], reader: asyncio.StreamReader) -> bytes | None:
        if path == "/api/generate":
            working = asyncio.ensure_future(self._generated(body["prompt"]))
            leaving = asyncio.ensure_future(reader.read(1))  # nothing more comes before the answer, unless the end
            await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                working.cancel()
                self.left += 1
                return None
            leaving.cancel()
            await asyncio.wait({leaving})
            return working.result()
        if path == "/api/embed":
            self.asked.update(body["input"])
            self.batches += 1
            await asyncio.sleep(self.latency)
            vectors = [[float(len(text)), 1.0, 0.5] for text in body["input"]]
            return _json(200, {"model": self.model, "embeddings": vectors, "prompt_eval_count": len(vectors)})
        if path == "/api/tags":
            return _json(200, {"models": [{"name": self.model, "model": self.model, "digest": self.digest, "size": 1}]})
        if path == "/api/show":
            known = body.get("model") in (self.model, self.model.partition(":")[0])
            return _json(200, FACTS) if known else _json(404, {"error": f"model '{body.get('model')}' not found"})
        return _json(200, {"models": [], "version": "0.32.15"})

    async def _generated(self, prompt: str) -> bytes | None:
        self.asked[prompt] += 1
        async with self._slots:
            self.now += 1
            self.most = max(self.most, self.now)
            try:
                if self.latency:
                    await asyncio.sleep(self.latency)
                text = await self.answer(prompt)
            finally:
                self.now -= 1
        if isinstance(text, Refusal):
            return _json(text.status, {"error": "no"}, text.headers) if text.status else None
        return _json(200, {"model": self.model, "response": text, "done": True, "done_reason": "stop", "eval_count": 2})


def _json(status: int, value: dict[str, Any], headers: dict[str, str] | None = None) -> bytes:
    body = json.dumps(value).encode()
    more = "".join(f"{name.replace('_', '-')}: {text}\r\n" for name, text in (headers or {}).items())
    head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\n{more}Content-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


if __name__ == "__main__":
    with QuickServer(latency=float(sys.argv[1]), places=int(sys.argv[2])) as quick:
        print(quick.url, flush=True)
        sys.stdin.read()
