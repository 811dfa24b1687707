"""Turns with tools on the test's own loop: their server gives what real ones would, line by line."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from ollama_magic.conversation.main_thread import MainThread
from ollama_magic.conversation.turn import run_turn
from ollama_magic.ollama.decoder import ChunkDecoder
from ollama_magic.tools.listing import tools_listed
from tests.conversation.fakes import FakeServer, turn

if TYPE_CHECKING:
    from ollama_magic.conversation.reply import Reply

DONE: dict[str, Any] = {"message": {"content": ""}, "done": True, "done_reason": "stop"}


def line(tool_calls: object = None, content: str = "", **more: Any) -> dict[str, Any]:
    """One line of a stream."""
    message = {"role": "assistant", "content": content, **({} if tool_calls is None else {"tool_calls": tool_calls})}
    thinking = more.pop("thinking", "")
    return {"message": message | ({"thinking": thinking} if thinking else {}), "done": False, **more}


def called(name: object, arguments: object = None, **more: object) -> dict[str, object]:
    """One call as it stands in a line."""
    return {"id": "call_abcdefgh", "function": {"index": 0, "name": name, "arguments": arguments or {}}, **more}


class Server(FakeServer):
    """Answers each request with the next of its lists of lines; the last one stays."""

    def __init__(self, *rounds: list[dict[str, Any]]) -> None:
        super().__init__()
        self.rounds = rounds

    async def stream(self, request: Any) -> Any:
        self.requests.append(request)
        lines = self.rounds[min(len(self.requests), len(self.rounds)) - 1]
        decoder = ChunkDecoder()
        for chunk in decoder.feed(b"".join(json.dumps(one).encode() + b"\n" for one in lines)):
            yield chunk


def answered(*rounds: list[dict[str, Any]], tools: Any = (), **plan: Any) -> tuple[Reply, Server]:
    """The reply of a turn whose answers are these."""
    server = Server(*rounds)

    async def asked() -> Reply:
        main = MainThread()
        main.schedule = asyncio.get_running_loop().call_soon
        running = turn(server, tools=tools_listed(list(tools), {}), **plan)
        running.main = main
        return await run_turn(running)

    return asyncio.run(asked()), server


ANSWER = [line(content="Done."), DONE]
